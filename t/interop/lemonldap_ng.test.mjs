// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The whole way with LemonLDAP::NG of Debian.
//
// What it has of its own: an issuer that ends with a slash, no iss in the
// authorization response, opaque access tokens, answers in HTTP/1.0, and
// client_secret_basic without the form encoding of RFC 6749, 2.3.1.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Browser } from '../lib/browser.mjs';
import { assertProblem, kSessionCookie } from '../lib/checks.mjs';
import { submit } from '../lib/forms.mjs';
import { decodeJwt } from '../lib/jose.mjs';
import { Nginx, Place } from '../lib/nginx.mjs';
import { Upstream } from '../lib/upstream.mjs';
import { LemonldapNg } from './lib/lemonldap_ng.mjs';
import { interop } from './lib/unpacked.mjs';

const kAwkward = 'a secret: 100% of +/=';
const kLong = '0123456789abcdef'.repeat(4);

// Options of relying parties with "userinfo on".
const kUserinfo = {
    plain: {},
    signed: { oidcRPMetaDataOptionsUserInfoSignAlg: 'RS256' },
};

const server = ({ api, at }, name, provider) => `
    server {
        listen ${at.tls(name)};
        server_name shop.test;

        location /      { return 200 home; }
        location /api/  {
            bff ${provider};
            proxy_set_header X-Id-Token $bff_id_token;
            proxy_pass http://${api.address};
        }
    }
`;

const configuration = (s) => `
    bff_provider corp {
        issuer         ${s.op.issuer};
        client_id      shop;
        client_secret  shop-secret;
        scope          "openid profile email";
    }

    bff_provider awkward {
        issuer         ${s.op.issuer};
        client_id      awkward;
        client_secret  file:${s.at.file('awkward', kAwkward)};
        client_auth    client_secret_post;
    }

    bff_provider symmetric {
        issuer         ${s.op.issuer};
        client_id      symmetric;
        client_secret  ${kLong};
        id_token_alg   HS512;
    }

    bff_provider slashless {
        issuer         ${s.op.issuer.slice(0, -1)};
        client_id      shop;
        client_secret  shop-secret;
    }

    bff_provider framed {
        issuer         ${s.op.issuer};
        client_id      framed;
        client_secret  shop-secret;
        cookie_name    __Host-Http-bff-corp;
    }

    ${server(s, 'main', 'corp')}
    ${server(s, 'framed', 'framed')}
    ${server(s, 'awkward', 'awkward')}
    ${server(s, 'symmetric', 'symmetric')}
    ${server(s, 'slashless', 'slashless')}
    ${Object.keys(kUserinfo).map((name) => `
        bff_provider ${name} {
            issuer         ${s.op.issuer};
            client_id      ${name};
            client_secret  shop-secret;
            scope          "openid profile email";
            userinfo       on;
        }
        ${server(s, name, name)}
    `).join('')}
`;

