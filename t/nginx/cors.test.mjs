// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Pages of another origin: which answers they may read (BFF-12, BFF-30).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Http2 } from '../lib/browser.mjs';
import { kKey } from '../lib/checks.mjs';
import { assertNotReadable, assertReadable, kOthers, kTrusted, lines, varies }
    from '../lib/cors.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_samesite none;
    }

    bff_provider away {
        issuer http://127.0.0.1:1;
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        endpoints_path /away/;
    }

    proxy_cache_path ${at.prefix}/cache keys_zone=cache:1m;

    server {
        listen ${at.tls('main', 'http2')};
        root ${at.prefix}/www;
        bff_trusted_origin https://one.example.com ${kTrusted};

        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /strict/ { bff corp; bff_csrf strict; }
        location /files/ { bff corp; }
        location /open/ { proxy_pass http://${api.address}; }
        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
        location /cached/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_cache cache;
            proxy_cache_valid any 1h;
            proxy_cache_key $uri;
            proxy_pass http://${api.address};
        }
        location /nobody/ { bff corp; proxy_pass http://127.0.0.1:1; }
        location /small/ {
            bff corp;
            client_max_body_size 1;
            proxy_pass http://${api.address};
        }
        location /gzip/ {
            bff corp;
            gzip on;
            gzip_vary on;
            gzip_min_length 1;
            gzip_types application/json;
            proxy_pass http://${api.address};
        }
        location /accel/ { bff corp; proxy_pass http://${api.address}; }
        location /inside/ { internal; alias ${at.prefix}/www/files/; }
        location /redirect/ { bff corp; bff_unauthenticated redirect; }
        location /lost/ { bff away; }
    }

    server {
        listen ${at.tls('nobody-trusted')};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
    }

    server {
        listen ${at.tls('pages')};
        bff corp;
        bff_trusted_origin ${kTrusted};
        error_page 400 401 403 404 503 @oops;
        location / { proxy_pass http://${api.address}; }
        location @oops { bff off; return 200 "our page"; }
    }

    server {
        listen ${at.tls('own-location')};
        location / { return 200 home; }
        location /api/ { bff corp; }
        location /bff/ {
            bff_endpoints corp;
            bff_trusted_origin ${kTrusted};
        }
    }
`, { prepare: ({ at }) => at.file('www/files/x.txt', 'protected file'),
    ready: async (s) => {
        b = s.browser();
        await b.login('/');
    } });

let b;

const own = () => b.origin;
const origin = (value) => ({ 'X-CSRF': '1', Origin: value,
    'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-site' });

async function answering(answer, action) {
    s.api.answer = answer;
    try {
        await action();
    } finally {
        s.api.answer = () => ({});
    }
}

// --- what goes through ---

for (const one of [kTrusted, 'https://one.example.com']) {
    test(`BFF-12: the API's answer is readable for ${one}`, async () => {
        for (const method of ['GET', 'POST', 'HEAD']) {
            const answer = await b.request('/api/x', { method,
                headers: origin(one) });
            assert.equal(answer.status, 200);
            assertReadable(answer, one);
        }
    });
}

test('section 5: what a browser calls cross-site is refused, readably', async () => {
    const answer = await b.request('/api/x', { headers:
        { ...origin(kTrusted), 'Sec-Fetch-Site': 'cross-site' } });
    assert.equal(answer.status, 403);
    assert.equal(answer.json().code, 'csrf');
    assertReadable(answer, kTrusted);
});

test('nobody else gets CORS headers, and caches learn why', async () => {
    for (const headers of [{}, { Origin: own() }]) {
        const answer = await b.request('/api/x', { headers: { 'X-CSRF': '1',
            ...headers } });
        assert.equal(answer.status, 200);
        assertNotReadable(answer);
    }
});

test('where nobody is trusted nothing is added and nothing taken away',
    async () => answering(() => ({ headers: { Vary: 'Accept',
        'Access-Control-Allow-Origin': 'https://of.the.api' } }), async () => {
        const other = s.browser('nobody-trusted');
        await other.login('/');
        for (const path of ['/api/x', '/pass/x']) {
            const answer = await other.api(path);
            assert.deepEqual(varies(answer), ['accept']);
            assert.deepEqual(lines(answer, 'access-control-allow-origin'),
                ['https://of.the.api']);
            assert.deepEqual(
                lines(answer, 'access-control-allow-credentials'), []);
        }
    }));

