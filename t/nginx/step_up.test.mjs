// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// An API that wants a stronger login says so to the page (RFC 9470), and the
// page asks for one: what it asks for is wanted of the ID token, and a login
// of somebody else never adds to the session that there was.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertErrorPage, assertHidden, assertLoggedIn, kKey }
    from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => {
    const provider = (name, more = '') => `
        bff_provider ${name} {
            issuer ${op.issuer};
            client_id shop;
            client_secret "shop secret";
            session_key ${kKey};
            cookie_name __Host-Http-bff-corp;
            ${more}
        }
        server {
            listen ${at.tls(name)};
            location / { return 200 home; }
            location /api/ { bff ${name}; proxy_pass http://${api.address}; }
        }`;

    return provider('main') + provider('hint', 'login_args login_hint;');
});

const wish = (browser, params) => browser.api('/bff/login', { method: 'POST',
    body: JSON.stringify({ returnUrl: '/report', params }),
    headers: { 'Content-Type': 'application/json' } });

async function stepUp(browser, params) {
    const { authorization_url: there } = (await wish(browser, params)).json();
    return { asked: new URL(there).searchParams,
        answer: await browser.callback(s.op.approve(there)) };
}

async function loggedIn(claims) {
    s.op.claims = (usual) => ({ ...usual, ...claims });
    const browser = s.browser();
    await browser.login('/');
    return browser;
}

for (const scheme of ['Bearer', 'bearer', 'DPoP']) {
    test(`SU-1: the page gets the API's wish for a stronger login: ${scheme}`,
        async () => {
            const wanted = `${scheme} error="insufficient_user_authentication",`
                + ' acr_values="gold", max_age="5"';
            const browser = await loggedIn({});
            s.op.requests = [];
            s.api.answer = () => ({ status: 401,
                headers: { 'WWW-Authenticate': wanted }, body: 'stronger' });

            const answer = await browser.api('/api/transfer');
            assert.equal(answer.status, 401);
            assert.equal(answer.headers['www-authenticate'], wanted);
            assert.equal(answer.body, 'stronger');
            assertHidden(answer, Object.values(s.op.tokens));
            assert.equal(s.op.requests.length, 0);
            assert.equal((await browser.session()).authenticated, true);
        });
}

test('SU-2: the page asks for it, and the new ID token has it', async () => {
    const browser = await loggedIn({ acr: 'silver' });
    const now = Math.floor(Date.now() / 1000);
    s.op.claims = (usual) => ({ ...usual, acr: 'gold', auth_time: now });

    const { asked, answer } = await stepUp(browser,
        { acr_values: 'gold', max_age: 5 });
    assert.equal(asked.get('acr_values'), 'gold');
    assert.equal(asked.get('max_age'), '5');
    assertLoggedIn(answer);
    assert.equal((await browser.session()).claims.acr, 'gold');
});

test('SU-2: only what login_args has goes to the provider', async () => {
    const there = new URL((await wish(s.browser('hint'), { acr_values: 'gold',
        max_age: 5, login_hint: 'bob' })).json().authorization_url).searchParams;
    assert.equal(there.get('login_hint'), 'bob');
    assert.equal(there.has('acr_values'), false);
    assert.equal(there.has('max_age'), false);
});

test('SU-2: somebody else takes the place of the session, nothing is merged',
    async () => {
        const browser = await loggedIn({ sub: 'alice', name: 'Alice' });
        s.op.claims = ({ name, ...usual }) => ({ ...usual, sub: 'bob',
            acr: 'gold' });
        assertLoggedIn((await stepUp(browser, { acr_values: 'gold' })).answer);

        const { claims } = await browser.session();
        assert.equal(claims.sub, 'bob');
        assert.equal(claims.name, undefined);
    });

test('SU-3: a login that is not strong enough is an error, and no loop',
    async () => {
        const browser = await loggedIn({ acr: 'silver' });
        s.op.requests = [];
        const { answer } = await attempt(s, { browser,
            path: '/bff/login?acr_values=gold' });

        assertErrorPage(answer, 502, 'id_token_invalid');
        assert.equal(answer.headers.refresh, undefined);
        assert.equal(answer.headers.location, undefined);
        assert.equal(s.op.calls('token').length, 1);
        assert.equal((await browser.session()).claims.acr, 'silver');
    });
