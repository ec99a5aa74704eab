// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The ID token: what is accepted, and that each single violation ends the login
// with 502 id_token_invalid, a reason in the log and no session.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertHidden, assertLoggedIn, assertRefused, kKey, kSessionCookie }
    from '../lib/checks.mjs';
import { decodeJwt, halfHash, signJwt, tamper } from '../lib/jose.mjs';
import { attempt, play, stage } from '../lib/stage.mjs';

const s = stage(({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        trusted_audience friend;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`);

const now = () => Math.floor(Date.now() / 1000);

async function refused(what, codes = 'id_token_invalid') {
    const mark = s.nginx.mark();
    const { answer, browser } = await attempt(s);

    assertRefused(answer, 502, codes);
    assert.deepEqual(browser.jar.named(kSessionCookie), []);
    assertHidden(answer, [s.op.tokens.access_token, s.op.tokens.id_token]);

    const lines = s.nginx.complaints(mark);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0], what);
}

// [what, change of the claims, what the log says]
const kBadClaims = [
    ['IDT-3: iss missing', (c) => delete c.iss, /iss/],
    ['IDT-3: another iss', (c) => { c.iss = 'https://evil.test'; }, /iss/],
    ['IDT-3: iss with a slash', (c) => { c.iss += '/'; }, /iss/],
    ['IDT-3: iss is a list', (c) => { c.iss = [c.iss]; }, /iss/],
    ['IDT-4: sub missing', (c) => delete c.sub, /sub/],
    ['IDT-4: sub empty', (c) => { c.sub = ''; }, /sub/],
    ['IDT-4: sub is a number', (c) => { c.sub = 7; }, /sub/],
    ['IDT-4: sub of 256', (c) => { c.sub = 'x'.repeat(256); }, /sub/],
    ['IDT-4: sub not ASCII', (c) => { c.sub = 'ä'; }, /sub/],
    ['IDT-5: aud missing', (c) => delete c.aud, /aud/],
    ['IDT-5: aud is somebody else', (c) => { c.aud = 'other'; }, /aud/],
    ['IDT-5: aud in capitals', (c) => { c.aud = 'SHOP'; }, /aud/],
    ['IDT-5: aud is an empty list', (c) => { c.aud = []; }, /aud/],
    ['IDT-5: aud is a list without us', (c) => { c.aud = ['friend']; }, /aud/],
    ['IDT-5: aud is an object', (c) => { c.aud = { shop: 1 }; }, /aud/],
    ['IDT-6: an audience that is not trusted', (c) => {
        c.aud = ['shop', 'stranger'];
        c.azp = 'shop';
    }, /aud/],
    ['IDT-6: a number among the audiences', (c) => { c.aud = ['shop', 7]; }, /aud/],
    ['IDT-7: azp is somebody else', (c) => { c.azp = 'friend'; }, /azp/],
    ['IDT-7: azp is no string', (c) => { c.azp = ['shop']; }, /azp/],
    ['IDT-7: two audiences without azp', (c) => { c.aud = ['shop', 'friend']; },
        /azp/],
    ['IDT-8: exp missing', (c) => delete c.exp, /exp/],
    ['IDT-8: expired beyond the skew', (c) => { c.exp = now() - 70; }, /exp/],
    ['IDT-17: exp as text', (c) => { c.exp = String(c.exp); }, /exp/],
    ['IDT-8: exp below zero', (c) => { c.exp = -1; }, /exp/],
    ['IDT-17: exp beyond all dates', (c) => { c.exp = 1e300; }, /exp/],
    ['IDT-17: exp in milliseconds', (c) => { c.exp *= 1000; }, /exp/],
    ['IDT-17: exp true', (c) => { c.exp = true; }, /exp/],
    ['IDT-17: iat null', (c) => { c.iat = null; }, /iat/],
    ['IDT-17: nbf null', (c) => { c.nbf = null; }, /nbf/],
    ['IDT-17: auth_time as text', (c) => { c.auth_time = '1'; }, /auth_time/],
    ['IDT-17: exp null', (c) => { c.exp = null; }, /exp/],
    ['IDT-9: iat missing', (c) => delete c.iat, /iat/],
    ['IDT-9: iat in the future', (c) => { c.iat = now() + 120; }, /iat/],
    ['IDT-9: iat eleven minutes and a skew ago', (c) => {
        c.iat = now() - 11 * 60 - 60;
    }, /iat/],
    ['IDT-17: iat as text', (c) => { c.iat = String(c.iat); }, /iat/],
    ['IDT-10: nbf in the future', (c) => { c.nbf = now() + 120; }, /nbf/],
    ['IDT-17: nbf as text', (c) => { c.nbf = 'soon'; }, /nbf/],
    ['IDT-12: nonce missing', (c) => delete c.nonce, /nonce/],
    ['IDT-12: another nonce', (c) => { c.nonce = 'x'.repeat(43); }, /nonce/],
    ['IDT-12: nonce with one letter more', (c) => { c.nonce += 'A'; }, /nonce/],
    ['IDT-12: nonce is a list', (c) => { c.nonce = [c.nonce]; }, /nonce/],
    ['IDT-13: at_hash of another token', (c) => {
        c.at_hash = halfHash('RS256', 'other');
    }, /at_hash/],
    ['IDT-13: at_hash empty', (c) => { c.at_hash = ''; }, /at_hash/],
    ['IDT-13: at_hash is a number', (c) => { c.at_hash = 1; }, /at_hash/],
    ['IDT-13: at_hash by another hash', (c, grant) => {
        c.at_hash = halfHash('RS384', grant.accessToken);
    }, /at_hash/],
    ['IDT-14: c_hash empty', (c) => { c.c_hash = ''; }, /c_hash/],
    ['IDT-14: c_hash of another code', (c) => {
        c.c_hash = halfHash('RS256', 'other');
    }, /c_hash/],
    ['LT-12: a logout token', (c) => {
        delete c.nonce;
        c.events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    }, /nonce|events/],
];

for (const [what, spoil, reason] of kBadClaims) {
    test(`${what}: no session`, async () => {
        s.op.claims = (claims, grant) => {
            spoil(claims, grant);
            return claims;
        };
        await refused(reason);
    });
}

// [what, change of the claims]
const kGoodClaims = [
    ['IDT-5: aud as a list of one', (c) => { c.aud = ['shop']; }],
    ['IDT-6 IDT-7: a trusted audience and azp', (c) => {
        c.aud = ['friend', 'shop'];
        c.azp = 'shop';
    }],
    ['IDT-7: azp with one audience', (c) => { c.azp = 'shop'; }],
    ['IDT-8: expired within the skew', (c) => { c.exp = now() - 20; }],
    ['IDT-9: iat a little ahead', (c) => { c.iat = now() + 20; }],
    ['IDT-9: iat nine minutes ago', (c) => { c.iat = now() - 540; }],
    ['IDT-17: dates with a fraction', (c) => {
        c.exp += 0.5;
        c.iat -= 0.5;
    }],
    ['IDT-10: nbf now', (c) => { c.nbf = now() + 20; }],
    ['IDT-13: without at_hash', (c) => delete c.at_hash],
    ['IDT-14: c_hash of this code', (c, grant) => {
        c.c_hash = halfHash('RS256', grant.code);
    }],
    ['IDT-17: claims that nobody knows', (c) => {
        c['https://example.com/x'] = { deep: [1, { a: null }] };
    }],
    ['IDT-4: sub of 255', (c) => { c.sub = 'x'.repeat(255); }],
];

for (const [what, change] of kGoodClaims) {
    test(`${what}: accepted`, async () => {
        s.op.claims = (claims, grant) => {
            change(claims, grant);
            return claims;
        };
        assertLoggedIn((await attempt(s)).answer);
    });
}

// [what, ({ claims, header, key }) => the token, what the log says]
const kBadTokens = [
    ['KEY-1: alg none', ({ claims, header }) =>
        signJwt({ ...header, alg: 'none' }, claims), /alg|segment/],
    ['KEY-1: alg none with a signature', ({ claims, header, key }) =>
        signJwt(JSON.stringify({ ...header, alg: 'none' }), claims, key), /alg/],
    ['KEY-1: alg None in other letters', ({ claims, header, key }) =>
        signJwt(JSON.stringify({ ...header, alg: 'nOnE' }), claims, key), /alg/],
    ['KEY-2: HS256 with the public key', ({ claims, header, key }) =>
        signJwt({ ...header, alg: 'HS256' }, claims,
            key.publicKey.export({ type: 'spki', format: 'pem' })), /alg/],
    ['KEY-2: HS256 with the client secret', ({ claims, header }) =>
        signJwt({ ...header, alg: 'HS256' }, claims, 'shop secret'), /alg/],
    ['KEY-1: PS256 with the right key', ({ claims, header, key }) =>
        signJwt({ ...header, alg: 'PS256' }, claims, key), /alg/],
    ['KEY-1: alg missing', ({ claims, key }) =>
        signJwt(JSON.stringify({ kid: key.kid }), claims, key), /alg/],
    ['IDT-1: a tampered payload', ({ claims, header, key }) =>
        tamper(signJwt(header, claims, key), 1), /signature|payload|JSON/i],
    ['IDT-1: a tampered signature', ({ claims, header, key }) =>
        tamper(signJwt(header, claims, key), 2), /signature/],
    ['IDT-1: no signature', ({ claims, header, key }) =>
        signJwt(header, claims, key).replace(/[^.]+$/, ''),
    /signature|segment/],
    ['KEY-9: two segments', ({ claims, header, key }) =>
        signJwt(header, claims, key).replace(/\.[^.]+$/, ''), /./],
    ['KEY-9: four segments', ({ claims, header, key }) =>
        `${signJwt(header, claims, key)}.AAAA`, /./],
    ['KEY-10: five segments, a JWE', () => 'e30.AA.AA.AA.AA', /./],
    ['KEY-9: padding', ({ claims, header, key }) =>
        `${signJwt(header, claims, key)}==`, /./],
    ['KEY-9: plain base64', ({ claims, header, key }) => {
        const parts = signJwt(header, claims, key).split('.');
        parts[2] = Buffer.from(parts[2], 'base64url').toString('base64');
        return parts.join('.');
    }, /./],
    ['KEY-9: unknown crit', ({ claims, header, key }) =>
        signJwt({ ...header, crit: ['exp2'], exp2: 1 }, claims, key), /crit/],
    ['KEY-9: b64=false', ({ claims, header, key }) =>
        signJwt({ ...header, crit: ['b64'], b64: false }, claims, key),
    /crit|b64/],
    ['KEY-9: a doubled claim', ({ claims, header, key }) => signJwt(header,
        JSON.stringify(claims).replace('{', '{"sub":"evil",'), key), /./],
    ['KEY-9: a doubled header member', ({ claims, header, key }) => signJwt(
        JSON.stringify(header).replace('{', '{"alg":"none",'), claims, key), /./],
    ['a payload that is no object', ({ header, key }) =>
        signJwt(header, '[1]', key), /./],
    ['a payload that is no JSON', ({ header, key }) =>
        signJwt(header, '{"iss":', key), /./],
    ['IDT-2: typ logout+jwt', ({ claims, header, key }) =>
        signJwt({ ...header, typ: 'logout+jwt' }, claims, key), /typ/],
    ['IDT-2: typ at+jwt', ({ claims, header, key }) =>
        signJwt({ ...header, typ: 'at+jwt' }, claims, key), /typ/],
    ['IDT-2: typ dpop+jwt', ({ claims, header, key }) =>
        signJwt({ ...header, typ: 'dpop+jwt' }, claims, key), /typ/],
    ['IDT-2: typ oauth-authz-req+jwt', ({ claims, header, key }) =>
        signJwt({ ...header, typ: 'oauth-authz-req+jwt' }, claims, key), /typ/],
    ['IDT-2: typ Logout+JWT in other letters', ({ claims, header, key }) =>
        signJwt({ ...header, typ: 'Logout+JWT' }, claims, key), /typ/],
    ['IDT-2: typ that is a number', ({ claims, header, key }) =>
        signJwt({ ...header, typ: 7 }, claims, key), /typ/],
    ['KEY-9: crit that is empty', ({ claims, header, key }) =>
        signJwt({ ...header, crit: [] }, claims, key), /crit/],
    ['KEY-9: kid that is a number', ({ claims, header, key }) =>
        signJwt({ ...header, kid: 7 }, claims, key), /kid/],
    ['IDT-17: exp beyond every number', ({ claims, header, key }) =>
        signJwt(header, JSON.stringify(claims).replace(/"exp":\d+/,
            '"exp":1e999'), key), /./],
    ['IDT-2: typ application/at+jwt', ({ claims, header, key }) =>
        signJwt({ ...header, typ: 'application/at+jwt' }, claims, key), /typ/],
    ['an empty text', () => '', /./],
    ['three dots', () => '...', /./],
    ['something that is no token', () => 'nonsense', /./],
    ['a token of 300 levels', ({ claims, header, key }) => signJwt(header,
        JSON.stringify(claims).replace(/}$/,
            `,"deep":${'['.repeat(300)}${']'.repeat(300)}}`), key), /./],
];

for (const [what, make, reason] of kBadTokens) {
    test(`${what}: no session`, async () => {
        s.op.idToken = make;
        await refused(reason);
    });
}

test('IDT-2: without typ, and with typ JWT, a token is an ID token', async () => {
    for (const typ of [undefined, 'JWT', 'jwt']) {
        s.op.idToken = ({ claims, header, key }) =>
            signJwt({ ...header, typ }, claims, key);
        assertLoggedIn((await attempt(s)).answer);
    }
});

// No OAuth token holds a blank, so the answer may be refused as a whole.
test('KEY-9: a blank within: no session', async () => {
    s.op.idToken = ({ claims, header, key }) =>
        signJwt(header, claims, key).replace('.', '. ');
    await refused(/./, ['id_token_invalid', 'provider_misconfigured',
        'code_rejected']);
});

test('KEY-9: jku, x5u, jwk and x5c in the header lead nowhere', async () => {
    s.op.idToken = ({ claims, header, key }) => signJwt({ ...header,
        jku: `${s.op.issuer}/evil`, x5u: `${s.op.issuer}/evil`,
        jwk: key.jwk(), x5c: ['AAAA'] }, claims, key);
    assertLoggedIn((await attempt(s)).answer);
    assert.equal(s.op.calls('/evil').length, 0);
});

const withSkew = ({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        clock_skew 300s;
    }

    server {
        listen ${at.tls()};
        location / { bff corp; return 200 home; }
    }
`;

test('IDT-11: clock_skew is how far the clocks may differ', () =>
    play(withSkew, {}, async (s) => {
        const with_ = async (change) => {
            s.op.claims = (claims) => ({ ...claims, ...change });
            return (await attempt(s)).answer;
        };

        assertLoggedIn(await with_({ exp: now() - 280 }));
        assertLoggedIn(await with_({ iat: now() + 280 }));
        assertLoggedIn(await with_({ nbf: now() + 280 }));
        for (const change of [{ exp: now() - 310 }, { iat: now() + 330 },
            { nbf: now() + 330 }]) {
            assertRefused(await with_(change), 502, 'id_token_invalid');
        }
    }));

// [what, change of the claims, whether it is accepted]
const kAuthTimes = [
    ['just now', () => {}, true],
    ['within max_age and the skew', (c) => { c.auth_time = now() - 100; }, true],
    ['longer ago', (c) => { c.auth_time = now() - 130; }, false],
    ['in the future', (c) => { c.auth_time = now() + 100; }, false],
    ['missing', (c) => delete c.auth_time, false],
    ['null', (c) => { c.auth_time = null; }, false],
];

for (const [what, change, accepted] of kAuthTimes) {
    test(`IDT-15: max_age=60 was asked for, and auth_time is ${what}`,
        async () => {
            s.op.claims = (claims) => {
                change(claims);
                return claims;
            };
            const mark = s.nginx.mark();
            const { answer, there } = await attempt(s,
                { path: '/bff/login?max_age=60' });
            assert.equal(there.searchParams.get('max_age'), '60');

            if (accepted) {
                assertLoggedIn(answer);
                return;
            }
            assertRefused(answer, 502, 'id_token_invalid');
            assert.match(s.nginx.complaints(mark)[0], /auth_time/);
        });
}

test('IDT-15: without max_age nobody wants an auth_time', async () => {
    s.op.claims = ({ auth_time, ...rest }) => rest;
    assertLoggedIn((await attempt(s)).answer);
});

test('IDT-18: nothing is done with a token that is refused', async () => {
    s.op.claims = (claims) => ({ ...claims, aud: 'other' });
    s.op.requests = [];
    const { answer, browser } = await attempt(s);

    assertRefused(answer, 502, 'id_token_invalid');
    assert.deepEqual(s.op.requests.map((r) => r.endpoint)
        .filter((endpoint) => !['metadata', 'jwks'].includes(endpoint)),
    ['token']);
    assert.equal((await browser.session()).authenticated, false);
});

test('CB-8: a token answer without an ID token makes no session', async () => {
    s.op.tokenAnswer = ({ id_token, ...rest }) => rest;
    const { answer, browser } = await attempt(s);
    assertRefused(answer, 502, 'id_token_invalid');
    assert.deepEqual(browser.jar.named(kSessionCookie), []);
});

test('after all of that a right token still logs in', async () => {
    const { answer, browser } = await attempt(s);
    assertLoggedIn(answer);
    const { claims } = await browser.session();
    assert.equal(claims.sub, decodeJwt(s.op.tokens.id_token).payload.sub);
});
