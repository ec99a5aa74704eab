// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The whole way with npm oidc-provider as the demo runs it: its login and
// consent pages, its tokens at the API, a logout on either side; and each way
// that it knows for a client to prove who it is. What many requests at once do
// to its refresh tokens is in rotation.test.mjs.
//
// Version 8 has no front-channel logout.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';

import { Browser } from '../lib/browser.mjs';
import { assertProblem, kSessionCookie } from '../lib/checks.mjs';
import { submit } from '../lib/forms.mjs';
import { decodeJwt } from '../lib/jose.mjs';
import { kNoClock } from '../lib/nginx.mjs';
import { until } from '../lib/wait.mjs';
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

scene('the second login of a known person asks nothing',
    { directives: 'revoke off;' }, async (s, b) => {
        await login(b);
        await b.api('/bff/logout', { method: 'POST' });
        const page = await b.login('/');
        assert.equal(page.url.href, `${b.origin}/`);
        assert.equal((await b.session()).authenticated, true);
    });

// --- how a session ends ---

const backChannel = (more) => ({ workers: 2, client: (origin) => ({
    backchannel_logout_uri: `${origin}/bff/backchannel`, ...more }) });
const kBySid = backChannel({ backchannel_logout_session_required: true });
const kBySub = backChannel({});

// Somebody logs out at the provider itself, in another tab.
async function endSessionThere({ op }, b) {
    const ask = await b.navigate(`${op.issuer}/oidc/session/end`);
    const bye = await submit(b, ask, { logout: 'yes' });
    assert.equal(bye.status, 200, bye.body + op.errors);
    assert.equal(op.events('end_session.success').length, 1);
}

// On whatever worker it lands.
async function assertEnded(b, code = 'session_revoked') {
    for (let i = 0; i < 4; i++) {
        assertProblem(await b.clone().api('/api/x'), 401, code);
    }
}

const alive = async (b) => (await b.api('/api/x')).status === 200;

async function elsewhere({ origin }) {
    const b = new Browser(origin);
    await login(b);
    assert.ok(await alive(b));
    return b;
}

scene('LT-7: a session that ends there, in another tab, ends here', kBySid,
    async (s, b) => {
        await login(b);
        assert.ok(await alive(b));
        const other = await elsewhere(b);

        await endSessionThere(s, b);
        assert.deepEqual(s.op.events('backchannel.error'), []);
        assert.equal(s.op.events('backchannel.success').length, 1);
        await assertEnded(b);
        assert.ok(await alive(other), 'another sid of the same person');
    });

scene('LT-7: without sid all sessions of the person end here', kBySub,
    async (s, b) => {
        await login(b);
        const other = await elsewhere(b);

        await endSessionThere(s, b);
        assert.equal(s.op.events('backchannel.success').length, 1);
        await assertEnded(b);
        await assertEnded(other);
    });

scene('RIL-3, LT-13, REV-1: a logout here ends the session there, and the '
    + 'provider\'s own call for it is welcome', kBySid, async (s, b) => {
    await login(b);
    const copy = b.clone();
    const { logout_url } = await b.session();
    const ask = await b.navigate(logout_url, { from: 'same-origin' });
    const bye = await submit(b, ask, { logout: 'yes' });

    assert.equal(bye.url.origin + bye.url.pathname, `${b.origin}/`);
    assert.match(bye.url.searchParams.get('state'), /^[\w-]{22,}$/);
    assert.equal(s.op.events('end_session.success').length, 1);
    assert.deepEqual(s.op.events('backchannel.error'), []);
    assert.equal(s.op.events('backchannel.success').length, 1);
    await assertEnded(copy);
    await until('the revocation', () =>
        s.op.events('refresh_token.destroyed').length === 1);

    const again = await b.navigate('/bff/login', { from: 'same-origin' });
    assert.match(again.body, /Who are you today/, 'its session has ended');
});

scene('REV-1: after a logout the refresh token is good for nothing', {},
    async ({ op }, b) => {
        await login(b);
        const [{ refresh_token }] = op.tokens();
        await b.api('/bff/logout', { method: 'POST' });
        await until('the revocation', () =>
            op.events('grant.revoked').length === 1);
        assert.equal(op.events('refresh_token.destroyed').length, 1);

        const answer = await fetch(`${op.issuer}/oidc/token`, {
            method: 'POST', body: new URLSearchParams({ refresh_token,
                grant_type: 'refresh_token', client_id: 'shop',
                client_secret: 'a secret of the demo' }) });
        assert.equal(answer.status, 400);
        assert.equal((await answer.json()).error, 'invalid_grant');

        const may = await b.navigate('/bff/login?returnUrl=/',
            { from: 'same-origin' });
        assert.match(may.body, /Allow The Shop/, 'the grant went with it');
    });

scene('RT-6: without a back channel a session that ended there ends here '
    + 'with its access token', { clock: true, skip: kNoClock,
    lifetimes: { AccessToken: 120 } }, async (s, b) => {
    await login(b);
    await endSessionThere(s, b);
    assert.ok(await alive(b));

    s.nginx.setForward(121);
    await assertEnded(b, 'session_expired');
    assert.equal((await b.session()).authenticated, false);
    assert.equal(s.op.events('grant.error').length, 1);
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
