// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How a login begins: what the provider is asked, which cookie remembers it,
// and which addresses the browser may come back to.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, decodedText, kKey, kLoginCookie }
    from '../lib/checks.mjs';
import { parseSetCookie } from '../lib/cookie_jar.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    bff_provider fancy {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        scope "profile email";
        endpoints_path /fancy/;
        redirect_uri https://shop.test:${at.port('fancy')}/fancy/callback;
        extra_auth_args "audience=urn%3Aapi&tenant=$server_name";
        login_args prompt tenant_hint;
        pkce off;
    }

    server {
        listen ${at.tls()};
        server_name shop.test;
        location / { return 200 home; }
        location /page/ { bff corp; proxy_pass http://${api.address}; }
    }

    server {
        listen ${at.tls('fancy')};
        server_name fancy.shop.test;
        location / { bff fancy; proxy_pass http://${api.address}; }
    }
`);

const kState = /^[A-Za-z0-9_-]{22,128}$/;
const k256Bits = /^[A-Za-z0-9_-]{43}$/;

test('BFF-2 BFF-40 BCP-2 BCP-4 BCP-7: the request asks for a code, with '
    + 'state, nonce and S256',
    async () => {
        const b = s.browser();
        const url = await b.startLogin();
        const query = Object.fromEntries(url.searchParams);

        assert.equal(`${url.origin}${url.pathname}`, `${s.op.issuer}/authorize`);
        assert.equal([...url.searchParams.keys()].length,
            Object.keys(query).length, 'a parameter stands twice');
        assert.equal(query.response_type, 'code');
        assert.equal(query.client_id, 'shop');
        assert.equal(query.scope, 'openid');
        assert.equal(query.redirect_uri, `${b.origin}/bff/callback`);
        assert.equal(query.code_challenge_method, 'S256');
        assert.match(query.code_challenge, k256Bits);
        assert.match(query.nonce, k256Bits);
        assert.match(query.state, kState);
        assert.doesNotMatch(url.href, /secret/);
    });

test('the code is redeemed with client authentication and a verifier of 43',
    async () => {
        const { there } = await attempt(s);
        const [call] = s.op.calls('token');

        assert.equal(s.op.calls('token').length, 1);
        assert.equal(call.method, 'POST');
        assert.match(call.headers['content-type'],
            /^application\/x-www-form-urlencoded/);
        assert.equal(call.headers.authorization,
            `Basic ${Buffer.from('shop:shop+secret').toString('base64')}`);
        assert.equal(call.form.get('grant_type'), 'authorization_code');
        assert.equal(call.form.get('redirect_uri'),
            there.searchParams.get('redirect_uri'));
        assert.match(call.form.get('code_verifier'), k256Bits);
        assert.equal(call.form.get('client_secret'), null);
    });

test('BCP-3: two logins share neither state nor nonce nor '
    + 'challenge', async () => {
    const b = s.browser();
    const urls = [await b.startLogin(), await b.startLogin()];

    for (const name of ['state', 'nonce', 'code_challenge']) {
        const [one, two] = urls.map((url) => url.searchParams.get(name));
        assert.notEqual(one, two, name);
    }
});

test('BFF-3 BFF-4 BFF-6 BFF-7 BFF-8 BFF-9: the login\'s cookie is '
    + 'sealed and has every attribute',
    async () => {
        const b = s.browser();
        const answer = await b.navigate('/bff/login', { follow: false });
        const url = new URL(answer.headers.location);
        assert.equal(answer.status, 302);
        assert.match(answer.headers['cache-control'], /no-store/);
        assert.equal(answer.setCookies.length, 1);

        const { name, value, attributes } = parseSetCookie(answer.setCookies[0]);
        assert.match(name, kLoginCookie);
        assert.match(value, /^[A-Za-z0-9_-]+$/);
        assert.equal(attributes.secure, true);
        assert.equal(attributes.httponly, true);
        assert.equal(attributes.path, '/');
        assert.equal(attributes.samesite, 'Lax');
        assert.equal(attributes['max-age'], '600');
        assert.equal(attributes.domain, undefined);
        assert.equal(b.jar.named(kLoginCookie).length, 1);

        for (const secret of ['state', 'nonce']) {
            assert.ok(!decodedText(value).includes(url.searchParams.get(secret)));
        }
    });

test('CB-3: two tabs log in at once and both arrive', async () => {
    const b = s.browser();
    const one = await b.startLogin('/bff/login?returnUrl=/one');
    const two = await b.startLogin('/bff/login?returnUrl=/two');

    const second = await b.callback(s.op.approve(two.href));
    assertLoggedIn(second);
    assert.match(second.headers.refresh, /\/two$/);
    const first = await b.callback(s.op.approve(one.href));
    assertLoggedIn(first);
    assert.match(first.headers.refresh, /\/one$/);
    assert.equal(b.jar.named(kLoginCookie).length, 0);
});

test('CB-3: of five pending logins the oldest is dropped', async () => {
    const b = s.browser();
    const urls = [];

    for (let i = 0; i < 5; i++) {
        urls.push(await b.startLogin());
        assert.ok(b.jar.named(kLoginCookie).length <= 4);
    }

    assertRefused(await b.callback(s.op.approve(urls[0].href)), 400,
        ['login_expired', 'state_mismatch']);
    assertLoggedIn(await b.callback(s.op.approve(urls[1].href)));
});

test('CB-3: of five logins in a row the last one still works', async () => {
    const b = s.browser();
    let url;

    for (let i = 0; i < 6; i++) {
        url = await b.startLogin();
    }

    assertLoggedIn(await b.callback(s.op.approve(url.href)));
});

const kGood = [
    ['/', '/'],
    ['/orders/7?x=%20y&z=a+b', '/orders/7?x=%20y&z=a+b'],
    ['/a%2Fb/%C3%A4?q=%2F%2F', '/a%2Fb/%C3%A4?q=%2F%2F'],
    ['/x#part', '/x#part'],
    [`/${'x'.repeat(2047)}`, `/${'x'.repeat(2047)}`],
];

for (const [given, expected] of kGood) {
    test(`returnUrl ${given.slice(0, 40)} survives byte for byte`, async () => {
        const { answer } = await attempt(s, {
            path: `/bff/login?returnUrl=${encodeURIComponent(given)}` });
        assertLoggedIn(answer);
        const target = /^0;\s*url=(.*)$/.exec(answer.headers.refresh)[1];
        assert.equal(target.replace(/^https:\/\/shop\.test:\d+/, ''), expected);
    });
}

test('an absolute returnUrl of this very origin is accepted', async () => {
    const b = s.browser();
    const page = await b.login(`${b.origin}/deep?x=1`);
    assert.equal(page.url.href, `${b.origin}/deep?x=1`);
});

const kBad = ['https://evil.test/', '//evil.test/', '/\\evil.test', '\\\\evil',
    '/%2Fevil.test', '/%5Cevil.test', '/%2fevil.test', 'evil', 'https:evil.test',
    'javascript:alert(1)', 'data:text/html,x', ' /x', '/a\tb', '/a\r\nSet-Cookie: x=1',
    '/\u0000', '/%0d%0aX', '/%09/evil.test', '///evil.test', '/\t/evil.test',
    'https://shop.test.evil.test/', 'https://shop.test@evil.test/',
    'http://shop.test/', 'https://shop.test:1/', `/${'x'.repeat(2048)}`];

test('BCP-1: a returnUrl that leaves the site is 400 '
    + 'bad_return_url', async () => {
    await s.browser().startLogin();     // the provider is known from now on
    s.op.requests = [];

    for (const bad of kBad) {
        const b = s.browser();
        const answer = await b.navigate(
            `/bff/login?returnUrl=${encodeURIComponent(bad)}`, { follow: false });
        assertRefused(answer, 400, 'bad_return_url');
        assert.equal(answer.headers.location, undefined, bad);
        assert.deepEqual(b.jar.cookies, [], bad);
    }

    assert.equal(s.op.requests.length, 0);
});

test('BCP-1: a login for a foreign port of this host is refused', async () => {
    const b = s.browser();
    const answer = await b.navigate(`/bff/login?returnUrl=${
        encodeURIComponent('https://shop.test:1/')}`, { follow: false });
    assertRefused(answer, 400, 'bad_return_url');
});

test('a doubled returnUrl is refused', async () => {
    const answer = await s.browser().navigate(
        '/bff/login?returnUrl=/a&returnUrl=/b', { follow: false });
    assertRefused(answer, 400, ['bad_return_url', 'bad_request']);
});

test('a refused returnUrl is never echoed as HTML', async () => {
    const answer = await s.browser().navigate(
        `/bff/login?returnUrl=${encodeURIComponent('"><script>x</script>')}`,
        { follow: false });
    assert.equal(answer.status, 400);
    assert.doesNotMatch(answer.body, /<script>/);
});

test('login_args pass what is listed and nothing else', async () => {
    const url = await s.browser().startLogin('/bff/login?prompt=login'
        + '&login_hint=a%40b&ui_locales=de&acr_values=2&max_age=60'
        + '&state=x&nonce=x&client_id=evil&redirect_uri=https://evil.test/'
        + '&scope=all&response_type=token&unknown=1');
    const q = url.searchParams;

    assert.deepEqual(['prompt', 'login_hint', 'ui_locales', 'acr_values',
        'max_age'].map((n) => q.getAll(n)),
    [['login'], ['a@b'], ['de'], ['2'], ['60']]);
    assert.deepEqual(q.getAll('client_id'), ['shop']);
    assert.deepEqual(q.getAll('scope'), ['openid']);
    assert.deepEqual(q.getAll('response_type'), ['code']);
    assert.equal(q.getAll('redirect_uri').length, 1);
    assert.doesNotMatch(q.get('redirect_uri'), /evil/);
    assert.notEqual(q.get('state'), 'x');
    assert.notEqual(q.get('nonce'), 'x');
    assert.equal(q.has('unknown'), false);
});

test('BFF-42 BCP-11: scope, extra_auth_args with a variable, '
    + 'login_args, pkce off, redirect_uri',
    async () => {
        const b = s.browser('fancy', 'fancy.shop.test');
        const url = await b.startLogin(
            '/fancy/login?tenant_hint=t%26x&login_hint=no');
        const q = url.searchParams;

        assert.deepEqual(q.get('scope').split(' ').sort(),
            ['email', 'openid', 'profile']);
        assert.equal(q.get('audience'), 'urn:api');
        assert.equal(q.get('tenant'), 'fancy.shop.test');
        assert.equal(q.get('tenant_hint'), 't&x');
        assert.equal(q.has('login_hint'), false);
        assert.equal(q.has('code_challenge'), false);
        assert.equal(q.get('redirect_uri'),
            `https://shop.test:${s.at.port('fancy')}/fancy/callback`);
        assert.match(q.get('nonce'), k256Bits);
    });

