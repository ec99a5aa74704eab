// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// BCP-1: login and logout lead back to pages of trusted origins, and to those
// of nobody else.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertProblem, kKey } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const kTrusted = 'https://app.example.com';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls()};
        bff_trusted_origin ${kTrusted} http://localhost:5173;
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }

    server {
        listen ${at.tls('location-only')};
        location / { return 200 home; }
        location /api/ { bff corp; bff_trusted_origin ${kTrusted}; }
    }
`);

const kGood = [`${kTrusted}`, `${kTrusted}/`, `${kTrusted}/orders?a=b%20c#top`,
    `${kTrusted}:443/orders`, 'http://localhost:5173/orders'];

const kBad = ['https://evil.test/', 'https://app.example.com.evil.test/',
    'https://app.example.com.', 'https://app.example.com:8443/',
    'http://app.example.com/', 'https://a.app.example.com/',
    'https://app.example.com@evil.test/', 'https://evil.test\\@app.example.com/',
    '//app.example.com/', '/\\app.example.com/', 'https:app.example.com',
    'https:/app.example.com/', 'https://app.example.com\\.evil.test/',
    'javascript://app.example.com/%0aalert(1)', 'http://localhost/',
    `${kTrusted}/\u0001`, 'null'];

const login = (url) => `/bff/login?returnUrl=${encodeURIComponent(url)}`;

for (const url of kGood) {
    test(`BCP-1: login leads back to ${url}`, async () => {
        const { answer } = await attempt(s, { path: login(url) });
        assertLoggedIn(answer);
        assert.equal(answer.headers.refresh, `0; url=${url}`);
    });

    test(`BCP-1: logout leads back to ${url}`, async () => {
        const b = s.browser();
        await b.login('/');
        const { logout_url } = await b.session();
        const answer = await b.navigate(
            `${logout_url}&returnUrl=${encodeURIComponent(url)}`,
            { from: 'same-origin', follow: false });

        assert.equal(answer.status, 302, answer.body);
        assert.equal(new URL(answer.headers.location).searchParams
            .get('post_logout_redirect_uri'), url);
        assert.equal((await b.session()).authenticated, false);
    });
}

test('BCP-1: neither login nor logout leads anywhere else', async () => {
    const b = s.browser();
    await b.login('/');
    const { logout_url } = await b.session();

    for (const url of kBad) {
        assertProblem(await b.api(login(url)), 400, 'bad_return_url');
        assertProblem(await b.api(
            `${logout_url}&returnUrl=${encodeURIComponent(url)}`),
        400, 'bad_return_url');
    }
    assert.equal((await b.session()).authenticated, true);
});

test('BCP-1: whom a location trusts, the endpoints do not', async () => {
    assertProblem(await s.browser('location-only').api(login(`${kTrusted}/`)),
        400, 'bad_return_url');
});

test('a trusted page may end the session by script', async () => {
    const b = s.browser();
    await b.login('/');
    const answer = await b.request(
        `/bff/logout?returnUrl=${encodeURIComponent(`${kTrusted}/bye`)}`,
        { method: 'POST', headers: { Origin: kTrusted,
            'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-site' } });

    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.headers['access-control-allow-origin'], kTrusted);
    assert.equal(new URL(answer.json().logout_url).searchParams
        .get('post_logout_redirect_uri'), `${kTrusted}/bye`);
    assert.equal((await b.session()).authenticated, false);
});