// [what, the API's headers, fields of Vary]
const kApiHeaders = [
    ['*', { 'Access-Control-Allow-Origin': '*' }, ['origin']],
    ['a stranger', { 'access-control-allow-origin': 'https://evil.test',
        'ACCESS-CONTROL-ALLOW-CREDENTIALS': 'false' }, ['origin']],
    ['the same', { 'Access-Control-Allow-Origin': kTrusted,
        'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' },
    ['origin']],
    ['a Vary', { Vary: 'Accept-Encoding, X-Lang' },
        ['accept-encoding', 'x-lang', 'origin']],
    ['a Vary that has it', { Vary: 'accept , ORIGIN' }, ['accept', 'origin']],
];

for (const [what, headers, vary] of kApiHeaders) {
    test(`the API's own CORS headers do not count: ${what}`, () =>
        answering(() => ({ headers: { ...headers,
            'Access-Control-Expose-Headers': 'X-Total' } }), async () => {
            const answer = await b.request('/api/x',
                { headers: origin(kTrusted) });
            assertReadable(answer);
            assert.deepEqual(varies(answer), vary);
            assert.equal(answer.headers['access-control-expose-headers'],
                'X-Total');

            const other = await b.request('/api/x',
                { headers: { 'X-CSRF': '1' } });
            assert.deepEqual(lines(other, 'access-control-allow-origin'), []);
            assert.deepEqual(lines(other, 'access-control-allow-credentials'),
                []);
            assert.deepEqual(varies(other), vary);
        }));
}

test('Vary: * says enough', () => answering(() => ({ headers: { Vary: '*' } }),
    async () => {
        const answer = await b.request('/api/x', { headers: origin(kTrusted) });
        assert.deepEqual(varies(answer), ['*']);
    }));

test('BFF-12: an answer to no session is readable for the same origins',
    () => answering(() => ({ headers: { 'Access-Control-Allow-Origin': '*' } }),
        async () => {
            const nobody = s.browser();
            assertReadable(await nobody.request('/pass/x',
                { headers: origin(kTrusted) }));
            for (const other of kOthers) {
                assertNotReadable(await nobody.request('/pass/x',
                    { headers: origin(other) }));
            }
            assertNotReadable(await nobody.request('/pass/x', { headers: {
                ...origin(kTrusted), Origin: [kTrusted, kTrusted] } }));
        }));

test('an open location keeps what the API says', () =>
    answering(() => ({ headers: { 'Access-Control-Allow-Origin': '*' } }),
        async () => {
            const answer = await b.request('/open/x',
                { headers: origin(kTrusted) });
            assert.deepEqual(lines(answer, 'access-control-allow-origin'),
                ['*']);
            assert.deepEqual(varies(answer), []);
        }));

test('a cached answer is readable for each by its own name', () =>
    answering(() => ({ headers: { 'Cache-Control': 'max-age=60',
        'Access-Control-Allow-Origin': 'https://of.the.api' } }), async () => {
        const nobody = s.browser();
        const seen = await s.api.during(async () => {
            for (const one of [kTrusted, 'https://one.example.com']) {
                assertReadable(await nobody.request('/cached/x',
                    { headers: origin(one) }), one);
            }
            assertNotReadable(await nobody.request('/cached/x',
                { headers: origin('https://evil.test') }));
        });
        assert.equal(seen.length, 1);
    }));