test('pkce off: the login ends well without a verifier', async () => {
    const b = s.browser('fancy');
    const there = await b.startLogin('/fancy/login?returnUrl=/x');
    const answer = await b.callback(s.op.approve(there.href));
    assertLoggedIn(answer, /^__Host-Http-bff-fancy$/);
    assert.equal(s.op.calls('token')[0].form.has('code_verifier'), false);
});

test('redirect_uri follows the Host header only when none is configured',
    async () => {
        const evil = { headers: { Host: 'evil.test' } };
        const free = await s.browser().startLogin('/bff/login', evil);
        const fixed = await s.browser('fancy').startLogin('/fancy/login', evil);

        assert.equal(free.searchParams.get('redirect_uri'),
            'https://evil.test/bff/callback');
        assert.doesNotMatch(fixed.href, /evil/);
    });

test('X-Forwarded-Host and its like do not change redirect_uri', async () => {
    const b = s.browser();
    const url = await b.startLogin('/bff/login', { headers: {
        'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'http',
        Forwarded: 'host=evil.test', 'X-Original-Host': 'evil.test' } });
    assert.equal(url.searchParams.get('redirect_uri'),
        `${b.origin}/bff/callback`);
});

test('BFF-23: a protected page goes to login and comes back byte for '
    + 'byte', async () => {
    const b = s.browser();
    const path = '/page/a%20b/%c3%a4?q=a+b&r=%2f&s=%22';
    const page = await b.navigate(path);

    assert.equal(page.status, 200, page.body);
    assert.equal(page.url.pathname + page.url.search, path);
    assert.equal(s.api.last.target, path);
    assert.equal(s.api.last.all('authorization').length, 1);
    assert.equal(s.op.calls('authorize').length, 1);
});

