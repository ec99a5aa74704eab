// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Cookies by another name, for sibling domains, and over plain http for those
// who develop.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey, sessionCookiesSet } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider development {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_name dev;
        cookie_secure off;
        cookie_samesite lax;
    }

    bff_provider siblings {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_name __Secure-family;
        cookie_domain shop.test;
        cookie_samesite none;
    }

    server {
        listen ${at.plain('plain')};
        location / { return 200 home; }
        location /api/ { bff development; proxy_pass http://${api.address}; }
    }

    server {
        listen ${at.tls('family')};
        location / { return 200 home; }
        location /api/ { bff siblings; proxy_pass http://${api.address}; }
    }
`);

test('plain http: a whole visit without Secure', async () => {
    const b = s.browser('plain', 'localhost', 'http');
    const there = await b.startLogin();
    assert.equal(there.searchParams.get('redirect_uri'),
        `${b.origin}/bff/callback`);

    const answer = await b.callback(s.op.approve(there.href));
    const [cookie] = sessionCookiesSet(answer, /^dev$/);
    assert.equal(cookie.attributes.secure, undefined);
    assert.equal(cookie.attributes.httponly, true);
    assert.equal(cookie.attributes.samesite, 'Lax');
    assert.deepEqual(b.jar.ignored, []);

    assert.equal((await b.api('/api/x', { headers: { Cookie:
        `own=1; ${b.jar.header(new URL(b.origin))}` } })).status, 200);
    assert.equal(s.api.last.header('cookie'), 'own=1');

    await b.api('/bff/logout', { method: 'POST' });
    assert.deepEqual(b.jar.named(/^dev/), []);
});

test('cookie_domain: a sibling host sends the cookie and gets the token',
    async () => {
        const b = s.browser('family', 'www.shop.test');
        const { answer } = await attempt(s, { browser: b });
        const [cookie] = sessionCookiesSet(answer, /^__Secure-family$/);
        assert.equal(cookie.attributes.domain.replace(/^\./, ''), 'shop.test');
        assert.equal(cookie.attributes.secure, true);
        assert.equal(cookie.attributes.samesite, 'None');
        assert.deepEqual(b.jar.ignored, []);

        b.origin = b.origin.replace('www.', 'api.');
        assert.equal((await b.api('/api/x')).status, 200);
        assert.equal(s.api.last.header('cookie'), undefined);

        await b.api('/bff/logout', { method: 'POST' });
        assert.deepEqual(b.jar.named(/^__Secure-family/), []);
    });
