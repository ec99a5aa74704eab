// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The whole way with npm oidc-provider as the demo runs it: its login and
// consent pages, its tokens at the API, its logout; and each way that it knows
// for a client to prove who it is.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';

import { kSessionCookie } from '../lib/checks.mjs';
import { submit } from '../lib/forms.mjs';
import { decodeJwt } from '../lib/jose.mjs';
import { login, scene } from './lib/shop.mjs';

for (const tokens of ['jwt', 'opaque']) {
    scene(`login, API, logout with ${tokens} access tokens`, { tokens },
        async ({ op, api }, b) => {
            const page = await login(b);
            assert.equal(page.status, 200, page.body + op.errors);
            assert.equal(page.url.href, `${b.origin}/`);
            assert.equal(b.jar.named(kSessionCookie).length, 1);

            const { claims } = await b.session();
            assert.equal(claims.sub, 'alice');
            assert.equal(claims.name, 'Alice Archer');

            assert.equal((await b.api('/api/x')).status, 200);
            const [{ access_token, id_token }] = op.tokens();
            assert.deepEqual(api.last.all('authorization'),
                [`Bearer ${access_token}`]);
            assert.equal(api.last.header('cookie')?.includes('bff'), undefined);
            assert.equal(decodeJwt(id_token).payload.sub, 'alice');

            const { logout_url } = await b.session();
            const ask = await b.navigate(logout_url, { from: 'same-origin' });
            const bye = await submit(b, ask, { logout: 'yes' });
            assert.equal(bye.url.origin, b.origin, bye.body + op.errors);
            assert.equal((await b.session()).authenticated, false);
        });
}

scene('a protected page leads through the login and back', {},
    async (s, b) => {
        const page = await login(b, '/api/page?x=%2F');
        assert.equal(page.status, 200, page.body);
        assert.equal(page.url.href, `${b.origin}/api/page?x=%2F`);
    });

scene('a person who says no comes back with login_refused', {},
    async (s, b) => {
        const who = await b.navigate('/bff/login', { from: 'same-origin' });
        const page = await submit(b, who, { answer: 'cancel' });
        assert.equal(page.status, 403, page.body);
        assert.match(page.body, /login_refused/);
        assert.match(page.body, /access_denied/);
        assert.deepEqual(b.jar.named(kSessionCookie), []);
    });

scene('the second login of a known person asks nothing', {},
    async (s, b) => {
        await login(b);
        await b.api('/bff/logout', { method: 'POST' });
        const page = await b.login('/');
        assert.equal(page.url.href, `${b.origin}/`);
        assert.equal((await b.session()).authenticated, true);
    });

// Each way to prove who the client is: its registration there, and the lines
// here.
const kAwkward = 'a secret: 100% of +/= and ~, long enough for HS256';
const kKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const secret = ({ at }) =>
    `client_secret file:${at.file('awkward', kAwkward, 0o600)};`;
const kMethods = {
    client_secret_basic: { client: { client_secret: kAwkward },
        credentials: secret },
    client_secret_post: { client: { client_secret: kAwkward },
        credentials: (s) => `${secret(s)} client_auth client_secret_post;` },
    client_secret_jwt: { client: { client_secret: kAwkward },
        credentials: (s) => `${secret(s)} client_auth client_secret_jwt;` },
    private_key_jwt: { client: {
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [{ ...kKey.publicKey.export({ format: 'jwk' }),
            kid: 'ours' }] } },
    credentials: ({ at }) => `client_key ${at.file('client.pem',
        kKey.privateKey.export({ type: 'pkcs8', format: 'pem' }),
        0o600)} kid=ours;` },
};

for (const [method, { client, ...options }] of Object.entries(kMethods)) {
    scene(`CA-1, CA-2 ${method}`, { ...options,
        client: { ...client, token_endpoint_auth_method: method } },
    async ({ op }, b) => {
        const page = await login(b);
        assert.equal(page.url.href, `${b.origin}/`, page.body + op.errors);
        assert.equal((await b.session()).authenticated, true);
    });
}