test('a protected page whose own address is no returnUrl comes back to /',
    async () => {
        const { answer } = await attempt(s, {
            path: `/page/?${'x'.repeat(2100)}` });
        assertLoggedIn(answer);
        assert.match(answer.headers.refresh, /url=(https:\/\/[^/]+)?\/$/);
    });

test('CK-14: a link from another site bounces once and asks no provider',
    async () => {
        const b = s.browser();
        await b.login('/');
        const page = await b.navigate('/page/x', { from: 'cross-site' });

        assert.equal(page.status, 200);
        assert.equal(page.url.pathname, '/page/x');
        assert.equal(s.api.last.target, '/page/x');
        assert.equal(s.op.calls('authorize').length, 1);
        assert.equal(page.history.length, 2);
    });

test('CK-14: a link from another site without a session leads to login',
    async () => {
        const b = s.browser();
        const page = await b.navigate('/page/y', { from: 'cross-site' });
        assert.equal(page.url.pathname, '/page/y');
        assert.equal(s.op.calls('authorize').length, 1);
    });

test('GET /bff/login with another method is 405 and says what is allowed',
    async () => {
        const answer = await s.browser().api('/bff/login', { method: 'PUT' });
        assert.equal(answer.status, 405);
        assert.match(answer.headers.allow, /\bGET\b/);
        assert.match(answer.headers['cache-control'], /no-store/);
    });
