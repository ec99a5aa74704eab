// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// bff_csrf auto, the default: a request with a session must show that it comes
// from this site's own pages. The table is section 5 of the contract.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, assertRefused, kKey } from '../lib/checks.mjs';
import { connect } from '../lib/raw.mjs';
import { stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_samesite none;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /ws/ {
            bff corp;
            proxy_pass http://${api.address};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
        }
    }
`, { ready: async (s) => {
    b = s.browser();
    await b.login('/');
} });

let b;

const own = () => b.origin;
const page = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };

// [what, method, headers]: enough to go through.
const kPass = [
    ['the header alone', 'GET', { 'X-CSRF': '1' }],
    ['the header alone, POST', 'POST', { 'X-CSRF': '1' }],
    ['Sec-Fetch-Site: same-origin alone', 'GET',
        { 'Sec-Fetch-Site': 'same-origin' }],
    ['Sec-Fetch-Site: same-origin alone, POST', 'POST',
        { 'Sec-Fetch-Site': 'same-origin' }],
    ['the own Origin alone', 'GET', { Origin: own }],
    ['the own Origin alone, POST', 'POST', { Origin: own }],
    ['a page that was typed', 'GET', { ...page, 'Sec-Fetch-Site': 'none' }],
    ['a link of another site', 'GET', { ...page,
        'Sec-Fetch-Site': 'cross-site' }],
    ['a link of a sibling', 'GET', { ...page, 'Sec-Fetch-Site': 'same-site' }],
    ['an old browser\'s page', 'GET', { Accept: 'text/html' }],
    ['a form of our own page', 'POST', { ...page, Origin: own,
        'Sec-Fetch-Site': 'same-origin' }],
    ['the header from a sibling\'s worker that names our Origin', 'POST',
        { 'X-CSRF': '1', Origin: own, 'Sec-Fetch-Site': 'same-site' }],
];

// [what, method, headers]: refused, whatever else is there.
const kRefused = [
    ['BFF-10: nothing at all', 'GET', {}],
    ['BFF-10: a POST without anything', 'POST', {}],
    ['BFF-10: an image', 'GET', { 'Sec-Fetch-Site': 'cross-site',
        'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }],
    ['BFF-10: a foreign form', 'POST', { ...page,
        Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' }],
    ['BFF-10: a foreign form without Origin', 'POST', { ...page,
        'Sec-Fetch-Site': 'cross-site' }],
    ['BFF-11: the header with a wrong value', 'GET', { 'X-CSRF': '2' }],
    ['BFF-11: the header empty', 'GET', { 'X-CSRF': '' }],
    ['the header, but a foreign Origin', 'GET', { 'X-CSRF': '1',
        Origin: 'https://evil.test' }],
    ['the header, but Origin null', 'POST', { 'X-CSRF': '1', Origin: 'null' }],
    ['the header, but cross-site', 'GET', { 'X-CSRF': '1',
        'Sec-Fetch-Site': 'cross-site' }],
    ['the own Origin, but cross-site', 'POST', { Origin: own,
        'Sec-Fetch-Site': 'cross-site' }],
    ['BFF-13: a sibling that sends the header', 'POST', { 'X-CSRF': '1',
        Origin: 'https://other.shop.test', 'Sec-Fetch-Site': 'same-site' }],
    ['BFF-13: a sibling without Origin', 'GET', {
        'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'cors' }],
    ['another port of this host', 'GET', { Origin: 'https://shop.test:1',
        'X-CSRF': '1' }],
    ['another scheme of this host', 'GET', { 'X-CSRF': '1',
        Origin: () => own().replace('https', 'http') }],
    ['an Origin with our own in front', 'GET', { 'X-CSRF': '1',
        Origin: () => `${own()}.evil.test` }],
    ['an Origin with a path', 'GET', { 'X-CSRF': '1',
        Origin: () => `${own()}/` }],
    ['our own Origin in upper case', 'GET', { 'X-CSRF': '1',
        Origin: () => own().toUpperCase() }],
    ['our own Origin with a dot behind', 'GET', { 'X-CSRF': '1',
        Origin: () => own().replace('.test', '.test.') }],
    ['our own Origin behind a user', 'GET', { 'X-CSRF': '1',
        Origin: () => own().replace('//', '//shop@') }],
    ['two Origins in one line', 'GET', { 'X-CSRF': '1',
        Origin: () => `${own()} https://evil.test` }],
    ['two Origin lines, both our own', 'GET', { 'X-CSRF': '1',
        Origin: () => [own(), own()] }],
    ['an empty Origin', 'POST', { 'X-CSRF': '1', Origin: '' }],
    ['a preflight of a stranger', 'OPTIONS', { Origin: 'https://evil.test',
        'Access-Control-Request-Method': 'POST',
        'Sec-Fetch-Site': 'cross-site' }],
    ['HEAD without anything', 'HEAD', {}],
    ['DELETE without anything', 'DELETE', {}],
];

