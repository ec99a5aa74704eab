// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// New tokens for a session: when they are asked for, what the API and the
// browser get, and what every answer of the provider does to the session.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertHidden, assertProblem, kKey, sessionCookiesSet }
    from '../lib/checks.mjs';
import { stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const site = (at, api, name, more = '') => `
    server {
        listen ${at.tls(name)};
        location / { root ${at.prefix}/html; }
        location /api/ { bff ${name}; ${more} proxy_pass http://${api.address}; }
        location /none/ { bff ${name}; root ${at.prefix}/html; }
        location /page/ { bff ${name}; root ${at.prefix}/html; }
        location /pass/ {
            bff ${name};
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
        location /socket {
            bff ${name};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_pass http://${api.address};
        }
    }
`;

const block = (op, name, more) => `
    bff_provider ${name} {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_name __Host-Http-bff-corp;
        ${more}
    }
`;

// late refreshes only a token that has ended.
const s = stage(({ op, api, at }) => {
    at.file('html/index.html', 'home');
    at.file('html/page/index.html', 'page');
    return `
        proxy_cache_path ${at.prefix}/cache keys_zone=answers:1m;
        ${block(op, 'main', '')}
        ${block(op, 'late', 'refresh_before 0s; timeout 2s;')}
        ${block(op, 'kept', 'session_store zone=kept:1m;')}
        ${site(at, api, 'main')}
        ${site(at, api, 'kept')}
        ${site(at, api, 'late')}
    `;
}, { workers: 2 });

// A browser whose access token lives so long; those after it live an hour.
async function loggedIn(seconds, name = 'main') {
    s.op.expiresIn = seconds;
    const browser = s.browser(name);
    await browser.login('/');
    s.op.expiresIn = 3600;
    s.op.requests = [];
    s.api.requests = [];
    s.api.answer = () => ({});
    return browser;
}

const sentToken = () => s.api.last.header('authorization');
const bearer = () => `Bearer ${s.op.tokens.access_token}`;
const refreshes = () => s.op.calls('token').length;

// The provider's answers wait until they are let go.
function held() {
    const waiting = [];
    s.op.wire.token = (...args) => waiting.push(args);
    return { waiting, letGo: () => {
        s.op.wire.token = wire.plain;
        waiting.splice(0).forEach((args) => wire.plain(...args));
    } };
}

test('BFF-26 RT-1 RT-7: a token that has ended is renewed before the '
    + 'request goes on',
    async () => {
        const browser = await loggedIn(0);
        const old = { ...s.op.tokens };
        const answer = await browser.api('/api/cart');

        assert.equal(answer.status, 200);
        assert.equal(refreshes(), 1);
        const { form, headers } = s.op.calls('token')[0];
        assert.deepEqual([...form], [['grant_type', 'refresh_token'],
            ['refresh_token', old.refresh_token]]);
        assert.match(headers.authorization, /^Basic /);
        assert.notEqual(s.op.tokens.access_token, old.access_token);
        assert.equal(sentToken(), bearer());
    });

// --- an API that does not take the token ---

const refusal = (challenge) => () => ({ status: 401,
    headers: { 'WWW-Authenticate': challenge } });
const kInvalid = 'Bearer realm="api", error="invalid_token"';

test('RT-7: a token that the API does not take is replaced', async () => {
    const browser = await loggedIn(3600);
    const first = bearer();
    s.api.answer = refusal(kInvalid);
    const refused = await browser.api('/api/cart');
    assert.equal(refused.status, 401);
    assert.equal(refused.headers['www-authenticate'], kInvalid);

    s.api.answer = () => ({});
    await until('the new token to be used', async () => {
        assert.equal((await browser.api('/api/cart')).status, 200);
        return sentToken() !== first;
    });
    assert.equal(sentToken(), bearer());
    assert.equal(refreshes(), 1);
});

test('RT-7: an API that takes none causes one refresh, and no loop',
    async () => {
        const browser = await loggedIn(3600);
        s.api.answer = refusal(kInvalid);
        await browser.api('/api/cart');
        await until('the refresh', () => refreshes() === 1);
        for (let i = 0; i < 10; i++) {
            assert.equal((await browser.api('/api/cart')).status, 401);
        }
        assert.equal(refreshes(), 1);
    });

test('RT-7: a token that the API does not take any more, since there is a '
    + 'newer one, is not replaced again',
async () => {
    const browser = await loggedIn(3600, 'kept');
    for (let i = 0; i < 20; i++) { // each worker has seen it before
        await browser.api('/api/cart');
    }

    let letGo;
    const after = new Promise((resolve) => { letGo = resolve; });
    s.api.answer = () => ({ ...refusal(kInvalid)(), after });
    const { length } = s.api.requests;
    const slow = browser.clone().api('/api/cart');
    await until('the request', () => s.api.requests.length > length);
    s.api.answer = () => ({});
    assert.equal((await post(browser)).status, 204);
    letGo();
    assert.equal((await slow).status, 401);

    for (let i = 0; i < 20; i++) {
        assert.equal((await browser.api('/api/cart')).status, 200);
    }
    assert.equal(sentToken(), bearer());
    assert.equal(refreshes(), 1);
});

for (const challenge of ['Bearer realm="api"', 'Basic realm="api"',
    'Bearer error="insufficient_scope"']) {
    test(`RT-7: ${challenge} does not ask for another token`, async () => {
        const browser = await loggedIn(3600);
        const first = bearer();
        s.api.answer = refusal(challenge);
        await browser.api('/api/cart');
        for (let i = 0; i < 5; i++) {
            await browser.api('/api/cart');
            assert.equal(sentToken(), first);
        }
        assert.equal(refreshes(), 0);
    });
}

test('RT-8: the new cookie rides on the response that took part', async () => {
    const browser = await loggedIn(0);
    const answer = await browser.api('/api/cart');
    assert.equal(sessionCookiesSet(answer).length, 1);
    assert.equal(answer.headers['cache-control'], 'private');

    const again = await browser.api('/api/cart');
    assert.deepEqual(again.setCookies, []);
    assert.equal(again.headers['cache-control'], undefined);
    assert.equal(sentToken(), bearer());
    assert.equal(refreshes(), 1);
});

test('RT-4: each refresh uses the refresh token of the one before', async () => {
    const browser = await loggedIn(0);
    s.op.expiresIn = 0;

    for (let i = 1; i <= 4; i++) {
        const { refresh_token: last } = s.op.tokens;
        assert.equal((await browser.api('/api/cart')).status, 200);
        assert.equal(refreshes(), i);
        assert.equal(s.op.calls('token').at(-1).form.get('refresh_token'), last);
    }
});

test('RT-4: a provider that does not rotate is asked with the same one',
    async () => {
        s.op.rotates = false;
        const browser = await loggedIn(0);
        s.op.expiresIn = 0;
        s.op.refreshAnswer = ({ refresh_token, ...usual }) => usual;
        await browser.api('/api/cart');
        await browser.api('/api/cart');
        const [one, two] = s.op.calls('token');
        assert.equal(two.form.get('refresh_token'),
            one.form.get('refresh_token'));
    });

test('RT-2: without a new ID token the session keeps its claims', async () => {
    s.op.refreshedIdToken = false;
    const browser = await loggedIn(0);
    const before = await browser.session();
    assert.equal((await browser.api('/api/cart')).status, 200);
    const after = await browser.session();
    assert.deepEqual(after.claims, before.claims);
    assert.ok(after.access_token_expires_in > 3500);
});

test('RT-3: claims of a new ID token take the place of the old', async () => {
    const browser = await loggedIn(0);
    s.op.claims = (usual) => ({ ...usual, name: 'Countess Lovelace',
        nonce: undefined });
    assert.equal((await browser.api('/api/cart')).status, 200);
    assert.equal((await browser.session()).claims.name, 'Countess Lovelace');
});

// [what is wrong, change]
for (const [what, change] of [
    ['sub', (c) => ({ ...c, sub: 'user-2' })],
    ['iss', (c) => ({ ...c, iss: 'https://evil.test' })],
    ['aud', (c) => ({ ...c, aud: 'another' })],
    ['nonce', (c) => ({ ...c, nonce: 'x'.repeat(43) })],
    ['auth_time', (c) => ({ ...c, auth_time: c.auth_time - 60 })],
    ['iat', (c) => ({ ...c, iat: c.iat - 3600 })],
]) {
    test(`RT-3: an ID token with another ${what} ends the session`, async () => {
        const browser = await loggedIn(0);
        const secrets = Object.values(s.op.tokens);
        const mark = s.nginx.mark();
        s.op.claims = change;
        const answer = await browser.api('/api/cart');

        assertProblem(answer, 401, 'session_expired');
        assert.equal(s.api.requests.length, 0);
        assert.equal((await browser.session()).authenticated, false);
        assert.match(s.nginx.log(mark), new RegExp(
            `session ended at its refresh: ID token .*"${what}"`));
        assertHidden(answer, [...secrets, ...Object.values(s.op.tokens)]);
        for (const secret of secrets) {
            assert.ok(!s.nginx.log(mark).includes(secret));
        }
    });
}

test('BFF-27 RT-6: invalid_grant ends the session', async () => {
    const browser = await loggedIn(0);
    s.op.forgetRefreshTokens();
    const old = browser.clone();
    assertProblem(await browser.api('/api/cart'), 401, 'session_expired');
    assert.equal((await browser.session()).authenticated, false);
    assert.equal(s.api.requests.length, 0);

    // who still has the cookie is told without asking again
    assertProblem(await old.api('/api/cart'), 401, 'session_expired');
    assert.equal(refreshes(), 1);
});

test('RT-6: a page navigation whose session has ended goes to login',
    async () => {
        const browser = await loggedIn(0);
        s.op.forgetRefreshTokens();
        const answer = await browser.navigate('/page/',
            { from: 'same-origin', follow: false });
        assert.equal(answer.status, 302);
        assert.match(answer.headers.location, /\/authorize\?/);
    });

for (const [what, spoil, status, code] of [
    ['is away', () => s.op.refuse('token'), 503, 'provider_unavailable'],
    ['answers 500', () => { s.op.refreshAnswer = () =>
        ({ status: 500, body: '' }); }, 503, 'provider_unavailable'],
    ['answers 429', () => { s.op.refreshAnswer = () =>
        ({ status: 429, body: '' }); }, 503, 'provider_unavailable'],
    ['says invalid_client', () => { s.op.refreshAnswer = () =>
        ({ status: 401, body: '{"error":"invalid_client"}' }); }, 502,
    'provider_misconfigured'],
    ['sends no JSON', () => { s.op.refreshAnswer = () =>
        ({ status: 200, body: '<html>' }); }, 502, 'provider_misconfigured'],
    ['resets the answer', () => { s.op.wire.token = wire.resetBefore; }, 503,
        'provider_unavailable'],
    ['is silent', () => { s.op.wire.token = wire.silent; }, 503,
        'provider_unavailable'],
]) {
    test(`RT-6: a provider that ${what} ends no session`, async () => {
        const browser = await loggedIn(0, 'late');
        await spoil();
        const answer = await browser.api('/api/cart');
        assertProblem(answer, status, code);
        assert.deepEqual(answer.setCookies, []);
        assert.equal(s.api.requests.length, 0);
        assert.equal((await browser.session()).authenticated, true);

        // it comes back, and knows the old refresh token
        await s.op.accept('token');
        s.op.wire = {};
        s.op.rotates = false;
        s.op.refreshAnswer = (usual) => usual;
        assert.equal((await browser.api('/api/cart')).status, 200);
        assert.equal(sentToken(), bearer());
    });
}

test('RT-7: near its end the old token is used while it is renewed', async () => {
    const browser = await loggedIn(20);
    const old = bearer();
    const gate = held();

    for (let i = 0; i < 5; i++) {
        const answer = await browser.api('/api/cart');
        assert.equal(answer.status, 200);
        assert.equal(sentToken(), old);
        assert.deepEqual(answer.setCookies, []);
    }
    await until('the refresh', () => gate.waiting.length > 0);
    assert.equal(refreshes(), 1);

    gate.letGo();
    const answer = await until('the new token', async () => {
        const next = await browser.api('/api/cart');
        return sentToken() !== old && next;
    });
    assert.equal(sentToken(), bearer());
    assert.equal(sessionCookiesSet(answer).length, 1);
    assert.equal(refreshes(), 1);
});

test('RT-8: a response that is made while tokens come has them', async () => {
    const browser = await loggedIn(20);
    let reply;
    s.api.answer = () => ({});
    const serving = new Promise((resolve) => { reply = resolve; });
    // the API takes its time until the provider has answered
    s.op.wire.token = (...args) => { wire.plain(...args); reply(); };
    const [answer] = await Promise.all([
        until('a response with the new cookie', async () => {
            const one = await browser.api('/api/cart');
            return sessionCookiesSet(one).length > 0 && one;
        }), serving]);
    assert.equal(answer.status, 200);
    assert.equal(refreshes(), 1);
});

test('RT-7: in the leeway a provider that fails disturbs nobody', async () => {
    const browser = await loggedIn(20);
    const old = bearer();
    await s.op.refuse('token');

    for (let i = 0; i < 5; i++) {
        assert.equal((await browser.api('/api/cart')).status, 200);
        assert.equal(sentToken(), old);
    }
    await s.op.accept('token');
});

test('RT-7: a token that lives shorter than refresh_before is not renewed all '
    + 'the time', async () => {
    const browser = await loggedIn(0);
    s.op.expiresIn = 25;

    for (let i = 0; i < 10; i++) {
        assert.equal((await browser.api('/api/cart')).status, 200);
    }
    assert.equal(refreshes(), 1);
});

test('RT-5: who still carries the old cookie finds the new tokens', async () => {
    const browser = await loggedIn(0);
    const old = browser.clone();
    await browser.api('/api/cart');

    for (const path of ['/api/cart', '/bff/userinfo']) {
        const other = old.clone();
        const answer = await other.api(path);
        assert.equal(answer.status, 200);
        assert.equal(sessionCookiesSet(answer).length, 1);
        assert.equal((await other.api('/api/cart')).setCookies.length, 0);
    }
    assert.equal(sentToken(), bearer());
    assert.equal(refreshes(), 1);
});

test('RT-5: of 60 requests at the end of the token one asks the provider',
    async () => {
        const browser = await loggedIn(0);
        const answers = await Promise.all(Array.from({ length: 60 }, () =>
            browser.clone().api('/api/cart')));

        for (const answer of answers) {
            assert.equal(answer.status, 200);
            assert.equal(sessionCookiesSet(answer).length, 1);
        }
        assert.equal(refreshes(), 1);
        assert.ok(s.api.requests.every((r) =>
            r.header('authorization') === bearer()));
    });

test('RT-5: the refresh of a client that leaves is not lost', async () => {
    const browser = await loggedIn(0);
    const gate = held();
    const gone = new AbortController();
    const left = leave(browser, gone.signal);
    await until('the refresh', () => gate.waiting.length > 0);
    gone.abort();
    await left;
    gate.letGo();

    const answer = await browser.api('/api/cart');
    assert.equal(answer.status, 200);
    assert.equal(sentToken(), bearer());
    assert.equal(refreshes(), 1);
});

async function leave(browser, signal) {
    const https = await import('node:https');
    const url = new URL('/api/cart', browser.origin);

    return new Promise((resolve) => {
        const request = https.get({ host: '127.0.0.1', port: url.port,
            path: url.pathname, signal, agent: false,
            rejectUnauthorized: false, headers: { Host: url.host,
                'X-CSRF': '1', Cookie: browser.jar.header(url) } });
        request.on('error', resolve);
        request.on('response', resolve);
    });
}

// Whatever kind of response it is.
const kKinds = {
    'an error of the API': { path: '/api/x', status: 500,
        answer: { status: 500, body: 'x' } },
    'a 304': { path: '/api/x', status: 304, answer: { status: 304, body: '' } },
    'a redirect': { path: '/api/x', status: 302,
        answer: { status: 302, headers: { Location: '/y' }, body: '' } },
    'a file': { path: '/page/index.html', status: 200 },
    'a file that is none': { path: '/none/x', status: 404 },
    'a location for everybody': { path: '/pass/x', status: 200 },
};

for (const [what, { path, status, answer }] of Object.entries(kKinds)) {
    test(`RT-8: new cookies ride on ${what}`, async () => {
        const browser = await loggedIn(0);
        s.api.answer = () => answer ?? {};
        const got = await browser.api(path);
        assert.equal(got.status, status);
        assert.equal(sessionCookiesSet(got).length, 1);
    });
}

test('RT-8: new cookies ride on an upgrade', async () => {
    const https = await import('node:https');
    const browser = await loggedIn(0);
    const url = new URL('/socket', browser.origin);
    const request = https.get({ host: '127.0.0.1', port: url.port,
        path: url.pathname, agent: false, rejectUnauthorized: false, headers: {
            Host: url.host, Origin: browser.origin, Connection: 'Upgrade',
            Upgrade: 'echo', Cookie: browser.jar.header(url) } });
    const [response, socket] = await new Promise((resolve, reject) => {
        request.on('upgrade', (...args) => resolve(args));
        request.on('response', (r) => reject(new Error(r.statusCode)));
        request.on('error', reject);
    });
    socket.destroy();
    assert.equal(response.statusCode, 101);
    assert.match(String(response.headers['set-cookie']),
        /__Host-Http-bff-corp=1/);
});

test('RT-7: userinfo with a token that has ended is asked with a new one',
    async () => {
        const browser = await loggedIn(0);
        const answer = await browser.api('/bff/userinfo');
        assert.equal(answer.status, 200);
        assert.equal(sessionCookiesSet(answer).length, 1);
        assert.equal(s.op.calls('userinfo')[0].headers.authorization, bearer());
    });

const post = (browser, headers = {}) =>
    browser.api('/bff/refresh', { method: 'POST', headers });

test('POST refresh: 204 and new cookies, due or not', async () => {
    const browser = await loggedIn(3600);
    const answer = await post(browser);
    assert.equal(answer.status, 204);
    assert.equal(answer.body, '');
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.equal(sessionCookiesSet(answer).length, 1);
    assertHidden(answer, Object.values(s.op.tokens));
    assert.equal(refreshes(), 1);

    assert.equal((await browser.api('/api/cart')).status, 200);
    assert.equal(sentToken(), bearer());

    assert.equal((await post(browser)).status, 204);
    assert.equal(refreshes(), 2);
});

test('RT-5: POST refresh with the old cookie finds the new tokens', async () => {
    const browser = await loggedIn(3600);
    const old = browser.clone();
    await post(browser);
    const answer = await post(old);
    assert.equal(answer.status, 204);
    assert.equal(sessionCookiesSet(answer).length, 1);
    assert.equal(refreshes(), 1);
});

test('RT-5: after POST refresh an API request with the old cookie finds them '
    + 'too', async () => {
    const browser = await loggedIn(3600);
    const old = browser.clone();
    await post(browser);
    assert.equal(sessionCookiesSet(await old.api('/api/cart')).length, 1);
    assert.equal(sentToken(), bearer());
});

test('POST refresh: 401 when the provider refuses, and the session is over',
    async () => {
        const browser = await loggedIn(3600);
        const copy = browser.clone();
        s.op.forgetRefreshTokens();
        assertProblem(await post(browser), 401, 'session_expired');
        assert.equal((await browser.session()).authenticated, false);

        // nor has a copy of the cookie one, though its token were good
        assertProblem(await copy.api('/api/cart'), 401, 'session_expired');
        assert.equal(s.api.requests.length, 0);
        assert.equal(refreshes(), 1);
    });

test('POST refresh: 503 when the provider is away, and the session stays',
    async () => {
        const browser = await loggedIn(3600);
        await s.op.refuse('token');
        assertProblem(await post(browser), 503, 'provider_unavailable');
        await s.op.accept('token');
        assert.equal((await browser.session()).authenticated, true);
        assert.equal((await browser.api('/api/cart')).status, 200);
    });

test('POST refresh: 401 without a session', async () => {
    assertProblem(await post(s.browser()), 401, 'no_session');
});

test('BFF-10: POST refresh of another site is refused', async () => {
    const browser = await loggedIn(3600);
    assertProblem(await post(browser, { Origin: 'https://evil.test',
        'Sec-Fetch-Site': 'cross-site' }), 403, 'csrf');
    assert.equal(refreshes(), 0);
});

test('POST refresh: 401 without a refresh token, and the session stays',
    async () => {
        s.op.refreshToken = null;
        const browser = await loggedIn(3600);
        assertProblem(await post(browser), 401, 'session_expired');
        assert.equal((await browser.session()).authenticated, true);
        assert.equal(refreshes(), 0);
    });

test('a token that has ended without a refresh token is no session',
    async () => {
        s.op.refreshToken = null;
        const browser = await loggedIn(0);
        assertProblem(await browser.api('/api/cart'), 401, 'session_expired');
        assert.equal(refreshes(), 0);
    });

test('RT-7: a new token without expires_in is used from then on', async () => {
    const browser = await loggedIn(0);
    s.op.refreshAnswer = ({ expires_in, ...usual }) => usual;
    await browser.api('/api/cart');
    await browser.api('/api/cart');
    assert.equal(sentToken(), bearer());
    assert.equal(refreshes(), 1);
});
