// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The session cookie in wrong hands and wrong pieces: whatever is done to it,
// the answer is "no session", never a 500, and a large session fits in pieces.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { assertLoggedIn, assertProblem, assertRefused, kKey, kSessionCookie,
    sessionCookiesSet } from '../lib/checks.mjs';
import { parseSetCookie } from '../lib/cookie_jar.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    large_client_header_buffers 8 32k;

    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }
`);

const kName = '__Host-Http-bff-corp';

// Octets that do not shrink, so that the size of a session is known.
function opaque(octets) {
    return randomBytes(octets * 3 / 4).toString('base64url');
}

async function loggedIn(size) {
    s.op.accessToken = size ? () => opaque(size) : s.op.accessToken;
    const b = s.browser();
    await b.login('/');
    const parts = b.jar.named(kSessionCookie)
        .sort((x, y) => x.name.localeCompare(y.name));
    return { b, parts, bearer: `Bearer ${s.op.tokens.access_token}` };
}

function line(cookies) {
    return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

async function assertNoSession(cookies) {
    const b = s.browser();
    const seen = await s.api.during(async () => {
        assertProblem(await b.api('/api/x', { cookies }), 401, 'no_session');
    });
    assert.deepEqual(seen, []);

    const session = await b.api('/bff/session', { cookies });
    assert.equal(session.status, 200);
    assert.equal(session.json().authenticated, false);
    return session;
}

test('BFF-9: one flipped bit anywhere is no session', async () => {
    const { parts: [{ value }] } = await loggedIn();
    const step = Math.max(1, Math.floor(value.length / 60));

    for (let at = 0; at < value.length; at += step) {
        const bytes = Buffer.from(value, 'base64url');
        const index = Math.floor(at * 3 / 4) % bytes.length;
        bytes[index] ^= 1 << (at % 8);
        const b = s.browser();
        const answer = await b.api('/api/x', { cookies:
            `${kName}=${bytes.toString('base64url')}` });
        assert.equal(answer.status, 401, `octet ${index}`);
    }
});

test('a cookie cut short anywhere is no session', async () => {
    const { parts: [{ value }] } = await loggedIn();

    for (const length of [0, 1, 2, 3, 4, 15, 16, 31, 32, 60, 100,
        value.length - 2, value.length - 1]) {
        await assertNoSession(`${kName}=${value.slice(0, length)}`);
    }
});

test('a cookie with something added is no session', async () => {
    const { parts: [{ value }] } = await loggedIn();

    for (const more of ['A', 'AA', 'AAAA', '=', '==', '.', '"', ' x', '%41']) {
        await assertNoSession(`${kName}=${value}${more}`);
    }
});

// [what, the value]
const kNonsense = [
    ['nothing', ''], ['one letter', 'A'], ['not base64url', '!!!!'],
    ['plain base64', '++//'.repeat(40)], ['zeros', 'A'.repeat(400)],
    ['a JWT', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
    ['octets above 127', '\xff\xfe\xe4'.repeat(50)],
    ['random', opaque(400)], ['30000 octets', 'A'.repeat(30000)],
    ['10000 random octets', opaque(10000)],
];

for (const [what, value] of kNonsense) {
    test(`a cookie that holds ${what} is no session`, () =>
        assertNoSession(`${kName}=${value}`));
}

test('CK-8: a cookie that stands twice is no session', async () => {
    const { parts } = await loggedIn();
    const good = line(parts);
    await assertNoSession(`${good}; ${good}`);
    await assertNoSession(`${good}; ${kName}=other`);
    await assertNoSession(`${kName}=; ${good}`);
});

test('CK-8: two Cookie lines with ours in both are no session', async () => {
    const { parts } = await loggedIn();
    const answer = await s.browser().api('/api/x', { cookies: false,
        headers: { Cookie: [line(parts), line(parts)] } });
    assertProblem(answer, 401, 'no_session');
});

test('CK-8: a name in other letters is not ours', async () => {
    const { parts: [{ value }] } = await loggedIn();

    for (const name of ['__HOST-HTTP-BFF-CORP', '__Host-Http-BFF-corp',
        '__host-http-bff-corp', `${kName}x`, kName.slice(1)]) {
        await assertNoSession(`${name}=${value}`);
    }
});

test('CK-8: a look-alike beside ours does no harm', async () => {
    const { b, parts, bearer } = await loggedIn();
    await b.api('/api/x', { cookies:
        `${kName.toUpperCase()}=evil; ${line(parts)}` });
    assert.equal(s.api.last?.header('authorization'), bearer);
});

test('CK-1: no Set-Cookie is longer than 4000 octets, whatever the size',
    async () => {
        for (const size of [100, 2000, 2700, 3200, 4000, 5200]) {
            s.op.accessToken = () => opaque(size);
            const { answer, browser } = await attempt(s);
            assertLoggedIn(answer);
            answer.setCookies.forEach((one) =>
                assert.ok(one.length <= 4000, `${one.length} octets`));
            assert.deepEqual(browser.jar.ignored, []);

            await browser.api('/api/x');
            assert.equal(s.api.last.header('authorization'),
                `Bearer ${s.op.tokens.access_token}`);
        }
    });

// [octets of the access token that do not shrink, chunks]
const kSizes = [[200, 1], [4000, 2], [7000, 3]];

for (const [size, chunks] of kSizes) {
    test(`CK-20: a token of ${size} octets needs ${chunks} cookies`, async () => {
        const { b, parts, bearer } = await loggedIn(size);
        const names = [kName, `${kName}.1`, `${kName}.2`].slice(0, chunks);

        assert.deepEqual(parts.map((c) => c.name), names);
        const answer = await b.api('/api/x', {
            cookies: `a=1; ${line(parts)}; b=2` });
        assert.equal(answer.status, 200, answer.body);
        assert.equal(s.api.last.header('authorization'), bearer);
        assert.equal(s.api.last.header('cookie'), 'a=1; b=2');
    });
}

test('CK-20: the order of the cookies in the header does not matter',
    async () => {
        const { b, parts } = await loggedIn(7000);
        const answer = await b.api('/api/x',
            { cookies: line([...parts].reverse()) });
        assert.equal(answer.status, 200);
    });

test('CK-23: a chunk missing is no session', async () => {
    const { parts } = await loggedIn(7000);
    const [a, b, c] = parts;

    for (const some of [[a, b], [a, c], [b, c], [a], [b], [c]]) {
        await assertNoSession(line(some));
    }
});

test('CK-20: chunks that changed places are no session', async () => {
    const { parts: [a, b, c] } = await loggedIn(7000);
    const named = (...values) => line(values.map((one, i) =>
        ({ name: [a, b, c][i].name, value: one.value })));

    for (const order of [[b, a, c], [a, c, b], [c, b, a], [a, a, c], [a, b, b]]) {
        await assertNoSession(named(...order));
    }
});

test('CK-24: chunks of two sessions are no session', async () => {
    const one = await loggedIn(7000);
    const two = await loggedIn(7000);

    for (let i = 0; i < 3; i++) {
        const mixed = one.parts.map((c, at) => at === i ? two.parts[at] : c);
        await assertNoSession(line(mixed));
    }
});

test('CK-20: a surplus chunk is no session, or at least no other one',
    async () => {
        const { parts, bearer } = await loggedIn();
        const big = await loggedIn(7000);
        s.api.requests = [];
        const answer = await s.browser().api('/api/x', {
            cookies: line([...parts, big.parts[1]]) });
        assert.ok([200, 401].includes(answer.status));
        s.api.requests.forEach((r) =>
            assert.equal(r.header('authorization'), bearer));
    });

test('CK-21: a smaller session takes the stale chunks away', async () => {
    const { b } = await loggedIn(7000);
    assert.equal(b.jar.named(kSessionCookie).length, 3);

    s.op.accessToken = () => 'small';
    const { answer } = await attempt(s, { browser: b });
    const gone = answer.setCookies.map(parseSetCookie)
        .filter((c) => c.value === '' && kSessionCookie.test(c.name));
    assert.deepEqual(gone.map((c) => c.name).sort(),
        [`${kName}.1`, `${kName}.2`]);
    assert.equal(b.jar.named(kSessionCookie).length, 1);
});

test('CK-21: a smaller session after a larger one works at once', async () => {
    const { b } = await loggedIn(7000);
    s.op.accessToken = () => 'small';
    await b.login('/');
    assert.equal((await b.api('/api/x')).status, 200);
    assert.equal(s.api.last.header('authorization'), 'Bearer small');
    assert.equal(s.api.last.header('cookie'), undefined);
});

test('CK-22: logout takes every chunk away', async () => {
    const { b } = await loggedIn(7000);
    await b.api('/bff/logout', { method: 'POST' });
    assert.deepEqual(b.jar.named(kSessionCookie), []);
});

test('a session that fits no three cookies gets one short one', async () => {
    const { b, parts, bearer } = await loggedIn(16000);
    assert.equal(parts.length, 1);
    assert.ok(parts[0].value.length < 300);
    await b.api('/api/x');
    assert.equal(s.api.last.header('authorization'), bearer);
});

test('usual JWTs are packed into one cookie', async () => {
    const { SigningKey, signJwt } = await import('../lib/jose.mjs');
    const key = new SigningKey('RS256');
    const claims = { iss: s.op.issuer, aud: 'api', sub: 'user-1', exp: 2e9,
        iat: 1e9, jti: 'f0a1b2c3-1111-2222-3333-444455556666', typ: 'Bearer',
        azp: 'shop', scope: 'openid profile email', realm_access: { roles:
            ['offline_access', 'uma_authorization', 'default-roles'] },
        resource_access: { account: { roles: ['manage-account',
            'manage-account-links', 'view-profile'] } },
        name: 'Ada Lovelace', preferred_username: 'ada', email_verified: true };
    const jwt = signJwt({ alg: 'RS256', typ: 'JWT', kid: 'k' }, claims, key);
    s.op.accessToken = () => jwt;
    s.op.refreshToken = () => signJwt(key.header(), claims, key);

    const { b, parts } = await loggedIn();
    assert.equal(parts.length, 1);
    await b.api('/api/x');
    assert.equal(s.api.last.header('authorization'), `Bearer ${jwt}`);
});

// Each must come back octet for octet, though a JWT is stored in other form.
const kTokens = ['a', 'a.b', 'a.b.c', '..', 'eyJhIjoxfQ.eyJiIjoyfQ.c2ln',
    'eyJhIjoxfQ.eyJiIjoyfQ.', 'eyJhIjoxfQ.eyJiIjoyfR.c2ln', '~._+/-=',
    'eyJhIjogMX0.e30.AA', `${'x'.repeat(1000)}=`, 'eyJhIjoxfQ==.e30.AA',
    'eyJhIjoxfQ.e30.AA.BB.CC'];

for (const token of kTokens) {
    test(`a token survives packing octet for octet: ${token.slice(0, 30)}`,
        async () => {
            s.op.accessToken = () => token;
            const { b } = await loggedIn();
            assert.equal((await b.api('/api/x')).status, 200);
            assert.equal(s.api.last.header('authorization'), `Bearer ${token}`);
        });
}

test('a tampered cookie at the callback does not stop a login', async () => {
    const b = s.browser();
    b.jar.set(`${kName}=broken; Path=/; Secure; HttpOnly`, new URL(b.origin));
    assertLoggedIn((await attempt(s, { browser: b })).answer);
    assert.equal((await b.api('/api/x')).status, 200);
});

test('a request line of cookies that NGINX itself refuses ends in 400',
    async () => {
        const answer = await s.browser().api('/api/x', {
            cookies: `a=${'x'.repeat(40000)}` });
        assert.equal(answer.status, 400);
    });

test('no answer to a bad cookie is a redirect loop for a page', async () => {
    const b = s.browser();
    b.jar.set(`${kName}=broken; Path=/; Secure; HttpOnly`, new URL(b.origin));
    const page = await b.navigate('/api/page');
    assert.equal(page.status, 200, page.body);
    assert.equal(page.url.pathname, '/api/page');
    assertRefused(await b.callback('/bff/callback?code=x&state=y'), [400],
        ['state_mismatch', 'login_expired', 'bad_request']);
});