function made(headers) {
    return Object.fromEntries(Object.entries(headers).map(([k, v]) =>
        [k, typeof v === 'function' ? v() : v]));
}

for (const [what, method, headers] of kPass) {
    test(`passes: ${what}`, async () => {
        const answer = await b.request('/api/x', { method,
            headers: made(headers) });
        assert.equal(answer.status, 200, answer.body);
        assert.equal(s.api.last.all('authorization').length, 1);
    });
}

for (const [what, method, headers] of kRefused) {
    test(`403 csrf and nothing goes upstream: ${what}`, async () => {
        const seen = await s.api.during(async () => {
            const answer = await b.request('/api/x', { method,
                headers: made(headers) });
            assert.equal(answer.status, 403, answer.body);
            assert.equal(answer.headers['access-control-allow-origin'],
                undefined);

            if (method !== 'HEAD') {
                assertRefused(answer, 403, method === 'OPTIONS' ? '' : 'csrf');
            }
        });
        assert.deepEqual(seen, []);
    });
}

test('the refusal is a problem for a script', async () => {
    assertProblem(await b.request('/api/x', { headers: { Accept: '*/*' } }),
        403, 'csrf');
});

test('without a session the answer is that of bff_unauthenticated', async () => {
    const answer = await s.browser().request('/api/x', { headers: {
        Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' } });
    assertProblem(answer, 401, 'no_session');
});

test('session and user with a cookie need it as well', async () => {
    for (const target of ['/bff/session', '/bff/user']) {
        assertProblem(await b.request(target), 403, 'csrf');
        assertProblem(await b.request(target, { headers: {
            'X-CSRF': '1', Origin: 'https://evil.test' } }), 403, 'csrf');
        assert.equal((await b.request(target,
            { headers: { 'X-CSRF': '1' } })).status, 200);
    }
});

test('session without a cookie does not need it', async () => {
    assert.equal((await s.browser().request('/bff/session')).status, 200);
});

test('RIL-1: POST logout needs it, with a cookie and without', async () => {
    for (const browser of [b, s.browser()]) {
        assertProblem(await browser.request('/bff/logout', { method: 'POST' }),
            403, 'csrf');
    }

    assert.equal((await b.session()).authenticated, true);
});

test('GET login needs nothing, also with a session and from elsewhere',
    async () => {
        const answer = await b.clone().request('/bff/login', { headers: {
            'Sec-Fetch-Site': 'cross-site', ...page } });
        assert.equal(answer.status, 302);
    });

function upgrade(origin) {
    return 'GET /ws/x HTTP/1.1\r\n'
        + `Host: ${new URL(b.origin).host}\r\n${origin}`
        + `Cookie: ${b.jar.header(new URL(b.origin))}\r\nX-CSRF: 1\r\n`
        + 'Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: websocket\r\n'
        + 'Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
}

async function upgraded(origin) {
    const socket = connect(s.at.port('main'), 'shop.test');
    let text = '';
    socket.on('data', (data) => { text += data; });
    socket.on('error', () => {});
    socket.write(upgrade(origin));
    await until('an answer to the upgrade', () => /^HTTP\/1\.1 \d+/.test(text));
    socket.destroy();
    return Number(/^HTTP\/1\.1 (\d+)/.exec(text)[1]);
}

test('a WebSocket upgrade needs the Origin, and the right one', async () => {
    assert.equal(await upgraded(`Origin: ${own()}\r\n`), 101);
    assert.equal(await upgraded(''), 403);
    assert.equal(await upgraded('Origin: https://evil.test\r\n'), 403);
    assert.equal(await upgraded('Origin: null\r\n'), 403);
});
