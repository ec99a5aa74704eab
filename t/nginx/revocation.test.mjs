// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What was logged out stays logged out: in every worker, over reloads and the
// death of workers; and the refresh token is revoked at the provider without
// anybody waiting for it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, kKey, sessionCookiesSet } from '../lib/checks.mjs';
import { logoutToken, postToken } from '../lib/logout_token.mjs';
import { play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const configuration = (directives = '', zone = '') => ({ op, api, at }) => `
    ${zone}
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        ${directives}
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://127.0.0.1:${api.port}; }
        location /who {
            bff corp;
            bff_unauthenticated pass;
            add_header X-Who "$bff_session $bff_sub";
            proxy_pass http://127.0.0.1:${api.port};
        }
    }
`;

function scene(name, act, options = {}) {
    test(name, () => play(configuration(options.directives, options.zone),
        options, act));
}

async function loggedIn(s) {
    const b = s.browser();
    await b.login('/');
    return b;
}

// Logs out, and gives a browser that has kept the cookies.
async function copyOfLoggedOut(s) {
    const b = await loggedIn(s);
    const copy = b.clone();
    assert.equal((await copy.api('/api/x')).status, 200);
    assert.equal((await b.api('/bff/logout', { method: 'POST' })).status, 200);
    return copy;
}

// On whatever worker it lands.
async function assertRevoked(browser) {
    for (let i = 0; i < 4; i++) {
        const answer = await browser.clone().api('/api/x');
        assertProblem(answer, 401, 'session_revoked');
        assert.deepEqual(sessionCookiesSet(answer), []);
    }
}

scene('BFF-25: a replayed cookie of a logged-out session is 401',
    async (s) => {
        const copy = await copyOfLoggedOut(s);

        await assertRevoked(copy);
        assert.equal((await copy.clone().session()).authenticated, false);
        assert.equal((await copy.clone().api('/who')).headers['x-who'],
            'none');
        assertProblem(await copy.clone().api('/bff/user'), 401,
            'session_revoked');
        const page = await copy.navigate('/api/', { follow: false });
        assert.equal(page.status, 302);
    }, { workers: 4 });

scene('BFF-25: other sessions of the same person go on', async (s) => {
    const other = await loggedIn(s);
    await copyOfLoggedOut(s);

    assert.equal((await other.api('/api/x')).status, 200);
    assert.equal((await (await loggedIn(s)).api('/api/x')).status, 200);
});

scene('BFF-25: the list is kept over reloads and deaths of workers',
    async (s) => {
        const copy = await copyOfLoggedOut(s);

        await s.nginx.reload();
        await assertRevoked(copy);
        await s.nginx.killWorker();
        await until('an answer', () => copy.clone().api('/api/x')
            .then(() => true, () => false));
        await assertRevoked(copy);
    }, { workers: 2 });

// The least zone, of 64 pages, keeps 336 of them.
scene('BFF-25: when the list is full the oldest goes, and the log says so',
    async (s) => {
        const first = await copyOfLoggedOut(s);
        for (let i = 0; i < 336; i++) {
            assert.ok(!/list of ended sessions is full/.test(s.nginx.log()));
            const token = logoutToken(s.op,
                (usual) => ({ ...usual, sid: `other-${i}` }));
            assert.equal((await postToken(first, token)).status, 200);
        }

        assert.match(s.nginx.log(),
            /\[warn\].*list of ended sessions is full: the oldest entry went/);
        await s.nginx.reload();
        assert.equal((await first.api('/api/x')).status, 200);
        await assertRevoked(await copyOfLoggedOut(s));
    }, { zone: `bff_zone small:${64 * 4}k;` });

// --- at the provider ---

scene('BFF-28 REV-1: logout revokes the refresh token as the '
    + 'client', async (s) => {
    const b = await loggedIn(s);
    const { refresh_token } = s.op.tokens;
    await b.api('/bff/logout', { method: 'POST' });
    await until('the revocation', () => s.op.calls('revoke').length === 1);

    const [call] = s.op.calls('revoke');
    assert.equal(call.method, 'POST');
    assert.equal(call.form.get('token'), refresh_token);
    assert.equal(call.form.get('token_type_hint'), 'refresh_token');
    assert.match(call.headers.authorization, /^Basic /);
    await until('the word in the log', () =>
        /refresh token revoked at provider "corp"/.test(s.nginx.log()));
    assert.ok(!s.nginx.log().includes(refresh_token));
});

scene('REV-1: logout by a link revokes as well, and once', async (s) => {
    const b = await loggedIn(s);
    const copy = b.clone();
    const { logout_url } = await b.session();
    await b.navigate(logout_url, { from: 'same-origin', follow: false });
    await copy.navigate(logout_url, { from: 'same-origin', follow: false });
    await until('the word in the log', () =>
        /refresh token revoked/.test(s.nginx.log()));

    assert.equal(s.op.calls('revoke').length, 1);
});

scene('REV-1: revoke off, and nothing to revoke', async (s) => {
    const b = await loggedIn(s);
    await b.api('/bff/logout', { method: 'POST' });
    await loggedIn(s); // another round trip to the provider

    assert.equal(s.op.calls('revoke').length, 0);
}, { directives: 'revoke off;' });

const kFaults = { 'answers 503': wire.instead({ status: 503 }),
    'resets': wire.resetBefore };

for (const [name, fault] of Object.entries(kFaults)) {
    scene(`REV-2: the logout completes when the provider ${name}`,
        async (s) => {
            const b = await loggedIn(s);
            s.op.wire.revoke = fault;
            const answer = await b.api('/bff/logout', { method: 'POST' });

            assert.equal(answer.status, 200);
            await until('the word in the log', () =>
                /\[warn\].*refresh token not revoked at provider "corp"/
                    .test(s.nginx.log()));
        });
}

// The answer is there while the provider still thinks; `timeout` is longer.
scene('REV-2: nobody waits for the revocation, and it ends by itself',
    async (s) => {
        const b = await loggedIn(s);
        s.op.wire.revoke = wire.silent;
        const answer = await b.api('/bff/logout', { method: 'POST' });
        assert.equal(answer.status, 200);
        assert.ok(!/refresh token not revoked/.test(s.nginx.log()));

        await until('the end of it', () =>
            /not revoked .* no complete answer within 2000 ms/
                .test(s.nginx.log()));
    });

scene('REV-2: a worker that ends does not wait for it either', async (s) => {
    const b = await loggedIn(s);
    s.op.wire.revoke = wire.silent;
    await b.api('/bff/logout', { method: 'POST' });
    await until('the call', () => s.op.calls('revoke').length === 1);

    await s.nginx.reload();
    assert.equal((await (await loggedIn(s)).api('/api/x')).status, 200);
});

scene('the cache of the browser is cleared where a session ended',
    async (s) => {
        const b = await loggedIn(s);
        const first = await b.api('/bff/logout', { method: 'POST' });
        const second = await b.api('/bff/logout', { method: 'POST' });

        assert.equal(first.headers['clear-site-data'], '"cache"');
        assert.equal(second.headers['clear-site-data'], undefined);
    });

scene('RIL-3: a hint too long for a URL goes in a form', async (s) => {
    s.op.claims = (usual) => ({ ...usual, junk: 'j'.repeat(5000) });
    const b = await loggedIn(s);
    const { id_token } = s.op.tokens;
    const { logout_url } = await b.session();
    const page = await b.navigate(logout_url, { from: 'same-origin',
        follow: false });

    assert.equal(page.status, 200);
    assert.match(page.headers['content-security-policy'], /sandbox allow-forms/);
    assert.ok(page.body.includes(`name="id_token_hint" value="${id_token}"`));
    assert.ok(page.body.includes(`action="${s.op.issuer}/end_session"`));
});
