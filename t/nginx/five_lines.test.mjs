// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The configuration of the contract's first page and nothing more: it builds a
// whole backend-for-frontend.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertHidden, kLoginCookie, kSessionCookie } from '../lib/checks.mjs';
import { stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer         ${op.issuer};
        client_id      shop;
        client_secret  file:${at.file('secrets/shop', 'shop secret\n')};
    }

    server {
        listen ${at.tls()};
        server_name shop.test;

        location /      { root ${at.prefix}/spa; }
        location /api/  { bff corp; proxy_pass http://${api.address}; }
    }
`, { prepare: ({ at }) => {
    at.file('spa/index.html', '<title>The shop</title>');
} });

test('five lines are enough: login, token to the API, logout', async () => {
    const b = s.browser();
    const page = await b.login('/');
    assert.equal(page.body, '<title>The shop</title>');

    const answer = await b.api('/api/cart');
    assert.equal(answer.status, 200, answer.body);
    assert.deepEqual(s.api.last.all('authorization'),
        [`Bearer ${s.op.tokens.access_token}`]);
    assert.equal(s.api.last.header('cookie'), undefined);

    const { authenticated, claims } = await b.session();
    assert.equal(authenticated, true);
    assert.equal(claims.sub, 'user-1');

    const out = await b.api('/bff/logout', { method: 'POST' });
    assert.equal(out.status, 200, out.body);
    assert.equal((await b.api('/api/cart')).status, 401);
});

test('BFF-21: no answer of a whole visit shows a token or a secret', async () => {
    const b = s.browser();
    const { history } = await b.login('/');
    const ours = history.filter((a) => a.url.hostname === 'shop.test');
    const { access_token, id_token, refresh_token } = s.op.tokens;

    ours.push(await b.api('/api/cart'), await b.api('/bff/session'),
        await b.api('/bff/user'));
    ours.forEach((answer) => assertHidden(answer,
        [access_token, id_token, refresh_token, 'shop secret',
            id_token.split('.')[1]]));

    const log = s.nginx.log();
    [access_token, id_token, refresh_token, 'shop secret'].forEach((secret) =>
        assert.ok(!log.includes(secret), 'the log tells a secret'));
});

test('BFF-24: the browser ends on returnUrl without a trace of the callback',
    async () => {
        const b = s.browser();
        const page = await b.login('/index.html?page=2');
        assert.equal(page.url.href, `${b.origin}/index.html?page=2`);
        assert.equal(b.jar.named(kLoginCookie).length, 0);
        assert.equal(b.jar.named(kSessionCookie).length, 1);
        assert.deepEqual(b.jar.ignored, []);
    });

test('without session_key one is made at start, and the log warns of it', () => {
    assert.match(s.nginx.log(), /\[warn\].*session_key/);
});

test('the endpoints need no location, and what is none of them is 404',
    async () => {
        const b = s.browser();
        assert.equal((await b.api('/bff/session')).status, 200);
        assert.equal((await b.api('/bff/nothing')).status, 404);
        assert.equal((await b.api('/bff/token')).status, 404);
    });

test('static files are public and stay NGINX\'s own', async () => {
    const answer = await s.browser().request('/index.html');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.setCookies, []);
    assert.match(answer.headers.etag ?? '', /./);
});
