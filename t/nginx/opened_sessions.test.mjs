// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sessions that a worker remembers opened: the next request sees all that has
// happened to them since, and nothing that a request may want of them is lost.
// Each test runs with sessions in cookies and in shared memory; with the cache
// as it is, with one that has room for a few, and without.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';

import { Kept, request, valuesOf } from '../lib/kept.mjs';
import { logoutToken, postToken } from '../lib/logout_token.mjs';
import { kNoClock } from '../lib/nginx.mjs';
import { play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const kName = '__Host-Http-bff-corp';
const kOld = 'a1'.repeat(32);
const kNew = 'b2'.repeat(32);

const configuration = ({ cache, where, zone = '1m', more = '' }) => ({ op, api, at }) => `
    ${cache}
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key file:${at.file('keys', `${kOld}\n`, 0o600)};
        ${where === 'zone' ? `session_store zone=sessions:${zone};` : ''}
        ${more}
    }

    server {
        listen ${at.tls()};
        keepalive_requests 100000;
        location / { return 200 home; }
        location = /worker { return 200 $pid; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /told/ {
            bff corp;
            proxy_set_header X-Sub $bff_sub;
            proxy_set_header X-Email $bff_claim_email;
            proxy_set_header X-ID-Token $bff_id_token;
            proxy_pass http://${api.address};
        }
        location /required/ {
            bff corp;
            bff_require $bff_claim_email;
            proxy_pass http://${api.address};
        }
        location /forbidden/ {
            bff corp;
            bff_require $bff_claim_nickname;
            proxy_pass http://${api.address};
        }
        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
    }
`;

const kCaches = { 'the usual cache': '',
    'a small cache': 'bff_session_cache 64k;',
    'no cache': 'bff_session_cache off;' };

// act(s): s.b is a browser that is logged in.
function scene(name, act, options = {}) {
    for (const where of options.where ?? ['cookie', 'zone']) {
        for (const [title, cache] of Object.entries(kCaches)) {
            const skip = options.clock && kNoClock;
            test(`${name} (${where}, ${title})`, { skip }, () =>
                play(configuration({ ...options, cache, where }), options,
                    (s) => begin(s, where, act, options)));
        }
    }
}

async function begin(s, where, act, { expiresIn = 36000, large }) {
    s.where = where;
    s.op.expiresIn = expiresIn;
    s.ahead = 0; // seconds, of NGINX's clock
    s.op.claims = (usual) => ({ ...usual, exp: usual.exp + 36000,
        iat: usual.iat + s.ahead, email: 'jane@example.com' });
    if (large) { // two chunks
        s.op.accessToken = () => `at-${crypto.randomBytes(4500)
            .toString('base64url').slice(0, 4500)}`;
    }
    s.b = s.browser();
    await s.b.login('/');
    s.op.expiresIn = 36000;
    s.lanes = await lanes(s);
    try {
        await act(s);
    } finally {
        s.lanes.forEach((lane) => lane.close());
    }
}

// A connection to each worker: who comes in on it is served by that one.
async function lanes(s) {
    const found = new Map();

    await until('a connection to each worker', async () => {
        const lane = new Kept(s.at.port(), 'shop.test');
        const pid = (await lane.ask(request('/worker'))).body;
        if (found.has(pid)) {
            lane.close();
        } else {
            found.set(pid, lane);
        }
        return found.size === s.nginx.workers().length;
    });
    return [...found.values()];
}

const cookieOf = (browser) => browser.jar.header(new URL(browser.origin));
const ask = (lane, path, cookie) => lane.ask(request(path,
    ['X-CSRF: 1', `Cookie: ${cookie}`]));

// The session is opened, found again, and found again after that.
async function warm(s, cookie = cookieOf(s.b)) {
    for (const lane of s.lanes) {
        for (let i = 0; i < 3; i++) {
            assert.equal((await ask(lane, '/api/x', cookie)).status, 200);
        }
    }
    return cookie;
}

async function isOverEverywhere(s, cookie, code) {
    for (const lane of s.lanes) {
        for (let i = 0; i < 2; i++) {
            const answer = await ask(lane, '/api/x', cookie);
            assert.equal(answer.status, 401);
            assert.equal(JSON.parse(answer.body).code, code);
        }
    }
}

const sentToken = (s) => s.api.last.header('authorization');
const bearer = (s) => `Bearer ${s.op.tokens.access_token}`;
const refreshes = (s) => s.op.calls('token').filter(({ form }) =>
    form.get('grant_type') === 'refresh_token').length;

// --- it is used ---

scene('the API gets the token each time, and no cookie of ours', async (s) => {
    const cookie = await warm(s);
    for (const lane of s.lanes) {
        const answer = await ask(lane, '/api/x', `a=b; ${cookie}`);
        assert.equal(answer.status, 200);
        assert.equal(sentToken(s), bearer(s));
        assert.equal(s.api.last.header('cookie'), 'a=b');
    }
}, { workers: 2 });

scene('each of many sessions keeps its own token', async (s) => {
    const [lane] = s.lanes;
    const all = [];
    for (let i = 0; i < 60; i++) {
        const b = s.browser();
        await b.login('/');
        all.push({ cookie: cookieOf(b), token: bearer(s) });
    }
    for (let round = 0; round < 3; round++) {
        for (const { cookie, token } of all) {
            for (let i = 0; i <= round; i++) {
                assert.equal((await ask(lane, '/api/x', cookie)).status, 200);
                assert.equal(sentToken(s), token);
            }
        }
    }
});

scene('variables and bff_require have what the cookie has', async (s) => {
    const cookie = await warm(s);
    const [lane] = s.lanes;
    for (let i = 0; i < 2; i++) {
        assert.equal((await ask(lane, '/told/x', cookie)).status, 200);
        assert.equal(s.api.last.header('x-sub'), 'user-1');
        assert.equal(s.api.last.header('x-email'), 'jane@example.com');
        assert.equal(s.api.last.header('x-id-token'), s.op.tokens.id_token);
        assert.equal((await ask(lane, '/required/x', cookie)).status, 200);
        assert.equal((await ask(lane, '/forbidden/x', cookie)).status, 403);
        assert.equal((await ask(lane, '/pass/x', cookie)).status, 200);
        assert.equal(sentToken(s), bearer(s));
        const session = await ask(lane, '/bff/session', cookie);
        assert.equal(JSON.parse(session.body).claims.sub, 'user-1');
    }
});

// --- it ends ---

scene('a logout is seen by the next request of each worker', async (s) => {
    const cookie = await warm(s);
    const answer = await s.lanes[1].ask(request('/bff/logout',
        ['X-CSRF: 1', `Cookie: ${cookie}`], { method: 'POST' }));
    assert.equal(answer.status, 200);
    await isOverEverywhere(s, cookie, 'session_revoked');
}, { workers: 2 });

scene('so is a back-channel logout', async (s) => {
    const cookie = await warm(s);
    assert.equal((await postToken(s.browser(), logoutToken(s.op))).status, 200);
    await isOverEverywhere(s, cookie, 'session_revoked');
}, { workers: 2 });

scene('one of somebody else ends nothing', async (s) => {
    const cookie = await warm(s);
    const other = logoutToken(s.op, (usual) => ({ ...usual, sub: 'user-2',
        sid: 'op-session-2' }));
    assert.equal((await postToken(s.browser(), other)).status, 200);
    await warm(s, cookie);
}, { workers: 2 });

async function later(s, seconds) {
    s.nginx.setForward(seconds);
    s.ahead = seconds;
    // a worker's clock is as old as its last event
    for (const lane of [...s.lanes, ...s.lanes]) {
        await lane.ask(request('/worker'));
    }
}

scene('its end is seen', async (s) => {
    const cookie = await warm(s);
    await later(s, 590);
    await warm(s, cookie);
    await later(s, 605);
    await isOverEverywhere(s, cookie, 'session_expired');
}, { workers: 2, clock: true, more: 'session_timeout 600s;' });

scene('so is the end of one that nobody used', async (s) => {
    const cookie = await warm(s);
    await later(s, 605);
    await isOverEverywhere(s, cookie, 'session_expired');
}, { workers: 2, clock: true, more: 'session_idle_timeout 600s;' });

scene('its use in another worker counts', async (s) => {
    const cookie = await warm(s);
    await later(s, 500);
    assert.equal((await ask(s.lanes[0], '/api/x', cookie)).status, 200);
    await later(s, 1000);
    const answer = await ask(s.lanes[1], '/api/x', cookie);
    assert.equal(answer.status, 200, answer.body);
}, { workers: 2, clock: true, where: ['zone'],
    more: 'session_idle_timeout 600s;' });

// --- it changes ---

const changed = (cookie, answer) => {
    const jar = new Map(cookie.split('; ').map((one) => one.split(/=(.*)/s)));
    valuesOf(answer, 'set-cookie').map((line) => line.split(';')[0]
        .split(/=(.*)/s)).forEach(([name, value]) => value === ''
        ? jar.delete(name) : jar.set(name, value));
    return [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
};

scene('a cookie that tells of its use has all of it', async (s) => {
    const cookie = await warm(s);
    await later(s, 300);
    const answer = await ask(s.lanes[0], '/api/x', cookie);
    const next = changed(cookie, answer);
    assert.notEqual(next, cookie);

    const id = s.op.tokens.id_token;
    assert.equal((await ask(s.lanes[0], '/told/x', next)).status, 200);
    assert.equal(s.api.last.header('x-id-token'), id);
    const renewed = await s.lanes[0].ask(request('/bff/refresh', ['X-CSRF: 1',
        `Cookie: ${next}`], { method: 'POST' }));
    assert.equal(renewed.status, 204, renewed.body);
    assert.equal(refreshes(s), 1);
}, { clock: true, where: ['cookie'], more: 'session_idle_timeout 600s;' });

scene('RT-7: a token in its leeway is renewed from a session that is warm',
    async (s) => {
        const cookie = cookieOf(s.b);
        const old = bearer(s);
        let answer = await ask(s.lanes[0], '/api/x', cookie);
        assert.equal(answer.status, 200);
        assert.equal(sentToken(s), old);
        await until('new tokens', () => refreshes(s) === 1
            && bearer(s) !== old);
        await until('the API to get them', async () => {
            for (const lane of s.lanes) {
                answer = await ask(lane, '/api/x', cookie);
                assert.equal(answer.status, 200);
            }
            return sentToken(s) === bearer(s);
        });
        // the old cookie finds them in each worker
        for (const lane of [...s.lanes, ...s.lanes]) {
            answer = await ask(lane, '/told/x', cookie);
            assert.equal(answer.status, 200);
            assert.equal(sentToken(s), bearer(s));
            assert.equal(s.api.last.header('x-sub'), 'user-1');
        }
        assert.equal(refreshes(s), 1);
    }, { workers: 2, expiresIn: 20 });

scene('a warm session whose token ends is renewed once, and whole',
    async (s) => {
        const cookie = await warm(s);
        await later(s, 700);
        const answers = await Promise.all(s.lanes.flatMap((lane) =>
            [1, 2, 3].map(() => ask(lane, '/told/x', cookie))));
        answers.forEach(({ status, body }) => assert.equal(status, 200, body));
        assert.equal(refreshes(s), 1);
        assert.equal(sentToken(s), bearer(s));
        assert.equal(s.api.last.header('x-email'), 'jane@example.com');
    }, { workers: 2, clock: true, expiresIn: 600 });

scene('POST refresh: each worker sends the new token', async (s) => {
    const cookie = await warm(s);
    const answer = await s.lanes[0].ask(request('/bff/refresh', ['X-CSRF: 1',
        `Cookie: ${cookie}`], { method: 'POST' }));
    assert.equal(answer.status, 204);
    for (const lane of [...s.lanes, ...s.lanes]) {
        assert.equal((await ask(lane, '/api/x', cookie)).status, 200);
        assert.equal(sentToken(s), bearer(s));
    }
    await warm(s, changed(cookie, answer));
    assert.equal(sentToken(s), bearer(s));
    assert.equal(refreshes(s), 1);
}, { workers: 2 });

scene('RT-7: a token that the API does not take is replaced, once',
    async (s) => {
        const cookie = await warm(s);
        const old = bearer(s);
        s.api.answer = (r) => r.header('authorization') === old
            ? { status: 401, headers: { 'WWW-Authenticate':
                'Bearer error="invalid_token"' } } : {};
        assert.equal((await ask(s.lanes[0], '/api/x', cookie)).status, 401);
        await until('a token that it takes', async () => {
            const answers = await Promise.all(s.lanes.map((lane) =>
                ask(lane, '/told/x', cookie)));
            return answers.every(({ status }) => status === 200);
        });
        assert.equal(sentToken(s), bearer(s));
        assert.equal(s.api.last.header('x-sub'), 'user-1');
        assert.equal(refreshes(s), 1);
    }, { workers: 2 });

scene('RT-7: a late refusal of a token that was replaced replaces nothing',
    async (s) => {
        const cookie = await warm(s);
        const old = bearer(s);
        let letGo;
        s.api.answer = (r) => r.header('authorization') === old
            ? { status: 401, after: new Promise((go) => { letGo = go; }),
                headers: { 'WWW-Authenticate':
                    'Bearer error="invalid_token"' } } : {};
        const slow = ask(s.lanes[0], '/api/x', cookie);
        await until('the API to be asked', () => letGo);
        const renewed = await s.lanes[1].ask(request('/bff/refresh',
            ['X-CSRF: 1', `Cookie: ${cookie}`], { method: 'POST' }));
        assert.equal(renewed.status, 204);
        letGo();
        assert.equal((await slow).status, 401);
        for (const lane of [...s.lanes, ...s.lanes]) {
            assert.equal((await ask(lane, '/api/x', cookie)).status, 200);
        }
        assert.equal(refreshes(s), 1);
    }, { workers: 2 });

// --- keys ---

scene('a key that is gone opens nothing, and one that is new is taken',
    async (s) => {
        const cookie = await warm(s);
        const rotate = async (...keys) => {
            fs.writeFileSync(`${s.at.prefix}/keys`, `${keys.join('\n')}\n`);
            s.lanes.forEach((lane) => lane.close());
            await s.nginx.reload();
            s.lanes = await lanes(s);
        };

        await rotate(kNew, kOld);
        const answer = await ask(s.lanes[0], '/api/x', cookie);
        const next = changed(cookie, answer);
        assert.notEqual(next, cookie);
        await warm(s, next);
        await warm(s, cookie);

        await rotate(kNew);
        assert.equal((await ask(s.lanes[0], '/api/x', cookie)).status, 401);
        await warm(s, next);
        assert.equal((await ask(s.lanes[0], '/told/x', next)).status, 200);
        assert.equal(s.api.last.header('x-id-token'), s.op.tokens.id_token);
    });

// --- the zone's own ---

scene('a session that the zone has no room for any more ends', async (s) => {
    const cookie = await warm(s);
    for (let i = 0; i < 60; i++) {
        const b = s.browser();
        await b.login('/');
        await warm(s, cookieOf(b));
    }
    await isOverEverywhere(s, cookie, 'session_expired');
}, { workers: 2, where: ['zone'], zone: '64k' });

// --- who has only a part of it ---

const flipped = (text, at) => text.slice(0, at)
    + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);

scene('who knows a part of a warm cookie gets nothing', async (s) => {
    const cookie = await warm(s);
    const [, name, value] = /^([^=]+)=(.*)$/.exec(cookie);
    const [lane] = s.lanes;
    const refused = async (header) => {
        const before = s.api.requests.length;
        const answer = await ask(lane, '/api/x', header);
        assert.equal(answer.status, 401, header);
        assert.equal(s.api.requests.length, before);
    };

    for (let at = 0; at < value.length; at += at < 64 ? 1 : 37) {
        await refused(`${name}=${flipped(value, at)}`);
        await refused(`${name}=${value.slice(0, at)}`);
    }
    await refused(`${name}=${flipped(value, value.length - 2)}`);
    await refused(`${name}=${value}A`);
    await refused(`${name}=${value.slice(0, 40)}`
        + `${'A'.repeat(value.length - 40)}`);
    await refused(`${name}=${value}; ${name}=${value}`);
    await refused(`${name}=${value}; ${name}.1=${value.slice(40)}`);
    await warm(s, cookie);
});

scene('nor who mixes the chunks of two sessions', async (s) => {
    const one = await warm(s);
    const b = s.browser();
    await b.login('/');
    const two = await warm(s, cookieOf(b));
    const [a1, a2] = one.split('; ');
    const [b1, b2] = two.split('; ');
    assert.ok(a2 && b2 && a2.startsWith(`${kName}.1=`));
    const [lane] = s.lanes;
    for (const mixed of [[a1, b2], [b1, a2], [a1], [a2],
        [a1, `${kName}.1=${a2.split('=')[1].slice(0, -4)}`],
        [`${kName}=${a2.split('=')[1]}`, `${kName}.1=${a1.split('=')[1]}`]]) {
        const before = s.api.requests.length;
        const answer = await ask(lane, '/api/x', mixed.join('; '));
        assert.equal(answer.status, 401);
        assert.equal(s.api.requests.length, before);
    }
    await warm(s, one);
    await warm(s, `${a2}; ${a1}`);
}, { where: ['cookie'], large: true });
