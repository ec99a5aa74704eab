// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a page may ask for below /bff/: who am I, and how do I log out. Shapes,
// methods and headers as in section 3 of the contract.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertErrorPage, assertHidden, assertProblem, kKey, kSessionCookie }
    from '../lib/checks.mjs';
import { parseSetCookie } from '../lib/cookie_jar.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    bff_provider quiet {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        session_claims sub roles;
        logout_token_hint off;
        post_logout_uri https://shop.test/bye?x=1;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }

    server {
        listen ${at.tls('quiet')};
        location / { return 200 home; }
        location /api/ { bff quiet; }
    }

    server {
        listen ${at.tls('kept')};
        expires 1h;
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`);

async function loggedIn(name) {
    const b = s.browser(name);
    await b.login('/');
    return b;
}

function path(answer, url) {
    const { pathname, search } = new URL(url, answer.url);
    return pathname + search;
}

function assertCleared(answer, name = '__Host-Http-bff-corp') {
    const gone = answer.setCookies.map(parseSetCookie)
        .filter((c) => c.name === name);
    assert.equal(gone.length, 1, 'the session cookie is not taken away');
    assert.equal(gone[0].value, '');
    assert.equal(gone[0].attributes['max-age'], '0');
    assert.equal(gone[0].attributes.path, '/');
    assert.equal(gone[0].attributes.secure, true);
}

test('BFF-22: session without one: authenticated false and login_url',
    async () => {
        const answer = await s.browser().api('/bff/session');
        assert.equal(answer.status, 200);
        assert.match(answer.headers['content-type'], /^application\/json/);
        assert.match(answer.headers['cache-control'], /no-store/);
        assert.deepEqual(answer.setCookies, []);

        const { authenticated, login_url, ...rest } = answer.json();
        assert.equal(authenticated, false);
        assert.equal(path(answer, login_url), '/bff/login');
        assert.deepEqual(rest, {});
        assert.equal(s.op.calls('authorize').length, 0);
    });

test('BFF-22: session with one: claims, lifetimes, addresses', async () => {
    const b = await loggedIn();
    const answer = await b.api('/bff/session');
    const body = answer.json();

    assert.equal(answer.status, 200);
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.equal(body.authenticated, true);
    assert.equal(body.claims.sub, 'user-1');
    assert.equal(body.claims.name, 'Ada Lovelace');
    assert.equal(body.claims.email, 'ada@example.com');
    assert.equal(body.claims.sid, 'op-session-1');
    assert.equal(typeof body.claims.auth_time, 'number');
    assert.equal('nonce' in body.claims, false);
    assert.equal('at_hash' in body.claims, false);
    assert.ok(body.expires_in > 28000 && body.expires_in <= 28800);
    assert.ok(body.access_token_expires_in > 3000
        && body.access_token_expires_in <= 3600);
    assert.equal(path(answer, body.login_url), '/bff/login');
    assert.match(path(answer, body.logout_url), /^\/bff\/logout\?sid=./);
    assertHidden(answer, Object.values(s.op.tokens));
});

test('session_claims chooses what is kept', async () => {
    s.op.claims = (usual) => ({ ...usual, roles: ['a', { b: 1 }] });
    const { claims } = await (await loggedIn('quiet')).session();
    assert.deepEqual(claims, { sub: 'user-1', roles: ['a', { b: 1 }] });
});

test('claims come back as they were, whatever letters they have', async () => {
    const name = 'Zoë "\\ \u{1F600} </script>\u0001';
    s.op.claims = (usual) => ({ ...usual, name });
    const { claims } = await (await loggedIn()).session();
    assert.equal(claims.name, name);
});

test('user has the shape that Duende\'s clients read', async () => {
    const b = await loggedIn();
    const answer = await b.api('/bff/user');
    const list = answer.json();
    const values = Object.fromEntries(list.map(({ type, value }) => [type, value]));

    assert.equal(answer.status, 200);
    assert.match(answer.headers['cache-control'], /no-store/);
    list.forEach((entry) => assert.deepEqual(Object.keys(entry).sort(),
        ['type', 'value']));
    assert.equal(values.sub, 'user-1');
    assert.equal(values.name, 'Ada Lovelace');
    assert.match(path(answer, values['bff:logout_url']), /^\/bff\/logout\?sid=./);
    assert.ok(Number(values['bff:session_expires_in']) > 28000);
});

test('user without a session is 401', async () => {
    const answer = await s.browser().api('/bff/user');
    assertProblem(answer, 401, 'no_session');
    assert.equal(answer.headers['www-authenticate'], 'Bff login="/bff/login"');
});

test('bff:session_state is there when the provider sent one', async () => {
    const { browser } = await attempt(s, { change: (q) =>
        q.set('session_state', 'abc.def') });
    const list = (await browser.api('/bff/user')).json();
    assert.equal(list.find((e) => e.type === 'bff:session_state')?.value,
        'abc.def');
});

// [path, wrong methods, what Allow names]
const kMethods = [
    ['/bff/session', ['POST', 'PUT', 'DELETE'], /\bGET\b/],
    ['/bff/user', ['POST', 'DELETE'], /\bGET\b/],
    ['/bff/callback', ['PUT', 'DELETE'], /\bGET\b/],
    ['/bff/logout', ['PUT', 'DELETE', 'PATCH'], /\bGET\b.*\bPOST\b|\bPOST\b.*\bGET\b/],
];

for (const [target, methods, allow] of kMethods) {
    test(`a wrong method at ${target} is 405 with Allow`, async () => {
        for (const method of methods) {
            const answer = await s.browser().api(target, { method });
            assert.equal(answer.status, 405, method);
            assert.match(answer.headers.allow ?? '', allow);
            assert.match(answer.headers['cache-control'], /no-store/);
        }
    });
}

test('a path that is no endpoint is 404', async () => {
    const b = await loggedIn();

    for (const target of ['/bff/', '/bff/x', '/bff/session/', '/bff/sessions',
        '/bff/SESSION', '/bff/token', '/bff/login/x']) {
        const answer = await b.api(target);
        assert.equal(answer.status, 404, target);
        assert.match(answer.headers['cache-control'] ?? '', /no-store/, target);
    }
});

test('/bff and /bffx are not ours', async () => {
    for (const target of ['/bff', '/bffx/session']) {
        assert.equal((await s.browser().request(target)).body, 'home');
    }
});

test('a body over 16 KiB is 413', async () => {
    const b = await loggedIn();
    const body = 'x'.repeat(16 * 1024 + 1);
    const answer = await b.api('/bff/logout', { method: 'POST', body,
        headers: { 'Content-Length': body.length } });
    assert.equal(answer.status, 413);
    assert.equal((await b.session()).authenticated, true);
});

test('POST logout: cookies gone and the way to the provider', async () => {
    const b = await loggedIn();
    const answer = await b.api('/bff/logout', { method: 'POST' });

    assert.equal(answer.status, 200, answer.body);
    assert.match(answer.headers['cache-control'], /no-store/);
    assertCleared(answer);
    assert.equal(b.jar.named(kSessionCookie).length, 0);

    const url = new URL(answer.json().logout_url);
    const q = url.searchParams;
    assert.equal(`${url.origin}${url.pathname}`, `${s.op.issuer}/end_session`);
    assert.equal(q.get('client_id'), 'shop');
    assert.equal(q.get('post_logout_redirect_uri'), `${b.origin}/`);
    assert.match(q.get('state'), /^.{16,}$/);

    // BFF-21: script reads this answer, so the ID token cannot stand in it.
    assertHidden(answer, Object.values(s.op.tokens));
});

test('RIL-3: logout_token_hint off and post_logout_uri', async () => {
    const b = await loggedIn('quiet');
    const answer = await b.api('/bff/logout', { method: 'POST' });
    const q = new URL(answer.json().logout_url).searchParams;

    assertCleared(answer, '__Host-Http-bff-quiet');
    assert.equal(q.has('id_token_hint'), false);
    assert.equal(q.get('client_id'), 'shop');
    assert.equal(q.get('post_logout_redirect_uri'), 'https://shop.test/bye?x=1');
});

test('GET logout with its token: 302 to the provider, cookies gone', async () => {
    const b = await loggedIn();
    const { id_token } = s.op.tokens;
    const { logout_url } = await b.session();
    const answer = await b.navigate(logout_url, { from: 'same-origin',
        follow: false });

    assert.equal(answer.status, 302, answer.body);
    assertCleared(answer);
    const url = new URL(answer.headers.location);
    assert.equal(url.pathname, '/end_session');
    assert.equal(url.searchParams.get('id_token_hint'), id_token);
    assert.equal((await b.session()).authenticated, false);
});

test('RIL-5: the whole way back ends at the landing page', async () => {
    const b = await loggedIn();
    const { logout_url } = await b.session();
    const page = await b.navigate(logout_url, { from: 'same-origin' });
    assert.equal(page.url.origin + page.url.pathname, `${b.origin}/`);
    assert.equal(page.body, 'home');
    assert.equal(s.op.calls('end_session').length, 1);
});

test('RIL-1: GET logout without the token is 403 csrf', async () => {
    const b = await loggedIn();

    for (const target of ['/bff/logout', '/bff/logout?sid=wrong',
        '/bff/logout?sid=']) {
        const image = await b.request(target, { headers: {
            'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image',
            'Sec-Fetch-Site': 'cross-site' } });
        assertProblem(image, 403, 'csrf');
        assert.deepEqual(image.setCookies, []);
    }

    assert.equal((await b.session()).authenticated, true);
});

test('RIL-1: a cross-site link to logout is a page with 403 csrf', async () => {
    const b = await loggedIn();
    const cookie = b.jar.header(new URL(b.origin));
    const answer = await b.navigate('/bff/logout', { from: 'cross-site',
        follow: false, cookies: cookie });
    assertErrorPage(answer, 403, 'csrf');
    assert.equal((await b.session()).authenticated, true);
});

test('RIL-1: the token of another session does not log out', async () => {
    const one = await loggedIn();
    const two = await loggedIn();
    const { logout_url } = await two.session();
    const cookie = one.jar.header(new URL(one.origin));
    const answer = await one.navigate(logout_url, { from: 'cross-site',
        follow: false, cookies: cookie });
    assertErrorPage(answer, 403, 'csrf');
    assert.equal((await one.session()).authenticated, true);
});

test('GET logout as a same-origin navigation needs no token', async () => {
    const b = await loggedIn();
    const answer = await b.navigate('/bff/logout', { from: 'same-origin',
        follow: false });
    assert.equal(answer.status, 302);
    assertCleared(answer);
});

test('POST logout by a form: 303 to the provider', async () => {
    const b = await loggedIn();
    const { id_token } = s.op.tokens;
    const answer = await b.navigate('/bff/logout', { method: 'POST', body: '',
        from: 'same-origin', follow: false, headers: { Origin: b.origin,
            'Content-Type': 'application/x-www-form-urlencoded' } });
    assert.equal(answer.status, 303, answer.body);
    const url = new URL(answer.headers.location);
    assert.equal(url.pathname, '/end_session');
    assert.equal(url.searchParams.get('id_token_hint'), id_token);
    assertCleared(answer);
});

test('RIL-6: a second logout is harmless', async () => {
    const b = await loggedIn();
    await b.api('/bff/logout', { method: 'POST' });
    const again = await b.api('/bff/logout', { method: 'POST' });
    assert.equal(again.status, 200, again.body);
    assert.ok('logout_url' in again.json());
});

test('RIL-4: without end_session_endpoint there is only our own landing page',
    async () => {
        const { play } = await import('../lib/stage.mjs');
        await play(({ op, at }) => `
            bff_provider corp {
                issuer ${op.issuer};
                client_id shop;
                client_secret "shop secret";
                session_key ${kKey};
            }
            server {
                listen ${at.tls()};
                location / { return 200 home; }
                location /api/ { bff corp; }
            }`, { prepare: ({ op }) => {
            op.metadata = (m) => ({ ...m, end_session_endpoint: undefined });
        } }, async (s) => {
            const b = s.browser();
            await b.login('/');
            const { logout_url } = await b.session();
            const other = b.clone();

            const answer = await b.api('/bff/logout', { method: 'POST' });
            assert.equal(answer.json().logout_url, null);
            const page = await other.navigate(logout_url,
                { from: 'same-origin', follow: false });
            assert.equal(page.status, 302);
            assert.equal(new URL(page.headers.location, page.url).href,
                `${b.origin}/`);
        });
    });

test('logout works while the provider is away', async () => {
    const b = await loggedIn();
    await s.op.refuse('main');

    try {
        const answer = await b.api('/bff/logout', { method: 'POST' });
        assert.equal(answer.status, 200);
        assertCleared(answer);
    } finally {
        await s.op.accept('main');
    }
});

test('a returnUrl at logout obeys the rule of returnUrl', async () => {
    const b = await loggedIn();
    const { logout_url } = await b.session();
    const answer = await b.navigate(
        `${logout_url}&returnUrl=${encodeURIComponent('https://evil.test/')}`,
        { from: 'same-origin', follow: false });
    assert.equal(answer.status, 400, answer.headers.location);
    assert.match(answer.body, /bad_return_url/);
    assert.equal((await b.session()).authenticated, true);
});

// [what, ask(browser)]
const kKept = [
    ['login', (b) => b.navigate('/bff/login', { follow: false })],
    ['login by script', (b) => b.api('/bff/login', { method: 'POST' })],
    ['bounce', (b) => b.navigate('/api/x', { from: 'cross-site',
        follow: false })],
    ['session', (b) => b.api('/bff/session')],
    ['user', (b) => b.api('/bff/user')],
    ['jwks', (b) => b.api('/bff/jwks')],
    ['refresh', (b) => b.api('/bff/refresh', { method: 'POST' })],
    ['no such page', (b) => b.api('/bff/nope')],
    ['logout', (b) => b.api('/bff/logout', { method: 'POST' })],
];

test('"expires" of the server is not for the answers of the module',
    async () => {
        const b = await loggedIn('kept');
        const home = await b.api('/');
        assert.equal(home.headers['cache-control'], 'max-age=3600');

        const wrong = [];
        for (const [what, ask] of kKept) {
            const { headers } = await ask(b);
            const said = [headers['cache-control'], headers.expires];
            if (said[0] !== 'no-store' || said[1] !== undefined) {
                wrong.push(`${what}: ${said}`);
            }
        }
        assert.deepEqual(wrong, []);
    });

test('conditions on a copy are not asked of an answer', async () => {
    const conditions = { 'If-Match': '"x"', 'If-None-Match': '*',
        'If-Modified-Since': 'Tue, 01 Jan 2030 00:00:00 GMT',
        'If-Unmodified-Since': 'Mon, 01 Jan 2001 00:00:00 GMT' };

    for (const [name, value] of Object.entries(conditions)) {
        const { answer, browser } = await attempt(s,
            { callback: { headers: { [name]: value } } });
        assert.equal(answer.status, 200, `callback, ${name}`);

        const session = await browser.api('/bff/session',
            { headers: { [name]: value } });
        assert.equal(session.status, 200, `session, ${name}`);
        assert.equal(session.json().authenticated, true);
    }
});

test('HEAD at the endpoints has the headers and no body', async () => {
    const answer = await s.browser().api('/bff/session', { method: 'HEAD' });
    assert.ok([200, 405].includes(answer.status));
    assert.equal(answer.body, '');
});
