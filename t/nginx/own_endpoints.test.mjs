// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A location with bff_endpoints and NGINX's own blocks inside it: "if" and
// "limit_except" make locations without a name, and the endpoints are there
// as well.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertProblem, kKey } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls('if')};
        location / { return 200 home; }
        location /api/ { bff corp; }
        location /bff/ {
            bff_endpoints corp;
            if ($http_x_if) { add_header X-Inside yes always; }
        }
    }

    server {
        listen ${at.tls('limited')};
        location / { return 200 home; }
        location /api/ { bff corp; }
        location /bff/ {
            bff_endpoints corp;
            limit_except POST { allow 127.0.0.1; deny all; }
        }
    }

    server {
        listen ${at.tls('refused')};
        location / { return 200 home; }
        location /api/ { bff corp; }
        location /bff/ {
            bff_endpoints corp;
            limit_except GET { deny all; }
        }
    }
`);

test('if: the endpoints serve with the condition and without', async () => {
    const b = s.browser('if');
    const without = await b.api('/bff/session');
    const within = await b.api('/bff/session', { headers: { 'X-If': '1' } });

    assert.equal(without.json().authenticated, false);
    assert.equal(without.headers['x-inside'], undefined);
    assert.equal(within.status, 200, within.body);
    assert.equal(within.json().authenticated, false);
    assert.equal(within.headers['x-inside'], 'yes');
});

test('if: a login from the block to the end', async () => {
    const browser = s.browser('if');
    const headers = { 'X-If': '1' };
    const there = await browser.startLogin('/bff/login', { headers });
    const answer = await browser.callback(s.op.approve(there.href),
        { headers });

    assertLoggedIn(answer);
    assert.equal((await browser.session({ headers })).authenticated, true);
});

test('limit_except: a method inside the block is served', async () => {
    const browser = s.browser('limited');
    assert.equal((await browser.session()).authenticated, false);
    assertLoggedIn((await attempt(s, { browser })).answer);
    assert.equal((await browser.session()).authenticated, true);
});

test('limit_except: a method outside the block is served', async () => {
    const browser = s.browser('limited');
    await attempt(s, { browser });
    const answer = await browser.api('/bff/logout', { method: 'POST' });
    assert.equal(answer.status, 200, answer.body);
});

test('limit_except: what the block refuses stays refused', async () => {
    const browser = s.browser('refused');
    await attempt(s, { browser });
    const answer = await browser.api('/bff/logout', { method: 'POST' });

    assert.equal(answer.status, 403);
    assert.equal((await browser.session()).authenticated, true);
});

test('in each block an address that is no endpoint is 404', async () => {
    for (const name of ['if', 'limited']) {
        const answer = await s.browser(name).api('/bff/nothing',
            { headers: { 'X-If': '1' } });
        assertProblem(answer, 404, 'bad_request');
    }
});
