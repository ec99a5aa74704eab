// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What comes late, or cannot be had when it is needed: a response that was
// long in the making, room for a result, a key. None of them brings back what
// was renewed, ended or replaced meanwhile, or loses what is good for one use.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { assertProblem, kKey, sessionCookiesSet } from '../lib/checks.mjs';
import { SigningKey, signJwt } from '../lib/jose.mjs';
import { logoutToken, postToken } from '../lib/logout_token.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { kPatience, until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const configuration = (directives = '', zone = '') =>
    ({ op, api, slow, at }) => `
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
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /slow/ {
            bff corp;
            proxy_pass http://127.0.0.1:${slow.address().port};
        }
    }
`;

// An API whose answers wait until they are let go.
function slowApi(s) {
    s.waiting = [];
    s.slow = http.createServer((request, response) => {
        s.waiting.push(() => response.end('{}'));
    });
    return new Promise((resolve) => s.slow.listen(0, '127.0.0.1', resolve));
}

function scene(name, act, options = {}) {
    test(name, () => play(configuration(options.directives, options.zone), {
        workers: 2,
        prepare: slowApi,
        finish: (s) => s.slow.closeAllConnections() ?? s.slow.close(),
        ...options,
    }, act));
}

async function loggedIn(s, seconds) {
    s.op.expiresIn = seconds;
    const browser = s.browser();
    await browser.login('/');
    return browser;
}

// A request that is on its way to the API, and how to get its answer.
async function onItsWay(s, browser) {
    const coming = browser.api('/slow/x', { patience: 2 * kPatience });
    await until('the API', () => s.waiting.length > 0);

    return async () => {
        s.waiting.splice(0).forEach((answer) => answer());
        const answer = await coming;
        assert.equal(answer.status, 200);
        return answer;
    };
}

scene('RT-8: a late response brings no older tokens than the browser has',
    async (s) => {
        const browser = await loggedIn(s, 0);
        s.op.expiresIn = 1;
        const late = await onItsWay(s, browser); // has the first new tokens
        s.op.expiresIn = 3600;
        await until('tokens newer than those', async () => {
            await browser.clone().api('/api/x');
            return s.op.calls('token').length === 3;
        });

        await late();
        const answer = await browser.api('/api/x');
        assert.equal(answer.status, 200);
        assert.deepEqual(sessionCookiesSet(answer), []);
    }, { directives: 'refresh_before 0s;' });

scene('RT-8: nor when the newer ones came half a minute before', async (s) => {
    const browser = await loggedIn(s, 0);
    s.op.expiresIn = 1;
    const late = await onItsWay(s, browser);
    s.op.expiresIn = 3600;
    await sleep(1500);
    assert.equal((await browser.api('/api/x')).status, 200);

    await sleep(31_000);
    assert.deepEqual((await late()).setCookies, []);
    assert.equal((await browser.api('/api/x')).status, 200);
}, { directives: 'refresh_before 0s;' });

for (const [what, seconds] of [['waited for', 0], ['did not wait for', 20]]) {
    scene(`BFF-25: a late response with tokens it ${what} leaves the next `
        + 'session alone', async (s) => {
        const browser = await loggedIn(s, seconds);
        s.op.expiresIn = 3600;
        const late = await onItsWay(s, browser);
        await until('new tokens', () => s.op.calls('token').length === 2);

        await browser.api('/bff/logout', { method: 'POST' });
        await browser.login('/');
        assert.deepEqual((await late()).setCookies, []);
        assert.equal((await browser.api('/api/x')).status, 200);
    });
}

scene('RT-5: after POST refresh an API request with the old cookie finds the '
    + 'new tokens, also where nobody knows how long the old ones live',
    async (s) => {
        s.op.tokenAnswer = ({ expires_in, ...usual }) => usual;
        const browser = await loggedIn(s, 3600);
        const old = browser.clone();
        await browser.api('/bff/refresh', { method: 'POST' });

        assert.equal(sessionCookiesSet(await old.api('/api/x')).length, 1);
        assert.equal(s.api.last.header('authorization'),
            `Bearer ${s.op.tokens.access_token}`);
        assert.equal(s.op.calls('token').length, 2);
    });

scene('a session that was logged out during its refresh is told so',
    async (s) => {
        const browser = await loggedIn(s, 0);
        const gate = [];
        s.op.wire.token = (...args) => gate.push(args);
        const waiting = [1, 2, 3, 4].map(() => browser.clone().api('/api/x'));
        await until('the refresh', () => gate.length > 0);

        await browser.clone().api('/bff/logout', { method: 'POST' });
        s.op.wire.token = wire.plain;
        gate.forEach((args) => wire.plain(...args));
        for (const answer of await Promise.all(waiting)) {
            assertProblem(answer, 401, 'session_revoked');
        }
    });

scene('LT-7: the end of a session that gets another sid meanwhile counts',
    async (s) => {
        const browser = await loggedIn(s, 0);
        s.op.claims = (usual) => ({ ...usual, sid: 'another' });
        const gate = [];
        s.op.wire.token = (...args) => gate.push(args);
        const coming = browser.api('/api/x');
        await until('the refresh', () => gate.length > 0);

        assert.equal((await postToken(browser, logoutToken(s.op))).status, 200);
        s.op.wire.token = wire.plain;
        gate.forEach((args) => wire.plain(...args));
        assertProblem(await coming, 401, 'session_revoked');
    });

