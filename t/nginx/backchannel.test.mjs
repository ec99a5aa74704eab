// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Back-channel logout: the provider posts a logout token, and sessions end
// although no browser is there (LT-*).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, kKey } from '../lib/checks.mjs';
import { SigningKey, tamper } from '../lib/jose.mjs';
import { kEvent, logoutToken, postForm, postToken }
    from '../lib/logout_token.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://127.0.0.1:${api.port}; }
    }
`, { workers: 2 });

let count = 0;

// Whose session: { sid, sub }, fresh ones unless given.
async function loggedIn(claims = {}) {
    const whose = { sid: `sid-${++count}`, sub: `user-${count}`, ...claims };
    s.op.claims = (usual) => ({ ...usual, ...whose });
    const { browser } = await attempt(s);
    assert.equal((await browser.api('/api/x')).status, 200);
    return { browser, ...whose };
}

function token({ sid, sub }, change = (usual) => usual, options) {
    return logoutToken(s.op, (usual) => change({ ...usual, sid, sub }), options);
}

async function assertEnded({ browser }) {
    for (let i = 0; i < 4; i++) {
        assertProblem(await browser.clone().api('/api/x'), 401,
            'session_revoked');
    }
}

async function assertAlive({ browser }) {
    assert.equal((await browser.api('/api/x')).status, 200);
}

function assertDone(answer) {
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.deepEqual(answer.setCookies, []);
}

function assertInvalid(answer) {
    assert.equal(answer.status, 400);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.deepEqual(answer.json(), { error: 'invalid_request' });
}

test('LT-7: sid and sub, only sid, only sub end the session', async () => {
    for (const without of [[], ['sub'], ['sid']]) {
        const who = await loggedIn();
        const answer = await postToken(who.browser, token(who, (usual) => {
            without.forEach((name) => delete usual[name]);
            return usual;
        }));
        assertDone(answer);
        await assertEnded(who);
    }
});

test('LT-7: only sub ends all sessions of that person', async () => {
    const one = await loggedIn();
    const two = await loggedIn({ sub: one.sub });
    const other = await loggedIn();
    assertDone(await postToken(one.browser,
        token(one, ({ sid, ...rest }) => rest)));

    await assertEnded(one);
    await assertEnded(two);
    await assertAlive(other);
});

test('LT-7: a sid with another sub ends nothing', async () => {
    const who = await loggedIn();
    await postToken(who.browser, token({ ...who, sub: 'somebody-else' }));
    await assertAlive(who);
});

test('LT-9: 200 also for a session that nobody knows', async () => {
    assertDone(await postToken(s.browser(),
        token({ sid: 'unknown', sub: 'unknown' })));
});

test('LT-1: one form with one logout_token', async () => {
    const b = s.browser();
    const good = () => token({ sid: 'x', sub: 'y' });

    assertDone(await postForm(b, { state: 'x', logout_token: good() }));
    assertInvalid(await postForm(b, {}));
    assertInvalid(await postForm(b, { logout_token: '' }));
    assertInvalid(await postForm(b,
        [['logout_token', good()], ['logout_token', good()]]));
    assertInvalid(await postForm(b, { logout_token: good() },
        { 'Content-Type': 'application/json' }));

    const get = await b.request('/bff/backchannel', { cookies: false });
    assert.equal(get.status, 405);
    assert.equal(get.headers.allow, 'POST');
});

test('LT-1: neither cookie nor header of a page is needed, nor looked at',
    async () => {
        const who = await loggedIn();
        const answer = await postForm(s.browser(),
            { logout_token: token(who) }, { Origin: 'https://id.example.com',
                'Sec-Fetch-Site': 'cross-site' });
        assertDone(answer);
        await assertEnded(who);
    });

const kNow = () => Math.floor(Date.now() / 1000);
const kBroken = {
    'LT-4: another issuer': (c) => ({ ...c, iss: 'https://evil.example' }),
    'LT-4: no issuer': ({ iss, ...c }) => c,
    'LT-4: for another client': (c) => ({ ...c, aud: 'other' }),
    'LT-4: also for another client': (c) => ({ ...c, aud: ['shop', 'other'] }),
    'LT-4: no audience': ({ aud, ...c }) => c,
    'LT-4: old': (c) => ({ ...c, iat: kNow() - 3600 }),
    'LT-4: from the future': (c) => ({ ...c, iat: kNow() + 3600 }),
    'LT-4: no iat': ({ iat, ...c }) => c,
    'LT-4: expired': (c) => ({ ...c, exp: kNow() - 600 }),
    'LT-4: no exp': ({ exp, ...c }) => c,
    'LT-5: no events': ({ events, ...c }) => c,
    'LT-5: another event': (c) => ({ ...c, events: { other: {} } }),
    'LT-5: an event that is no object':
        (c) => ({ ...c, events: { [kEvent]: true } }),
    'LT-6: a nonce': (c) => ({ ...c, nonce: 'n' }),
    'LT-6: a nonce that is null': (c) => ({ ...c, nonce: null }),
    'LT-7: neither sub nor sid': ({ sub, sid, ...c }) => c,
    'LT-7: a sub that is a number': (c) => ({ ...c, sub: 7 }),
    'LT-8: no jti': ({ jti, ...c }) => c,
};

for (const [name, change] of Object.entries(kBroken)) {
    test(`${name} is 400 and ends nothing`, async () => {
        const who = await loggedIn();
        assertInvalid(await postToken(who.browser, token(who, change)));
        await assertAlive(who);
    });
}

test('LT-2: a signature that is none, a foreign one, a broken one',
    async () => {
        const who = await loggedIn();
        const foreign = new SigningKey('RS256', { kid: s.op.keys[0].kid });

        for (const bad of [
            token(who, undefined, { header: { alg: 'none' } }),
            token(who, undefined, { key: foreign }),
            tamper(token(who), 2), tamper(token(who), 1), 'nonsense']) {
            assertInvalid(await postToken(who.browser, bad));
        }
        await assertAlive(who);
    });

test('LT-2: keys that have rotated are fetched', async () => {
    const who = await loggedIn();
    s.op.keys = [new SigningKey('RS256')];
    assertDone(await postToken(who.browser, token(who)));
    await assertEnded(who);
});

test('LT-3: the types of logout tokens, and others', async () => {
    for (const typ of [undefined, 'JWT', 'logout+jwt']) {
        const who = await loggedIn();
        assertDone(await postToken(who.browser,
            token(who, undefined, { header: { typ } })));
        await assertEnded(who);
    }

    const who = await loggedIn();
    assertInvalid(await postToken(who.browser,
        token(who, undefined, { header: { typ: 'at+jwt' } })));
    await assertAlive(who);
});

test('LT-8: a token works once, on whatever worker', async () => {
    const replayed = token({ sid: 'x', sub: 'y' });
    assertDone(await postToken(s.browser(), replayed));

    for (let i = 0; i < 4; i++) {
        assertInvalid(await postToken(s.browser(), replayed));
    }
});

test('LT-8: a jti is remembered over a reload', async () => {
    const replayed = token({ sid: 'x', sub: 'y' });
    assertDone(await postToken(s.browser(), replayed));
    await s.nginx.reload();
    assertInvalid(await postToken(s.browser(), replayed));
});

test('LT-9: the log has the reason, and no token', async () => {
    const mark = s.nginx.mark();
    const bad = token({ sid: 'x', sub: 'y' }, (c) => ({ ...c, nonce: 'n' }));
    await postToken(s.browser(), bad);

    assert.match(s.nginx.log(mark),
        /\[warn\].*back-channel logout refused for provider "corp".*"nonce"/);
    assert.ok(!s.nginx.log(mark).includes(bad.split('.')[1]));
});

test('LT-12: an ID token is no logout token', async () => {
    const who = await loggedIn();
    assertInvalid(await postToken(who.browser, s.op.tokens.id_token));
    await assertAlive(who);
});

test('LT-13: it may come while the browser is at the provider', async () => {
    const who = await loggedIn();
    const { logout_url } = await who.browser.session();
    const there = await who.browser.navigate(logout_url,
        { from: 'same-origin', follow: false });
    assertDone(await postToken(who.browser, token(who)));

    const back = await who.browser.navigate(
        new URL(there.headers.location), { from: 'same-origin' });
    assert.equal(back.body, 'home');
});

test('LT-10: the same person logs in again at once', async () => {
    const who = await loggedIn();
    assertDone(await postToken(who.browser,
        token(who, ({ sid, ...rest }) => rest)));

    await assertAlive(await loggedIn({ sub: who.sub }));
    await assertEnded(who);
});
