// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A callback's code and state stand in no line of any log, whoever answered:
// the module itself, well or badly, or another part of NGINX before it. Level
// info is the most an operator runs with; debug is NGINX's own affair.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, kKey } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const kCode = 'a-code-that-nobody-logs';
const kState = 'a-state-that-nobody-logs';
const kTarget = `/bff/callback?code=${kCode}&state=${kState}`;

// What stands at server level, by the name of the listener.
const kServers = (at) => ({
    main: '',
    denied: 'deny all;',
    limited: 'limit_req zone=few;',
    basic: `auth_basic realm;
        auth_basic_user_file ${at.file('users', 'ada:{PLAIN}secret\n')};`,
    checked: 'auth_request /check; location = /check { return 403; }',
    bodies: 'client_max_body_size 1k;',
});

function server(at, name, inside) {
    return `server {
        listen ${at.tls(name)};
        access_log ${at.prefix}/${name}.access.log line;
        error_log ${at.prefix}/${name}.error.log info;
        ${inside}
        location / { return 200 home; }
        location /api/ { bff corp; }
    }`;
}

const s = stage(({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    log_format line '$remote_addr "$request" $status';
    limit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;

    ${Object.entries(kServers(at)).map(([name, inside]) =>
        server(at, name, inside)).join('\n')}
`);

function accessLines(name) {
    return s.nginx.file(`${name}.access.log`).split('\n')
        .filter((line) => line.includes('/bff/callback'));
}

// What act() returns, when none of the secrets it names is in a log.
// act: () => ({ answer, secrets }), with one callback to this listener
async function unlogged(name, act) {
    const before = accessLines(name).length;
    const { answer, secrets = [kCode, kState] } = await act();
    await until('the line of the callback', () =>
        accessLines(name).length > before);

    assert.deepEqual(allLines(name).filter((line) =>
        secrets.some((secret) => line.includes(secret))), []);
    return answer;
}

// The log of NGINX as a whole may be at level debug when somebody asked so.
function allLines(name) {
    return [s.nginx.file(`${name}.access.log`),
        s.nginx.file(`${name}.error.log`),
        process.env.BFF_DEBUG ? '' : s.nginx.log()].join('\n').split('\n');
}

function callback(name, options) {
    return unlogged(name, async () => ({
        answer: await s.browser(name).callback(kTarget, options) }));
}

test('a login that succeeds', async () => {
    const answer = await unlogged('main', async () => {
        const { answer, url } = await attempt(s);
        const { access_token, refresh_token } = s.op.tokens;
        return { answer, secrets: [url.searchParams.get('code'),
            url.searchParams.get('state'), access_token, refresh_token] };
    });

    assertLoggedIn(answer);
});

test('a login that the provider\'s token endpoint refuses', async () => {
    const answer = await unlogged('main', async () => {
        const { answer, url } = await attempt(s,
            { change: (query) => query.set('code', kCode) });
        return { answer, secrets: [kCode, url.searchParams.get('state')] };
    });

    assert.equal(answer.status, 502);
});

test('a callback that belongs to no login', async () => {
    assert.equal((await callback('main')).status, 400);
});

// [which listener, what else is needed, status]
const kRefusals = [
    ['denied', {}, 403],
    ['basic', {}, 401],
    ['basic', { headers: { Authorization: 'Basic YWRhOndyb25n' } }, 401],
    ['checked', {}, 403],
];

for (const [name, options, status] of kRefusals) {
    test(`a server that is ${name} refuses with ${status}`, async () => {
        assert.equal((await callback(name, options)).status, status);
    });
}

test('limit_req at server level', async () => {
    const one = await callback('limited');
    const two = await callback('limited');

    assert.deepEqual([one.status, two.status], [400, 503]);
});

for (const [name, octets] of [['main', 20000], ['bodies', 2000]]) {
    test(`a body that is too large for the server ${name}`, async () => {
        const body = 'x'.repeat(octets);
        const answer = await callback(name, { method: 'POST', body,
            headers: { 'Content-Length': body.length } });

        assert.equal(answer.status, 413);
    });
}
