// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Front-channel logout: the provider's logout page shows our endpoint in a
// frame, where browsers keep Strict cookies to themselves (FCL-*).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, kKey } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://127.0.0.1:${api.port}; }
    }
`, { workers: 2 });

let count = 0;

async function loggedIn() {
    const sid = `sid-${++count}`;
    s.op.claims = (usual) => ({ ...usual, sid });
    const { browser } = await attempt(s);
    return { browser, sid };
}

function frame(browser, query, options = {}) {
    return browser.request(`/bff/frontchannel?${new URLSearchParams(query)}`, {
        cookies: false, headers: { 'Sec-Fetch-Mode': 'navigate',
            'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Site': 'cross-site' },
        ...options });
}

async function isAlive(browser) {
    const answer = await browser.clone().api('/api/x');
    if (answer.status !== 200) {
        assertProblem(answer, 401, 'session_revoked');
    }
    return answer.status === 200;
}

test('FCL-1: iss and sid end the session without its cookie', async () => {
    const { browser, sid } = await loggedIn();
    const answer = await frame(browser, { iss: s.op.issuer, sid });

    assert.equal(answer.status, 200);
    for (let i = 0; i < 4; i++) {
        assert.equal(await isAlive(browser), false);
    }
});

test('FCL-1: one of both wrong or missing ends nothing', async () => {
    const { browser, sid } = await loggedIn();
    const iss = s.op.issuer;

    for (const query of [{ iss, sid: 'other' }, { iss: `${iss}/`, sid },
        { iss: 'https://evil.example', sid }, { iss }, { sid },
        { iss, sid: '' }, {}]) {
        const { status } = await frame(browser, query);
        assert.ok(status === 200 || status === 400, String(status));
        assert.equal(await isAlive(browser), true);
    }
});

test('FCL-2: the cookie alone ends its session on this site', async () => {
    const { browser } = await loggedIn();
    const answer = await frame(browser.clone(), {}, { cookies: undefined,
        headers: { 'Sec-Fetch-Mode': 'navigate',
            'Sec-Fetch-Site': 'same-site' } });

    assert.equal(answer.status, 200);
    assert.ok(answer.setCookies.some((c) => /Max-Age=0/.test(c)));
    assert.equal(await isAlive(browser), false);
});

test('FCL-3: never stored, and framed by the provider alone', async () => {
    const answer = await frame(s.browser(),
        { iss: s.op.issuer, sid: 'unknown' });

    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['x-frame-options'], undefined);
    assert.match(answer.headers['content-security-policy'],
        new RegExp(`frame-ancestors ${s.op.issuer}$`));
});

test('FCL-1: made-up sids push out no proven end of a session', async () => {
    const { browser } = await loggedIn();
    const copy = browser.clone();
    await browser.api('/bff/logout', { method: 'POST' });

    for (let i = 0; i < 50; i++) {
        await frame(s.browser(), { iss: s.op.issuer, sid: `made-up-${i}` });
    }
    assert.equal(await isAlive(copy), false);
});
