// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Two providers and three servers in one NGINX: each has its own endpoints,
// cookies and tokens, and none accepts what belongs to another.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, assertRefused, kKey } from '../lib/checks.mjs';
import { Provider } from '../lib/provider.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, other, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    bff_provider guests {
        issuer ${other.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        endpoints_path /guests/auth/;
    }

    bff_provider corp2 {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls('both')};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /guests/ { bff guests; proxy_pass http://${api.address}; }
    }

    server {
        listen ${at.tls('one')};
        bff corp2;
        location / { proxy_pass http://${api.address}; }
        location /public/ { bff off; proxy_pass http://${api.address}; }
        location /bff/ { bff_endpoints corp2; add_header X-Own yes always; }
    }

    server {
        listen ${at.tls('none')};
        location / { return 404 nothing; }
    }
`, {
    prepare: async (s) => { s.other = await Provider.start(); },
    finish: (s) => s.other?.stop(),
});

test('two providers in one server: each location gets its own token', async () => {
    const b = s.browser('both');
    await b.login('/');
    const corp = s.op.tokens.access_token;
    await b.login('/', { path: '/guests/auth/login' });
    const guest = s.other.tokens.access_token;

    await b.api('/api/x');
    assert.deepEqual(s.api.last.all('authorization'), [`Bearer ${corp}`]);
    await b.api('/guests/x');
    assert.deepEqual(s.api.last.all('authorization'), [`Bearer ${guest}`]);
    assert.equal(b.jar.named(/^__Host-Http-bff-corp$/).length, 1);
    assert.equal(b.jar.named(/^__Host-Http-bff-guests$/).length, 1);
});

test('a session of one provider opens no location of the other', async () => {
    const b = s.browser('both');
    await b.login('/');
    assert.equal((await b.api('/guests/x')).status, 401);
    assert.equal((await b.api('/guests/auth/session')).json().authenticated,
        false);
});

test('cookies of neither provider go upstream, wherever they stand', async () => {
    const b = s.browser('both');
    await b.login('/');
    await b.login('/', { path: '/guests/auth/login' });
    const [corp, guests] = ['corp', 'guests'].map((name) =>
        `__Host-Http-bff-${name}=${b.jar.get(`__Host-Http-bff-${name}`).value}`);
    const stale = '__Host-Http-bff-corp2=x; __Host-Http-bff-guests-login-a=x';
    const tokens = { '/api/x': s.op.tokens.access_token,
        '/guests/x': s.other.tokens.access_token };

    for (const [cookies, left] of [
        [`${corp}; ${guests}`, []],
        [`${guests}; ${stale}; ${corp}`, []],
        [`a=1; ${corp}; b=2; ${guests}; c=3`, ['a=1; b=2; c=3']],
        [`${guests}; a=1; ${stale}; ${corp};b=2`, ['a=1;b=2']],
        [`a=1; ${guests}; ${corp}; ${stale}`, ['a=1']],
        [`${'a=1; '.repeat(20)}${corp}; ${stale}; ${guests}`,
            ['a=1; '.repeat(20).slice(0, -2)]],
    ]) {
        for (const [path, token] of Object.entries(tokens)) {
            assert.equal((await b.api(path, { cookies })).status, 200);
            assert.deepEqual(s.api.last.all('cookie'), left);
            assert.deepEqual(s.api.last.all('authorization'),
                [`Bearer ${token}`]);
        }
    }
});

test('BFF-44 CK-25: a cookie renamed to the other provider is no session',
    async () => {
        const b = s.browser('both');
        await b.login('/');
        const { value } = b.jar.get('__Host-Http-bff-corp');
        const answer = await b.api('/guests/x',
            { cookies: `__Host-Http-bff-guests=${value}` });
        assertProblem(answer, 401, 'no_session');
    });

test('BFF-43 BCP-5: a callback of one provider is not taken by the '
    + 'other', async () => {
    const b = s.browser('both');
    const there = await b.startLogin('/guests/auth/login');
    const back = new URL(s.other.approve(there.href));
    back.pathname = '/bff/callback';
    assertRefused(await b.callback(back), 400,
        ['login_expired', 'state_mismatch']);
    assert.equal(s.op.calls('token').length, 0);
});

test('two servers with two providers of one issuer do not share sessions',
    async () => {
        const b = s.browser('both');
        await b.login('/');
        const { value } = b.jar.get('__Host-Http-bff-corp');
        const answer = await s.browser('one').api('/x',
            { cookies: `__Host-Http-bff-corp2=${value}` });
        assertProblem(answer, 401, 'no_session');
    });

test('bff at server level protects all but what says off', async () => {
    const b = s.browser('one');
    assert.equal((await b.api('/x')).status, 401);
    assert.equal((await b.api('/public/x')).status, 200);
    assert.equal(s.api.last.header('authorization'), undefined);

    await attempt(s, { browser: b });
    assert.equal((await b.api('/x')).status, 200);
    assert.equal(s.api.last.all('authorization').length, 1);
});

test('bff_endpoints serves the endpoints in a location of the user\'s own',
    async () => {
        const b = s.browser('one');
        const answer = await b.api('/bff/session');
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.json().authenticated, false);
        assert.equal(answer.headers['x-own'], 'yes');
        assert.equal((await b.api('/bff/nothing')).status, 404);
    });

test('a server in which no bff stands has no endpoints', async () => {
    const answer = await s.browser('none').api('/bff/session');
    assert.equal(answer.status, 404);
    assert.equal(answer.body, 'nothing');
});