// [what, target, options, what the API answers, status]
const kStatuses = [
    ['an error of the API', '/api/x', {}, { status: 500 }, 500],
    ['a 401 of the API', '/api/x', {}, { status: 401 }, 401],
    ['204 of the API', '/api/x', { method: 'POST' },
        { status: 204, body: '' }, 204],
    ['a redirect of the API', '/api/x', {},
        { status: 302, headers: { Location: '/y' } }, 302],
    ['304 of the API', '/api/x', { headers: { 'If-None-Match': '"a"' } },
        { status: 304, body: '', headers: { ETag: '"a"' } }, 304],
    ['304 of a file', '/files/x.txt', { headers: { 'If-None-Match': '*' } },
        {}, 304],
    ['a file', '/files/x.txt', {}, {}, 200],
    ['a part of a file', '/files/x.txt', { headers: { Range: 'bytes=0-3' } },
        {}, 206],
    ['a file that is not there', '/files/none.txt', {}, {}, 404],
    ['an API that is away', '/nobody/x', {}, {}, 502],
    ['a body that is too large', '/small/x', { method: 'POST', body: 'abc',
        headers: { 'Content-Length': 3 } }, {}, 413],
    ['a file by X-Accel-Redirect', '/accel/x', {},
        { headers: { 'X-Accel-Redirect': '/inside/x.txt' } }, 200],
];

for (const [what, target, options, answer, status] of kStatuses) {
    test(`readable as well: ${what}`, () => answering(() => answer,
        async () => {
            const seen = await b.request(target, { ...options,
                headers: { ...origin(kTrusted), ...options.headers } });
            assert.equal(seen.status, status, seen.body);
            assertReadable(seen);
        }));
}

test('gzip_vary and Vary: Origin stand side by side', async () => {
    const answer = await b.request('/gzip/x', { headers: {
        ...origin(kTrusted), 'Accept-Encoding': 'gzip' } });
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assertReadable(answer);
    assert.deepEqual(varies(answer).sort(), ['accept-encoding', 'origin']);
});

test('the same over HTTP/2', async () => {
    const h2 = new Http2(b.origin);
    const ask = (path, headers) => h2.ask(path, { 'x-csrf': '1',
        cookie: b.jar.header(new URL(b.origin)), ...headers });
    try {
        for (const path of ['/api/x', '/bff/session']) {
            const answer = await ask(path, { origin: kTrusted });
            assert.equal(answer.status, 200);
            assert.equal(answer.headers['access-control-allow-origin'],
                kTrusted);
        }
        const answer = await ask('/api/x', { ':method': 'OPTIONS',
            origin: kTrusted, 'access-control-request-method': 'PUT' });
        assert.equal(answer.status, 204);
        assert.equal(answer.headers['access-control-allow-methods'], 'PUT');
    } finally {
        await h2.close();
    }
});

// --- the module's own answers ---

const failing = (change) => async (headers) =>
    (await attempt(s, { change, callback: { headers } })).answer;
const asked = (target, options = {}, browser = () => s.browser()) =>
    (headers) => browser().request(target, { ...options,
        headers: { ...headers, ...options.headers } });
const user = () => b.clone();
const loggedOut = async (headers) => {
    const browser = s.browser();
    await browser.login('/');
    const answer = await browser.clone().request('/bff/logout',
        { method: 'POST', headers });
    return [answer, browser];
};

