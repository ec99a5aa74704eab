// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The whole way with Glewlwyd of Debian.
//
// What it has of its own: signatures by other algorithms than RS256, JWTs as
// access tokens, an iss parameter that its metadata does not announce, errors
// of the token endpoint with status 403 or without a body, logout tokens
// without exp, and client_secret_basic without the form encoding of RFC 6749,
// 2.3.1.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Browser } from '../lib/browser.mjs';
import { assertProblem, kSessionCookie } from '../lib/checks.mjs';
import { decodeJwt } from '../lib/jose.mjs';
import { Nginx, Place } from '../lib/nginx.mjs';
import { Upstream } from '../lib/upstream.mjs';
import { until } from '../lib/wait.mjs';
import { Glewlwyd } from './lib/glewlwyd.mjs';
import { interop } from './lib/unpacked.mjs';

const kAlgorithms = ['ES256', 'ES512', 'PS256', 'EdDSA'];
const kAwkward = 'a secret: 100% of +/=';

// A server, and a provider of the same name; the latter's block has the lines.
const party = ({ api, at }, name, lines) => `
    bff_provider ${name} {
        cookie_name  __Host-Http-bff-corp;
        ${lines}
    }

    server {
        listen ${at.tls(name)};
        server_name shop.test;

        location /      { return 200 home; }
        location /api/  {
            bff ${name};
            proxy_set_header X-Id-Token $bff_id_token;
            proxy_pass http://${api.address};
        }
    }
`;

const configuration = (s) => `
    ${kAlgorithms.map((algorithm) => party(s, algorithm, `
        issuer         ${s.op.issuer(algorithm)};
        client_id      shop;
        client_secret  shop-secret;
        id_token_alg   ${algorithm};
    `)).join('')}

    ${party(s, 'RS256', `
        issuer         ${s.op.issuer('ES256')};
        client_id      shop;
        client_secret  shop-secret;
    `)}

    ${party(s, 'post', `
        issuer         ${s.op.issuer('ES256')};
        client_id      awkward;
        client_secret  file:${s.at.file('awkward', kAwkward)};
        client_auth    client_secret_post;
        id_token_alg   ES256;
    `)}

    ${party(s, 'stale', `
        issuer         ${s.op.issuer('ES256')};
        client_id      shop;
        client_secret  the-one-before;
        id_token_alg   ES256;
    `)}

    # where Glewlwyd calls, which does not know the tests' authority
    server {
        listen ${s.at.plain('backchannel')};
        location /bff/ { bff_endpoints ES256; }
    }

    ${party(s, 'userinfo', `
        issuer         ${s.op.issuer('ES256')};
        client_id      shop;
        client_secret  shop-secret;
        id_token_alg   ES256;
        userinfo       on;
    `)}
`;

