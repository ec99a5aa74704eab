// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A session that is too large to be kept anywhere: trying again would not help,
// so the answer does not say so, and neither the browser nor the log is told of
// a session that is none.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';

import { assertErrorPage, kKey, kLoginCookie, kSessionCookie,
    sessionCookiesSet } from '../lib/checks.mjs';
import { parseSetCookie } from '../lib/cookie_jar.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, at }) => `
    bff_zone bff:256k;

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
    }
`);

// The answer to a login whose token does not fit, and what was logged.
async function tooLarge(options) {
    const mark = s.nginx.mark();
    const much = crypto.randomBytes(70000).toString('base64url');
    s.op.claims = (usual) => ({ ...usual, much });
    const { answer, browser } = await attempt(s, options);
    return { answer, browser, log: s.nginx.log(mark),
        complaints: s.nginx.complaints(mark) };
}

test('the answer is 503 without a promise that later will do', async () => {
    const { answer } = await tooLarge();
    assertErrorPage(answer, 503, 'store_unavailable');
    assert.equal(answer.headers['retry-after'], undefined);
});

test('the login\'s cookie goes, and no session comes', async () => {
    const { answer, browser } = await tooLarge();
    const [login] = answer.setCookies.map(parseSetCookie)
        .filter(({ name }) => kLoginCookie.test(name));

    assert.equal(login.attributes['max-age'], '0');
    assert.deepEqual(browser.jar.named(kLoginCookie), []);
    assert.deepEqual(sessionCookiesSet(answer), []);
});

test('the session before it does not stay', async () => {
    const { browser } = await attempt(s);
    assert.equal((await browser.session()).authenticated, true);

    await tooLarge({ browser });
    assert.deepEqual(browser.jar.named(kSessionCookie), []);
    assert.equal((await browser.session()).authenticated, false);
});

test('the log has one error, and no session that was started', async () => {
    const { log, complaints } = await tooLarge();

    assert.equal(complaints.length, 1, complaints.join('\n'));
    assert.match(complaints[0], /\[error\].* bff: login failed: /);
    assert.match(complaints[0], /: access token \d+, ID token \d{6}, /);
    assert.doesNotMatch(log, /session started/);
});

test('the next login, with a token that fits, works at once', async () => {
    const { browser } = await tooLarge();
    s.op.reset();
    assert.equal((await attempt(s, { browser })).answer.status, 200);
    assert.equal((await browser.session()).authenticated, true);
});
