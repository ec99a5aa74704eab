// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The whole way with a real provider, npm oidc-provider as the demo runs it:
// its login and consent pages, its tokens at the API, its logout.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Browser } from '../lib/browser.mjs';
import { kSessionCookie } from '../lib/checks.mjs';
import { DemoProvider } from '../lib/demo_provider.mjs';
import { submit } from '../lib/forms.mjs';
import { decodeJwt } from '../lib/jose.mjs';
import { Nginx, Place } from '../lib/nginx.mjs';
import { Upstream } from '../lib/upstream.mjs';

const configuration = ({ op, api, at }) => `
    bff_provider corp {
        issuer         ${op.issuer};
        client_id      shop;
        client_secret  file:${op.secretFile};
        scope          "openid profile email";
    }

    server {
        listen ${at.tls('main', 'http2')};
        server_name shop.test;

        location /      { return 200 home; }
        location /api/  { bff corp; proxy_pass http://${api.address}; }
    }
`;

function scene(name, tokens, act) {
    test(name, async () => {
        const at = await Place.make();
        const origin = `https://shop.test:${at.port('main')}`;
        const s = { at, api: await Upstream.start(),
            op: await DemoProvider.start(at, { origins: [origin], tokens }) };

        try {
            s.nginx = await Nginx.start({ place: at, http: configuration(s) });
            await act(s, new Browser(origin));
        } finally {
            await s.op.stop();
            await s.api.stop();
            await s.nginx?.stop();
        }
    });
}

async function login(b, path = '/bff/login?returnUrl=/') {
    const who = await b.navigate(path, { from: 'same-origin' });
    const may = await submit(b, who, { name: 'Alice Archer' });
    return submit(b, may, { answer: 'allow' });
}

for (const tokens of ['jwt', 'opaque']) {
    scene(`login, API, logout with ${tokens} access tokens`, tokens,
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

scene('a protected page leads through the login and back', 'jwt',
    async (s, b) => {
        const page = await login(b, '/api/page?x=%2F');
        assert.equal(page.status, 200, page.body);
        assert.equal(page.url.href, `${b.origin}/api/page?x=%2F`);
    });

scene('a person who says no comes back with login_refused', 'jwt',
    async (s, b) => {
        const who = await b.navigate('/bff/login', { from: 'same-origin' });
        const page = await submit(b, who, { answer: 'cancel' });
        assert.equal(page.status, 403, page.body);
        assert.match(page.body, /login_refused/);
        assert.match(page.body, /access_denied/);
        assert.deepEqual(b.jar.named(kSessionCookie), []);
    });

scene('the second login of a known person asks nothing', 'jwt',
    async (s, b) => {
        await login(b);
        await b.api('/bff/logout', { method: 'POST' });
        const page = await b.login('/');
        assert.equal(page.url.href, `${b.origin}/`);
        assert.equal((await b.session()).authenticated, true);
    });