scene('RT-5: results of others push out none that is on its way',
    async (s) => {
        s.op.accessToken = () => randomBytes(3000).toString('base64url');
        const browser = await loggedIn(s, 0);
        assert.equal((await browser.api('/api/x')).status, 200);

        const gate = [];
        s.op.wire.token = (...args) => gate.push(args);
        const coming = browser.api('/api/x');
        await until('the refresh', () => gate.length > 0);
        s.op.wire.token = wire.plain;

        for (let i = 0; i < 30; i++) {
            const other = await loggedIn(s, 0);
            assert.equal((await other.api('/api/x')).status, 200);
        }

        gate.forEach((args) => wire.plain(...args));
        assert.equal((await coming).status, 200);
        assert.equal((await browser.api('/api/x')).status, 200);
        assert.ok(!/tokens came too late/.test(s.nginx.log()));
    }, { zone: `bff_zone small:${64 * 4}k;` });

scene('RT-5: a late response brings nothing back when newer tokens had to go',
    async (s) => {
        s.op.accessToken = () => randomBytes(3000).toString('base64url');
        const browser = await loggedIn(s, 3600);
        await sleep(1100); // then its use is news
        const late = await onItsWay(s, browser);
        await browser.api('/bff/refresh', { method: 'POST' });
        const { access_token: newest } = s.op.tokens;

        for (let i = 0; i < 30; i++) {
            const other = await loggedIn(s, 3600);
            await other.api('/bff/refresh', { method: 'POST' });
        }

        assert.deepEqual((await late()).setCookies, []);
        await browser.api('/api/x');
        assert.equal(s.api.last.header('authorization'), `Bearer ${newest}`);
    }, { zone: `bff_zone small:${64 * 4}k;`,
        directives: 'session_idle_timeout 10s;' });

scene('RT-5: who takes a place that is free again leaves other results alone',
    async (s) => {
        const browsers = [];
        for (let i = 0; i < 40; i++) {
            browsers.push(await loggedIn(s, 3600));
            await browsers[i].api('/bff/refresh', { method: 'POST' });
        }
        await sleep(31_000); // all of them are forgotten, and their places free

        browsers.reverse();
        const newest = [];
        for (const browser of browsers) {
            await browser.clone().api('/bff/refresh', { method: 'POST' });
            newest.push(`Bearer ${s.op.tokens.access_token}`);
        }
        const seen = [];
        for (const browser of browsers) {
            await browser.api('/api/x');
            seen.push(s.api.last.header('authorization'));
        }
        assert.deepEqual(seen, newest);
    }, { zone: `bff_zone small:${64 * 4}k;` });

// The provider signs with a new key, of which it has told nobody.
function rotate(s) {
    s.op.keys = [new SigningKey('RS256', { kid: 'new' })];
}

async function assertGoesOn(s, browser) {
    for (let i = 0; i < 2; i++) {
        assert.equal((await browser.api('/api/x')).status, 200);
    }
    assert.match(s.nginx.log(), /without the ID token that came along/);
    const { claims } = await browser.session();
    assert.equal(claims.name, 'Ada Lovelace');
}

scene('RT-6: keys that are away when the tokens are there end no session',
    async (s) => {
        const browser = await loggedIn(s, 0);
        rotate(s);
        s.op.wire.jwks = wire.resetBefore;
        s.op.claims = (usual) => ({ ...usual, name: 'Mallory' });
        await assertGoesOn(s, browser);
    });

scene('RT-6: nor do logins that have used up the questions for keys',
    async (s) => {
        const browser = await loggedIn(s, 0);
        for (let i = 0; i < 4; i++) {
            s.op.idToken = ({ claims, header, key }) => signJwt(
                { ...header, kid: `made-up-${i}` }, claims, key);
            assert.equal((await attempt(s)).answer.status, 502);
        }

        s.op.idToken = null;
        rotate(s);
        await assertGoesOn(s, browser);
    });

scene('KEY-7: a stranger who has used up all questions leaves some for others',
    async (s) => {
        const browser = await loggedIn(s, 0);
        for (let i = 0; i < 4; i++) {
            const token = logoutToken(s.op, undefined,
                { header: { kid: `made-up-${i}` } });
            assert.equal((await postToken(browser, token)).status, 400);
        }

        rotate(s);
        s.op.claims = (usual) => ({ ...usual, name: 'Countess Lovelace' });
        assert.equal((await browser.api('/api/x')).status, 200);
        const { claims } = await browser.session();
        assert.equal(claims.name, 'Countess Lovelace');
    });

scene('RT-3: without keys an ID token about somebody else ends it as well',
    async (s) => {
        const browser = await loggedIn(s, 0);
        rotate(s);
        s.op.wire.jwks = wire.resetBefore;
        s.op.claims = (usual) => ({ ...usual, sub: 'mallory' });
        assertProblem(await browser.api('/api/x'), 401, 'session_expired');
    });