// [what, (headers) => answer, status, code]
const kAnswers = [
    ['session, without one', asked('/bff/session'), 200],
    ['session', asked('/bff/session', {}, user), 200],
    ['user', asked('/bff/user', {}, user), 200],
    ['logout', async (headers) => (await loggedOut(headers))[0], 200],
    ['login', asked('/bff/login'), 302],
    ['a redirect to log in', asked('/redirect/x'), 302],
    ['no_session', asked('/api/x'), 401, 'no_session'],
    ['no_session at user', asked('/bff/user'), 401, 'no_session'],
    ['a cookie that is none', asked('/api/x', { cookies:
        '__Host-Http-bff-corp=AAAA' }), 401, 'no_session'],
    ['csrf', asked('/strict/x', { headers: { 'X-CSRF': '2' } }, user), 403,
        'csrf'],
    ['csrf at GET logout', asked('/bff/logout?sid=none', {}, user), 403,
        'csrf'],
    ['bad_return_url', asked('/bff/login?returnUrl=https://evil.test'), 400,
        'bad_return_url'],
    ['bad_request', asked('/bff/login?max_age=old'), 400, 'bad_request'],
    ['404', asked('/bff/nothing'), 404, 'bad_request'],
    ['405', asked('/bff/session', { method: 'DELETE' }), 405, 'bad_request'],
    ['413', asked('/bff/logout', { method: 'POST', body: 'x'.repeat(16385),
        headers: { 'Content-Length': 16385 } }), 413, 'bad_request'],
    ['login_expired', asked('/bff/callback?code=a&state=b'), 400,
        ['login_expired', 'state_mismatch']],
    ['state_mismatch', failing((q) => q.set('state', 'other')), 400,
        ['login_expired', 'state_mismatch']],
    ['issuer_mismatch', failing((q) => q.set('iss', 'https://evil.test')), 400,
        'issuer_mismatch'],
    ['login_refused', failing((q) => {
        q.delete('code');
        q.set('error', 'access_denied');
    }), 403, 'login_refused'],
    ['code_rejected', failing((q) => q.set('code', 'other')), 502,
        'code_rejected'],
    ['id_token_invalid', async (headers) => {
        s.op.claims = (usual) => ({ ...usual, nonce: 'other' });
        return failing(() => {})(headers);
    }, 502, 'id_token_invalid'],
    ['provider_misconfigured', async (headers) => {
        s.op.tokenAnswer = () => ({ access_token: 1 });
        return failing(() => {})(headers);
    }, 502, ['provider_misconfigured', 'code_rejected', 'id_token_invalid']],
    ['provider_unavailable', asked('/away/login'), 503,
        'provider_unavailable'],
    ['session_revoked', async (headers) => {
        const [, browser] = await loggedOut(headers);
        return browser.request('/api/x', { headers });
    }, 401, 'session_revoked'],
    ['session_expired', async (headers) => {
        s.op.expiresIn = 0;
        s.op.refreshToken = null;
        const browser = s.browser();
        await browser.login('/');
        return browser.request('/api/x', { headers });
    }, 401, 'session_expired'],
];

for (const [what, ask, status, code] of kAnswers) {
    test(`BFF-12: the module's answer is readable for a trusted origin: ${
        what}`, async () => {
        const answer = await ask(origin(kTrusted));
        assert.equal(answer.status, status, answer.body);
        assert.match(answer.headers['cache-control'], /no-store/);
        assertReadable(answer);
        if (code) {
            assert.ok([code].flat().includes(answer.json().code), answer.body);
        }
    });
}

test('BFF-12: no other origin may read an error', async () => {
    for (const other of kOthers) {
        assertNotReadable(await b.request('/api/x', { headers: origin(other) }));
        for (const target of ['/api/x', '/bff/user', '/bff/nothing']) {
            assertNotReadable(await s.browser().request(target,
                { headers: origin(other) }));
        }
    }
    for (const headers of [{}, { Origin: own() }]) {
        assertNotReadable(await s.browser().request('/bff/session',
            { headers }));
    }
});

test('where nobody is trusted the module\'s answers are as ever', async () => {
    const other = s.browser('nobody-trusted');
    for (const target of ['/api/x', '/bff/user', '/bff/session']) {
        for (const one of [kTrusted, 'null', other.origin]) {
            assertNotReadable(await other.request(target,
                { headers: { Origin: one } }), false);
        }
    }
});

test('error_page: the page that stands for an error is readable as well',
    async () => {
        const other = s.browser('pages');
        for (const [target, options] of [['/x', {}],
            ['/bff/user', {}], ['/bff/nothing', {}],
            ['/bff/login?returnUrl=//evil.test', {}]]) {
            const answer = await other.request(target, { ...options,
                headers: origin(kTrusted) });
            assert.equal(answer.body, 'our page');
            assertReadable(answer);
            assertNotReadable(await other.request(target, { ...options,
                headers: origin('https://evil.test') }));
        }
    });

test('the endpoints\' own location has its own list', async () => {
    const other = s.browser('own-location');
    assertReadable(await other.request('/bff/session',
        { headers: origin(kTrusted) }));
    assertNotReadable(await other.request('/api/x',
        { headers: origin(kTrusted) }), false);
});
