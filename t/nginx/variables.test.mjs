// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The variables of section 7, in headers, in conditions and in a log.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        session_claims sub name address roles groups big yes;
    }

    log_format bff '[$request_uri] $bff_session $bff_provider $bff_action '
                   '$bff_error $bff_sub $bff_provider_time';

    map $bff_session $seen { active "is active"; default "is not"; }

    server {
        listen ${at.tls()};
        access_log ${at.prefix}/bff.log bff;

        add_header X-Session $bff_session always;
        add_header X-Seen $seen always;
        add_header X-Sub $bff_sub always;
        add_header X-Provider $bff_provider always;
        add_header X-Action $bff_action always;
        add_header X-Error $bff_error always;
        add_header X-Name $bff_claim_name always;
        add_header X-Address $bff_claim_address always;
        add_header X-Roles $bff_claim_roles always;
        add_header X-Big $bff_claim_big always;
        add_header X-Yes $bff_claim_yes always;
        add_header X-Nothing $bff_claim_nothing always;
        add_header X-Expires $bff_session_expires_in always;

        location / { return 200 home; }
        location /api/ {
            bff corp;
            proxy_set_header X-Sub $bff_sub;
            proxy_set_header X-Token $bff_access_token;
            proxy_set_header X-Id-Token $bff_id_token;
            proxy_pass http://${api.address};
        }
        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
        location /ssi/ { bff corp; ssi on; root ${at.prefix}/www; }
        location /off/ { proxy_pass http://${api.address}; }
    }
`, { prepare: ({ at }) => {
    at.file('www/ssi/city.html', ['address.city', 'address.zip', 'address.no']
        .map((path) => `[<!--# echo var="bff_claim_${path}" default="" -->]`)
        .join(' '));
} });

async function loggedIn() {
    s.op.claims = (usual) => ({ ...usual, roles: ['a', 'b'], big: 12345678901,
        yes: true, address: { city: 'Köln', zip: [1, 2] } });
    const b = s.browser();
    await b.login('/');
    return b;
}

test('with a session: who, where and until when', async () => {
    const b = await loggedIn();
    const { headers } = await b.api('/api/x');

    assert.equal(headers['x-session'], 'active');
    assert.equal(headers['x-seen'], 'is active');
    assert.equal(headers['x-sub'], 'user-1');
    assert.equal(headers['x-provider'], 'corp');
    assert.equal(headers['x-action'], 'pass');
    assert.equal(headers['x-error'], undefined);
    assert.ok(Number(headers['x-expires']) > 28000);
});

test('claims: text, number, boolean, lists by commas, objects as JSON, paths',
    async () => {
        const { headers } = await (await loggedIn()).api('/api/x');
        const utf8 = (text) => Buffer.from(text, 'latin1').toString('utf8');

        assert.equal(headers['x-name'], 'Ada Lovelace');
        assert.equal(headers['x-roles'], 'a,b');
        assert.equal(headers['x-big'], '12345678901');
        assert.equal(headers['x-yes'], 'true');
        assert.equal(headers['x-nothing'], undefined);
        assert.deepEqual(JSON.parse(utf8(headers['x-address'])),
            { city: 'Köln', zip: [1, 2] });
    });

// NGINX's own syntax ends a name at the dot; SSI and njs do not.
test('a dotted path leads into a claim', async () => {
    const answer = await (await loggedIn()).api('/ssi/city.html');
    assert.equal(answer.body, '[Köln] [1,2] []');
});

test('the tokens are there for who writes them down himself', async () => {
    const b = await loggedIn();
    await b.api('/api/x');
    assert.equal(s.api.last.header('x-sub'), 'user-1');
    assert.equal(s.api.last.header('x-token'), s.op.tokens.access_token);
    assert.equal(s.api.last.header('x-id-token'), s.op.tokens.id_token);
});

test('without a session: none, and nothing else', async () => {
    const { headers } = await s.browser().api('/pass/x');
    assert.equal(headers['x-session'], 'none');
    assert.equal(headers['x-seen'], 'is not');

    for (const name of ['x-sub', 'x-name', 'x-expires']) {
        assert.equal(headers[name], undefined, name);
    }
});

test('a refusal: its action and its code', async () => {
    const { headers } = await s.browser().api('/api/x');
    assert.equal(headers['x-action'], 'reject');
    assert.equal(headers['x-error'], 'no_session');
});

test('where bff is off the variables are empty, even with a cookie', async () => {
    const b = await loggedIn();
    const { headers, status } = await b.api('/off/x');
    assert.equal(status, 200);
    assert.equal(headers['x-sub'], undefined);
    assert.ok([undefined, 'none'].includes(headers['x-session']));
});

test('the log tells what the module did, and how long the provider took',
    async () => {
        const { answer } = await attempt(s);
        assert.equal(answer.status, 200);
        const log = await until('the log lines', () => {
            const text = s.nginx.file('bff.log');
            return /\/bff\/callback/.test(text) && text;
        });

        const [login] = log.split('\n').filter((l) => l.includes('[/bff/login'));
        const [callback] = log.split('\n')
            .filter((l) => l.includes('[/bff/callback')).slice(-1);
        assert.match(login, / corp login /);
        assert.match(callback, / corp callback - /);
        assert.match(callback, / \d+\.\d{3}$/);
    });
