// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Floods: whoever sends much gets answers, and takes nothing from others. The
// provider is asked no more for them, memory stays what it was, sessions and
// logins under way go on, and the log remains readable.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';

import { assertLoggedIn, kKey, sessionCookiesSet } from '../lib/checks.mjs';
import { bytesOf, flood, ownMemory } from '../lib/flood.mjs';
import { SigningKey, b64 } from '../lib/jose.mjs';
import { logoutToken, postToken } from '../lib/logout_token.mjs';
import { connect } from '../lib/raw.mjs';
import { attempt, play, stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import { ZoneMemory } from '../lib/zone_memory.mjs';

const kMany = 250;

// KiB that a worker may grow by; ASan keeps what was freed.
const kGrowth = process.env.BFF_SANITIZE ? Infinity : 512;

const block = (op, name, more = '') => `
    bff_provider ${name} {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_name __Host-Http-bff-corp;
        ${more}
    }
`;

const site = (api, at, listener, name) => `
    server {
        listen ${at.tls(listener)};
        keepalive_requests 1000000;
        location / { return 200 home; }
        location /api/ { bff ${name}; proxy_pass http://127.0.0.1:${api.port}; }
        location /page/ { bff ${name}; proxy_pass http://127.0.0.1:${api.port}; }
    }
`;

const configuration = ({ op, api, at }) => `
    bff_zone bff:1m;
    ${block(op, 'corp')}
    ${block(op, 'kept', 'session_store zone=kept:1m;')}
    ${site(api, at, 'main', 'corp')}
    ${site(api, at, 'kept', 'kept')}
`;

const s = stage(configuration);

// --- who must not notice ---

async function bystanders() {
    const cookie = (await attempt(s)).browser;
    const zone = (await attempt(s, { browser: s.browser('kept') })).browser;
    s.op.accessToken = () => b64(crypto.randomBytes(12000));
    const large = (await attempt(s)).browser;
    s.op.accessToken = () => `at-${b64(crypto.randomBytes(32))}`;

    const pending = s.browser();
    const there = await pending.startLogin();
    return { sessions: [cookie, zone, large], pending,
        back: new URL(s.op.approve(there.href)) };
}

async function assertUntouched({ sessions, pending, back }) {
    for (const browser of sessions) {
        assert.equal((await browser.api('/api/x')).status, 200);
    }
    assertLoggedIn(await pending.callback(back));
}

// What a budget allows in the time that a flood took: so many at once, and one
// more in so many seconds.
function allowance(burst, seconds) {
    const began = Date.now();
    return () => burst + Math.ceil((Date.now() - began) / 1000 / seconds);
}

// --- floods ---

const junk = () => b64(crypto.randomBytes(24));
const kNavigation = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Site': 'none' };
const kForm = { 'Content-Type': 'application/x-www-form-urlencoded' };
const kOwn = { 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin' };

function junkCookies() {
    return ['', '.1', '.2', `-login-${junk()}`, `-login-${junk()}`, '-x'].map(
        (end) => `__Host-Http-bff-corp${end}=${b64(crypto.randomBytes(300))}`)
        .join('; ');
}

function logout(token) {
    return bytesOf('/bff/backchannel', { method: 'POST', headers: kForm,
        body: `logout_token=${token}` });
}

function forgedLogout(header) {
    return logoutToken(s.op, (usual) => usual, { header, key: s.evil });
}

const callback = (state) => bytesOf(`/bff/callback?code=${junk()}`
    + `&state=${encodeURIComponent(state)}&iss=${s.op.issuer}`,
{ headers: kNavigation });

// [what, how many, (i) => request, the answers' status, keys: may be asked for]
const kFloods = [
    ['pages with junk for cookies', kMany, () => bytesOf('/page/x',
        { headers: { ...kNavigation, Cookie: junkCookies() } }), 302],
    ['GET login', kMany, () => bytesOf(`/bff/login?returnUrl=/${junk()}`,
        { headers: { ...kNavigation, Cookie: junkCookies() } }), 302],
    ['POST login', kMany, () => bytesOf('/bff/login', { method: 'POST',
        headers: { ...kOwn, 'Content-Type': 'application/json' },
        body: JSON.stringify({ returnUrl: `/${junk()}`,
            params: { login_hint: 'x'.repeat(1000) } }) }), 200],
    ['POST login with bodies of 16 KiB', kMany / 5, () => bytesOf('/bff/login',
        { method: 'POST', headers: { ...kOwn,
            'Content-Type': 'application/json' },
        body: `{"x":"${'y'.repeat(16376)}"}` }), 200],
    ['an API with junk for cookies', kMany, () => bytesOf('/api/x',
        { headers: { ...kOwn, Cookie: junkCookies() } }), 401],
    ['callbacks with forged states', kMany, () => callback(junk()), 400],
    ['callbacks with states of others', kMany, () => callback(s.stolen), 400],
    ['logout tokens with forged kids', kMany, () =>
        logout(forgedLogout({ kid: junk() })), 400, true],
    ['logout tokens without kid', kMany / 5, () =>
        logout(forgedLogout({ kid: undefined })), 400, true],
    ['back-channel posts of 16 KiB', kMany / 5, () =>
        logout('x'.repeat(16384 - 13)), 400],
    ['back-channel posts of any form', kMany, (i) => bytesOf(
        '/bff/backchannel', { method: 'POST', headers: kForm,
            body: 'logout_token=e30.e30.AA&'.repeat(i % 9) }), 400],
    ['front-channel logouts', 2 * kMany, () => bytesOf(
        `/bff/frontchannel?iss=${s.op.issuer}&sid=${junk()}`,
        { headers: kNavigation }), 200],
    ['POST refresh with junk for cookies', kMany, () => bytesOf('/bff/refresh',
        { method: 'POST', headers: { ...kOwn, Cookie: junkCookies() } }), 401],
];

async function assertCalm([what, count, request, status, keys = false]) {
    const most = keys ? allowance(3, 10) : () => 0;
    s.op.requests = [];
    assert.deepEqual(await flood(s.at.port('main'), count, request),
        { [status]: count }, what);

    const calls = s.op.requests.map(({ endpoint }) => endpoint);
    assert.deepEqual(calls.filter((name) => name !== 'jwks'), [], what);
    assert.ok(calls.length <= most(), `${what}: ${calls.length} calls`);
}

test('KEY-7: floods take nothing from anybody', async () => {
    s.evil = new SigningKey('RS256');
    const zones = ['bff', 'kept'].map((name) =>
        new ZoneMemory(s.nginx.pid, name));
    const others = await bystanders();
    s.stolen = others.back.searchParams.get('state');
    const [worker] = s.nginx.workers();
    const round = async () => {
        for (const one of kFloods) {
            await assertCalm(one);
        }
        return ownMemory(worker);
    };
    const mark = s.nginx.mark();
    const most = allowance(1000, 1 / 5);
    const pages = () => zones.map((zone) => zone.freePages);

    const first = await round();
    const firstPages = pages();
    const second = await round();
    assert.ok(second - first < kGrowth, `${second - first} KiB more in a round`);
    assert.deepEqual(pages(), firstPages, 'pages of the zones');
    assert.deepEqual(s.nginx.workers(), [worker]);
    zones.forEach((zone) => zone.close());

    // a thousand at once, five more with each second
    const lines = s.nginx.complaints(mark);
    assert.ok(lines.length >= 1000 && lines.length <= most() + 5,
        `${lines.length} lines`);
    await until('a word of what was left out', async () => {
        await assertCalm(kFloods.find(([what]) => /stolen|others/.test(what)));
        return /left out before this one: \d+/.test(s.nginx.log(mark));
    });

    // a rotation is found, however many forged kids there were
    s.op.requests = [];
    s.op.keys = [new SigningKey('RS256')];
    await assertUntouched(others);
    assert.equal(s.op.calls('jwks').length, 1);
});

test('LT-2 KEY-7: whose keys nobody could fetch can still post a logout token '
    + 'soon', async () => {
    s.op.keys = [new SigningKey('RS256')];
    await attempt(s);
    assert.equal((await postToken(s.browser(), logoutToken(s.op))).status, 200);
});

test('slow posts keep nobody waiting', async () => {
    const port = s.at.port('main');
    const slow = Array.from({ length: 50 }, () => connect(port, 'shop.test'));
    await Promise.all(slow.map((socket) => new Promise((resolve) => {
        socket.on('error', () => {});
        socket.write(bytesOf('/bff/backchannel', { method: 'POST',
            headers: kForm, body: 'x'.repeat(16000) }).slice(0, -1), resolve);
    })));

    assertLoggedIn((await attempt(s)).answer);
    slow.forEach((socket) => socket.destroy());
});

// --- somebody who has logged in ---

const refreshes = () => s.op.calls('token').filter(({ form }) =>
    form.get('grant_type') === 'refresh_token').length;
const post = (browser) => browser.api('/bff/refresh', { method: 'POST' });

for (const listener of ['main', 'kept']) {
    test(`POST refresh in a loop asks the provider a few times, ${listener}`,
        async () => {
            const { browser } = await attempt(s,
                { browser: s.browser(listener) });
            const most = allowance(20, 1.5);
            s.op.requests = [];

            for (let i = 0; i < 50; i++) {
                const answer = await post(browser);
                assert.equal(answer.status, 204);
                if (listener === 'main') {
                    assert.equal(sessionCookiesSet(answer).length, 1);
                }
            }
            assert.ok(refreshes() >= 20 && refreshes() <= most(),
                `${refreshes()} calls`);
            assert.equal((await browser.api('/api/x')).status, 200);
            assert.equal(s.api.last.header('authorization'),
                `Bearer ${s.op.tokens.access_token}`);

            // nobody else waits for that
            const { browser: other } = await attempt(s,
                { browser: s.browser(listener) });
            s.op.requests = [];
            assert.equal((await post(other)).status, 204);
            assert.equal(refreshes(), 1);
        });
}

test('POST refresh many times at once asks the provider once', async () => {
    const { browser } = await attempt(s);
    s.op.requests = [];
    const answers = await Promise.all(Array.from({ length: 40 }, () =>
        post(browser.clone())));
    assert.deepEqual(answers.map(({ status }) => status), Array(40).fill(204));
    assert.equal(refreshes(), 1);
});

test('a token that has ended is renewed however often', async () => {
    s.op.expiresIn = 0;
    const { browser } = await attempt(s);
    s.op.requests = [];
    for (let i = 0; i < 8; i++) {
        assert.equal((await post(browser)).status, 204);
    }
    assert.equal(refreshes(), 8);
});

test('GET userinfo in a loop: one question each, and no memory', async () => {
    const { browser } = await attempt(s);
    s.op.requests = [];
    const headers = { ...kOwn, Cookie: browser.jar.header(
        new URL(browser.origin), { sameSite: true }) };
    const request = () => bytesOf('/bff/userinfo', { headers });

    assert.deepEqual(await flood(s.at.port('main'), 100, request), { 200: 100 });
    const [worker] = s.nginx.workers();
    const before = ownMemory(worker);
    assert.deepEqual(await flood(s.at.port('main'), 200, request), { 200: 200 });
    assert.ok(ownMemory(worker) - before < kGrowth);
    assert.equal(s.op.calls('userinfo').length, 300);
    assert.equal(s.op.requests.length, 300);
});

test('KEY-7: forged kids of all workers are one flood', () =>
    play(configuration, { workers: 4 }, async (own) => {
        await attempt(own);
        const evil = new SigningKey('RS256');
        const most = allowance(3, 10);
        const forge = () => logout(logoutToken(own.op, (c) => c,
            { key: evil, header: { kid: junk() } }));
        own.op.requests = [];
        await flood(own.at.port('main'), 200, forge);
        assert.ok(own.op.calls('jwks').length <= most());

        own.op.keys = [new SigningKey('RS256')];
        assertLoggedIn((await attempt(own)).answer);
    }));