interop('lemonldap-ng', () => {
    const s = {};

    before(async () => {
        s.at = await Place.make();
        s.api = await Upstream.start();
        s.op = await LemonldapNg.start(s.at, {
            shop: ours('main'),
            symmetric: { ...ours('symmetric'), secret: kLong,
                oidcRPMetaDataOptionsIDTokenSignAlg: 'HS512' },
            awkward: { secret: kAwkward, origin: origin('awkward') },
            framed: { ...ours('framed'),
                oidcRPMetaDataOptionsLogoutType: 'front',
                oidcRPMetaDataOptionsLogoutUrl:
                    `${origin('framed')}/bff/frontchannel` },
            ...Object.fromEntries(Object.keys(kUserinfo).map((name) =>
                [name, { ...ours(name), ...kUserinfo[name] }])) });
        s.nginx = await Nginx.start({ place: s.at, http: configuration(s) });
    });

    after(async () => {
        await s.op?.stop();
        await s.api?.stop();
        await s.nginx?.stop();
    });

    const origin = (name) => `https://shop.test:${s.at.port(name)}`;

    const ours = (name) => ({ secret: 'shop-secret', origin: origin(name),
        oidcRPMetaDataOptionsRefreshToken: 1,
        oidcRPMetaDataOptionsBypassConsent: 1,
        oidcRPMetaDataOptionsLogoutBypassConfirm: 1 });

    async function authenticate(b, user = 'dwho') {
        const who = await b.navigate('/bff/login?returnUrl=/',
            { from: 'same-origin' });
        return submit(b, who, { user, password: user });
    }

    function assertHome(b, page) {
        assert.equal(page.url.href, `${b.origin}/`, page.body + s.op.output);
        assert.equal(page.status, 200, page.body);
    }

    async function login(name = 'main') {
        const b = new Browser(origin(name));
        const page = await authenticate(b);
        assertHome(b, page);
        return { b, callback: page.history.find((answer) =>
            answer.url.pathname === '/bff/callback') };
    }

    async function idToken(b) {
        await b.api('/api/x');
        return decodeJwt(s.api.last.header('x-id-token'));
    }

    test('lemonldap-ng: login, API, logout', async () => {
        const { b } = await login();
        assert.equal(b.jar.named(kSessionCookie).length, 1);
        assert.equal((await b.session()).claims.sub, 'dwho');
        assert.equal((await b.api('/api/x')).status, 200);

        const { logout_url } = await b.session();
        const bye = await b.navigate(logout_url, { from: 'same-origin' });
        assert.ok(bye.history.some(({ url }) => url.href.startsWith(
            `${s.op.issuer}oauth2/logout?`)));
        assert.equal(bye.url.origin, b.origin, bye.body + s.op.output);
        assert.equal((await b.session()).authenticated, false);

        const again = await b.navigate('/bff/login', { from: 'same-origin' });
        assert.match(again.body, /name="password"/, 'its session has ended');
    });

    test('lemonldap-ng: an opaque access token goes upstream as it is',
        async () => {
            const { b } = await login();
            await b.api('/api/x');
            const [line, ...others] = s.api.last.all('authorization');
            assert.match(line, /^Bearer [0-9a-f]{32,}$/);
            assert.deepEqual(others, []);
        });

    test('lemonldap-ng: IDT-1 the issuer ends with a slash, and iss with it',
        async () => {
            const { payload } = await idToken((await login()).b);
            assert.equal(payload.iss, s.op.issuer);
            assert.match(payload.iss, /\/$/);
        });

    test('lemonldap-ng: DISC-2 no login without that slash', async () => {
        const from = s.nginx.mark();
        const page = await new Browser(origin('slashless')).navigate(
            '/bff/login', { from: 'same-origin' });
        assert.equal(page.status, 502, page.body);
        assert.match(page.body, /provider_misconfigured/);
        assert.match(s.nginx.complaints(from).join('\n'), /issuer/);
    });

    test('lemonldap-ng: ISS-2 iss is not announced and not sent', async () => {
        const metadata = await (await fetch(`http://127.0.0.1:${s.op.port}`
            + '/.well-known/openid-configuration')).json();
        assert.equal(
            metadata.authorization_response_iss_parameter_supported, undefined);

        const { callback } = await login();
        assert.equal(callback.url.searchParams.has('iss'), false);
        assert.equal(callback.url.searchParams.has('session_state'), true);
    });

    test('lemonldap-ng: CA-1 any secret does with client_secret_post',
        async () => {
            const b = new Browser(origin('awkward'));
            assertHome(b, await submit(b, await authenticate(b)));
            assert.equal((await b.session()).authenticated, true);
        });

    test('lemonldap-ng: the ID token alone tells no name', async () => {
        const { b } = await login();
        assert.equal((await b.session()).claims.name, undefined);
    });

    test('lemonldap-ng: userinfo tells the name', async () => {
        const { b } = await login('plain');
        const { claims } = await b.session();
        assert.equal(claims.name, 'Doctor Who');
        assert.equal(claims.email, 'dwho@badwolf.org');
    });

    test('lemonldap-ng: UI-4 signed userinfo without iss is refused',
        async () => {
            const from = s.nginx.mark();
            const page = await authenticate(new Browser(origin('signed')));
            assert.equal(page.status, 502, page.body);
            assert.match(page.body, /userinfo_invalid/);
            assert.match(s.nginx.complaints(from).join('\n'), /"iss"/);
        });

    test('lemonldap-ng: CB-4 a person who refuses is told so', async () => {
        const b = new Browser(origin('awkward'));
        const consent = await authenticate(b, 'rtyler');
        const no = /id="refuse"[^>]*\sval="([^"]+)"/.exec(consent.body)[1];
        const page = await submit(b, consent, { confirm: no });
        assert.equal(page.status, 403, page.body + s.op.output);
        assert.match(page.body, /login_refused/);
        assert.match(page.body, /consent_required|access_denied/);
        assert.deepEqual(b.jar.named(/bff/), []);
    });

    test('lemonldap-ng: KEY-6 a new key is fetched when a token names it',
        async () => {
            const first = await idToken((await login()).b);
            assert.deepEqual([first.header.alg, first.header.kid],
                ['RS256', 'first']);

            await s.op.rotate('second');
            const second = await idToken((await login()).b);
            assert.deepEqual([second.header.alg, second.header.kid],
                ['RS256', 'second']);
        });

    test('lemonldap-ng: KEY-2 HS512 with the client secret', async () => {
        const { header } = await idToken((await login('symmetric')).b);
        assert.equal(header.alg, 'HS512');
    });

    test('lemonldap-ng: the second login of a known person asks nothing',
        async () => {
            const { b } = await login();
            await b.api('/bff/logout', { method: 'POST' });
            assert.equal((await b.login('/')).url.href, `${b.origin}/`);
            assert.equal((await b.session()).authenticated, true);
        });

    test('lemonldap-ng: RT-1, RT-4 new tokens by the same refresh token',
        async () => {
            const { b } = await login();
            const before = await b.session();
            await b.api('/api/x');
            const old = s.api.last.header('authorization');

            for (let i = 0; i < 2; i++) {
                const answer = await b.api('/bff/refresh', { method: 'POST' });
                assert.equal(answer.status, 204, answer.body);
            }
            await b.api('/api/x');
            assert.notEqual(s.api.last.header('authorization'), old);
            assert.deepEqual((await b.session()).claims, before.claims);
        });

    test('lemonldap-ng: RT-6 a session that ended there ends here when its '
        + 'token does', async () => {
        const { b } = await login();
        await b.navigate(`${s.op.issuer}?logout=1`);
        assert.equal((await b.api('/api/x')).status, 200);

        const answer = await b.api('/bff/refresh', { method: 'POST' });
        assertProblem(answer, 401, 'session_expired');
        assertProblem(await b.api('/api/x'), 401, 'no_session');
    });

    // Its sid is the person's name and not in the ID token, so sessions are
    // known by their cookie: on one site, as auth. and shop.example.com are.
    test('lemonldap-ng: FCL-2 its logout page ends the session in a frame',
        async () => {
            const { b } = await login('framed');
            const page = await b.navigate(`${s.op.issuer}?logout=1`);
            const frame = /<iframe src="([^"]+)"/.exec(page.body)?.[1];
            assert.equal(frame, `${b.origin}/bff/frontchannel`);

            const copy = b.clone();
            const answer = await b.navigate(frame, { from: 'same-site',
                headers: { 'Sec-Fetch-Dest': 'iframe' } });
            assert.equal(answer.status, 200);
            assert.match(answer.headers['content-security-policy'],
                new RegExp(`frame-ancestors ${s.op.issuer.slice(0, -1)}`));
            assertProblem(await copy.api('/api/x'), 401, 'session_revoked');
        });
});