interop('glewlwyd', () => {
    const s = {};

    before(async () => {
        s.at = await Place.make();
        s.api = await Upstream.start();
        s.op = await Glewlwyd.start(s.at, kAlgorithms, {
            shop: { ...client('shop-secret', [...kAlgorithms, 'RS256', 'stale',
                'userinfo']), backchannel_logout_uri: `http://127.0.0.1:${
                s.at.port('backchannel')}/bff/backchannel` },
            awkward: { ...client(kAwkward, ['post']),
                token_endpoint_auth_method: ['client_secret_post'] } });
        s.nginx = await Nginx.start({ place: s.at, http: configuration(s) });
    });

    after(async () => {
        await s.op?.stop();
        await s.api?.stop();
        await s.nginx?.stop();
    });

    const origin = (name) => `https://shop.test:${s.at.port(name)}`;

    const client = (secret, names) => ({ client_secret: secret,
        redirect_uri: names.map((name) => `${origin(name)}/bff/callback`),
        post_logout_redirect_uris: names.map((name) => `${origin(name)}/`) });

    async function authenticate(b) {
        const who = await b.navigate('/bff/login?returnUrl=/',
            { from: 'same-origin' });
        assert.equal(who.url.pathname, '/login.html', who.body + s.op.output);
        return s.op.login(b, who, 'alice', 'open sesame');
    }

    async function login(name) {
        const b = new Browser(origin(name));
        const page = await authenticate(b);
        assert.equal(page.url.href, `${b.origin}/`, page.body + s.op.output);
        return { b, callback: page.history.find(isCallback) };
    }

    const isCallback = ({ url }) => url.pathname === '/bff/callback';

    // A login that ends at the callback; the line that tells an operator why.
    async function assertRefused(name, code) {
        const from = s.nginx.mark();
        const b = new Browser(origin(name));
        const page = await authenticate(b);
        assert.equal(page.status, 502, page.body);
        assert.match(page.body, new RegExp(code));
        assert.deepEqual(b.jar.named(kSessionCookie), []);
        return s.nginx.complaints(from).join('\n');
    }

    for (const algorithm of ['ES256', 'ES512', 'PS256']) {
        test(`glewlwyd: login, API, logout with ${algorithm}`, async () => {
            const { b } = await login(algorithm);
            const session = await b.session();
            assert.equal(session.claims.name, 'Alice Archer');
            assert.equal(session.claims.email, 'alice@example.com');

            assert.equal((await b.api('/api/x')).status, 200);
            const { header, payload } = decodeJwt(
                s.api.last.header('x-id-token'));
            assert.deepEqual([header.alg, header.kid],
                [algorithm, `of-${algorithm}`]);
            assert.equal(payload.iss, s.op.issuer(algorithm));

            const sure = await b.navigate(session.logout_url,
                { from: 'same-origin' });
            assert.equal(sure.url.origin, s.op.origin, sure.body);
            const bye = await s.op.logout(b, sure);
            assert.equal(bye.url.href.split('?')[0], `${b.origin}/`);
            assert.equal((await b.session()).authenticated, false);
        });
    }

    test('glewlwyd: a JWT as access token goes upstream as it is', async () => {
        const { b } = await login('ES256');
        await b.api('/api/x');
        const [line, ...others] = s.api.last.all('authorization');
        const { header, payload } = decodeJwt(line.slice('Bearer '.length));
        assert.equal(header.typ, 'at+jwt');
        assert.equal(payload.client_id, 'shop');
        assert.deepEqual(others, []);
    });

    test('glewlwyd: ISS-1 iss is checked where it comes unannounced',
        async () => {
            const metadata = await (await fetch(`${s.op.issuer('ES256')}`
                + '/.well-known/openid-configuration')).json();
            assert.equal(undefined,
                metadata.authorization_response_iss_parameter_supported);

            const { b, callback } = await login('ES256');
            assert.equal(callback.url.searchParams.get('iss'),
                s.op.issuer('ES256'));

            const there = await b.navigate('/bff/login',
                { from: 'same-origin', follow: false });
            const back = await b.request(
                `${there.headers.location}&g_continue`);
            const url = new URL(back.headers.location);
            url.searchParams.set('iss', s.op.issuer('ES512'));
            const page = await b.callback(url);
            assert.equal(page.status, 400, page.body);
            assert.match(page.body, /issuer_mismatch/);
        });

    test('glewlwyd: KEY-1 ES256 where RS256 is expected is refused',
        async () => {
            const why = await assertRefused('RS256', 'id_token_invalid');
            assert.match(why, /ES256/);
        });

    // The rule's hash for Ed25519 is SHA-512; Glewlwyd 2.7 takes SHA-256.
    test('glewlwyd: IDT-13 its at_hash with EdDSA is refused', async () => {
        const why = await assertRefused('EdDSA', 'id_token_invalid');
        assert.match(why, /at_hash/);
    });

    test('glewlwyd: CA-1 any secret does with client_secret_post', async () => {
        const { b } = await login('post');
        assert.equal((await b.session()).authenticated, true);
    });

    test('glewlwyd: userinfo is asked with the access token',
        async () => {
            const { b } = await login('userinfo');
            assert.equal((await b.session()).claims.name, 'Alice Archer');
            const { headers, body } = await b.api('/bff/userinfo');
            assert.match(headers['content-type'], /^application\/json/);
            assert.equal(JSON.parse(body).email, 'alice@example.com');
        });

    test('glewlwyd: CB-9 an operator reads why a secret is refused',
        async () => {
            const why = await assertRefused('stale', 'code_rejected');
            assert.match(why, /unauthorized_client/);
            assert.doesNotMatch(why, /the-one-before/);
        });

    test('glewlwyd: a session at Glewlwyd is enough for the next login',
        async () => {
            const { b } = await login('ES256');
            await b.api('/bff/logout', { method: 'POST' });
            const who = await b.navigate('/bff/login?returnUrl=/',
                { from: 'same-origin' });
            const page = await b.navigate(
                `${who.url.searchParams.get('callback_url')}&g_continue`,
                { from: 'same-origin' });
            assert.equal(page.url.href, `${b.origin}/`, page.body);
            assert.equal((await b.session()).authenticated, true);
        });

    test('glewlwyd: RT-1, RT-4 new tokens by new refresh tokens', async () => {
        const { b } = await login('ES256');
        const before = await b.session();
        await b.api('/api/x');
        const old = s.api.last.header('authorization');

        for (let i = 0; i < 2; i++) {
            const answer = await b.api('/bff/refresh', { method: 'POST' });
            assert.equal(answer.status, 204, answer.body + s.op.output);
        }
        await b.api('/api/x');
        assert.notEqual(s.api.last.header('authorization'), old);
        assert.deepEqual((await b.session()).claims, before.claims);
    });

    test('glewlwyd: REV-1 a logout revokes the refresh token', async () => {
        const { b } = await login('ES256');
        const from = s.op.output.length;
        await b.api('/bff/logout', { method: 'POST' });
        await until('the revocation', () => /Refresh token .* revoked/
            .test(s.op.output.slice(from)));
        await until('the word in the log', () =>
            /refresh token revoked at provider "ES256"/.test(s.nginx.log()));
    });

    // Ends the session there, as its own pages do for somebody's other tab.
    async function endSessionThere(b) {
        await b.api('/api/x');
        const { sid } = decodeJwt(s.api.last.header('x-id-token')).payload;
        await s.op.ask(b, 'DELETE', `ES256/session/${sid}`);
    }

    test('glewlwyd: LT-4 its logout token has no exp and is refused',
        async () => {
            const { b } = await login('ES256');
            const from = s.nginx.mark();
            await endSessionThere(b);
            const why = await until('the logout token', () =>
                s.nginx.complaints(from)[0]);
            assert.match(why, /back-channel logout refused .*"exp"/);
            assert.equal((await b.api('/api/x')).status, 200);
        });

    // What it does not take it answers with 400 and nothing else.
    test('glewlwyd: RT-6 a refusal without a reason ends no session',
        async () => {
            const { b } = await login('ES256');
            const from = s.nginx.mark();
            await endSessionThere(b);
            const answer = await b.api('/bff/refresh', { method: 'POST' });
            assertProblem(answer, 502, 'provider_misconfigured');
            assert.match(s.nginx.complaints(from).join('\n'),
                /token endpoint refused the refresh: HTTP status 400/);
            assert.equal((await b.session()).authenticated, true);
        });
});
