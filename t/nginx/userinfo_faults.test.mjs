// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The userinfo endpoint fails in every way a peer on a network can, at login
// and under a page's call. Each time: 503 with Retry-After, one line in the
// log, every session that lives stays, and it works again as soon as the
// provider does.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertHidden, assertLoggedIn, assertProblem, assertRefused, kKey,
    kSessionCookie } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

// The short time-out makes the slow ones quick; nothing is measured.
const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        userinfo on;
        timeout 1s;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }
`);

const send = (way) => () => { s.op.wire.userinfo = way; };

const kUnavailable = [
    ['refuses the connection', () => s.op.refuse('userinfo')],
    ['resets before the answer', send(wire.resetBefore)],
    ['resets in the answer', send(wire.resetWithin)],
    ['closes before the answer', send(wire.closeBefore)],
    ['closes in the header', send(wire.truncatedHeader)],
    ['sends less than Content-Length', send(wire.truncatedLength)],
    ['ends before the last chunk', send(wire.truncatedChunked)],
    ['never answers', send(wire.silent)],
    ['sends one octet now and then', send(wire.octetByOctet(100))],
    ['answers 500', send(wire.instead({ status: 500, body: 'oops' }))],
    ['answers 503', send(wire.instead({ status: 503, body: '{}' }))],
    ['answers 429', send(wire.instead({ status: 429, body: '{}' }))],
];

// Something came, but no answer in the sense of HTTP, or too much of it.
const kBroken = [
    ['speaks no HTTP', send(wire.raw('SSH-2.0-OpenSSH_9.2\r\n\r\n'))],
    ['sends two Content-Lengths', send(wire.raw('HTTP/1.1 200 OK\r\n'
        + 'Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}'))],
    ['sends a header without end', send(wire.raw(
        `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100000)}`))],
    ['sends 300 KiB', send(wire.huge(300 * 1024))],
];

// What a peer may do, and what must work.
const kFine = [
    ['sends chunks', wire.chunked(7)],
    ['ends the body with the connection', wire.untilClose],
    ['sends interim answers first', wire.interim],
    ['sends the answer octet by octet', wire.inPieces(1)],
];

async function loggedIn() {
    const browser = s.browser();
    await browser.login('/');
    return browser;
}

async function works() {
    await s.op.accept('userinfo');
    s.op.reset();
    assertLoggedIn((await attempt(s)).answer);
}

function assertOneLine(mark) {
    const lines = s.nginx.complaints(mark);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0], /provider "corp" unavailable: userinfo/);

    for (const secret of Object.values(s.op.tokens)) {
        assert.ok(!s.nginx.log(mark).includes(secret), 'the log tells a token');
    }
}

for (const [what, fail] of kBroken) {
    test(`UI-2: userinfo ${what}: refused, with 502 and one line`, async () => {
        const browser = await loggedIn();
        await fail();
        const mark = s.nginx.mark();
        assertProblem(await browser.api('/bff/userinfo'), 502,
            'userinfo_invalid');
        assert.equal(s.nginx.complaints(mark).length, 1);
        assert.equal((await browser.api('/api/x')).status, 200);

        const { answer, browser: other } = await attempt(s);
        assertRefused(answer, 502, 'userinfo_invalid');
        assert.deepEqual(other.jar.named(kSessionCookie), []);
        await works();
    });
}

for (const [what, fail] of kUnavailable) {
    test(`userinfo ${what}: the login is 503, and the next one works`,
        async () => {
            await attempt(s);               // metadata and keys are known
            await fail();
            const mark = s.nginx.mark();
            const { answer, browser } = await attempt(s);

            assertRefused(answer, 503, 'provider_unavailable');
            assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
            assert.deepEqual(browser.jar.named(kSessionCookie), []);
            assertHidden(answer, Object.values(s.op.tokens));
            assertOneLine(mark);
            await works();
        });

    test(`userinfo ${what}: GET userinfo is 503, and the session lives`,
        async () => {
            const browser = await loggedIn();
            await fail();
            const mark = s.nginx.mark();
            const answer = await browser.api('/bff/userinfo');

            assertProblem(answer, 503, 'provider_unavailable');
            assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
            assert.deepEqual(answer.setCookies, []);
            assertHidden(answer, Object.values(s.op.tokens));
            assertOneLine(mark);
            assert.equal((await browser.api('/api/x')).status, 200);

            await s.op.accept('userinfo');
            s.op.reset();
            assert.equal((await browser.api('/bff/userinfo')).status, 200);
        });
}

for (const [what, way] of kFine) {
    test(`userinfo ${what}: the login and GET userinfo work`, async () => {
        s.op.wire.userinfo = way;
        const browser = await loggedIn();
        const answer = await browser.api('/bff/userinfo');
        assert.equal(answer.status, 200);
        assert.equal(answer.json().sub, 'user-1');
    });
}

test('userinfo that is away at login ends no session that lives', async () => {
    const browser = await loggedIn();
    const other = await loggedIn();
    s.op.wire.userinfo = wire.resetBefore;
    assertRefused((await attempt(s, { browser })).answer, 503,
        'provider_unavailable');

    for (const b of [browser, other]) {
        assert.equal((await b.session()).authenticated, true);
        assert.equal((await b.api('/api/x')).status, 200);
    }
});

test('a page that leaves while userinfo is awaited does no harm', async () => {
    const { connect } = await import('../lib/raw.mjs');
    const browser = await loggedIn();
    s.op.requests = [];
    s.op.wire.userinfo = wire.silent;

    const url = new URL('/bff/userinfo', browser.origin);
    const socket = connect(s.at.port('main'), 'shop.test');
    socket.on('error', () => {});
    socket.write(`GET /bff/userinfo HTTP/1.1\r\nHost: ${url.host}\r\n`
        + `X-CSRF: 1\r\nCookie: ${browser.jar.header(url)}\r\n\r\n`);
    await until('the call', () => s.op.calls('userinfo').length === 1);
    socket.destroy();

    s.op.reset();
    assert.equal((await browser.api('/bff/userinfo')).status, 200);
});
