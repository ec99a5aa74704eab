// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider fails in every way a peer on a network can. Each time: the
// contract's answer, one clear line in the log, and a login that works as soon
// as the provider does.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertHidden, assertLoggedIn, assertRefused, kKey, kSessionCookie }
    from '../lib/checks.mjs';
import { attempt, play, stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

// The short time-out makes the slow ones quick; nothing is measured.
const configuration = ({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        timeout 1s;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

const s = stage(configuration);

const kDoor = { metadata: 'main', jwks: 'jwks', token: 'token' };

function refuse(op, endpoint) {
    return op.refuse(kDoor[endpoint]);
}

function send(way) {
    return (op, endpoint) => { op.wire[endpoint] = way; };
}

// [what, how it fails]: the provider is not there for us.
const kUnavailable = [
    ['refuses the connection', refuse],
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
];

// Something came, but no answer in the sense of HTTP or of OpenID Connect.
const kStrange = [
    ['speaks no HTTP', send(wire.raw('SSH-2.0-OpenSSH_9.2\r\n\r\n'))],
    ['sends a broken chunk size', send(wire.raw('HTTP/1.1 200 OK\r\n'
        + 'Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'))],
    ['sends two Content-Lengths', send(wire.raw('HTTP/1.1 200 OK\r\n'
        + 'Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}'))],
    ['sends a header without end', send(wire.raw(
        `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100000)}`))],
    ['redirects', send(wire.redirect('http://127.0.0.1:9/'))],
    ['answers 404', send(wire.instead({ status: 404, body: 'no' }))],
    ['answers 204', send(wire.instead({ status: 204, body: '' }))],
    ['sends text', send(wire.instead({ body: 'hello' }))],
    ['sends nothing', send(wire.instead({ body: '' }))],
    ['sends a list', send(wire.instead({ body: '[]' }))],
    ['sends a number', send(wire.instead({ body: '7' }))],
    ['sends a member twice', send((socket, answer) => wire.plain(socket,
        { ...answer, body: answer.body.replace('{', '{"keys":[],"keys":[],'
            + '"access_token":"x","access_token":"y",') }))],
    ['sends 300 KiB', send(wire.huge(300 * 1024))],
    ['sends 33 levels', send(wire.deep(33))],
];

// What a peer may do, and what must work.
const kFine = [
    ['sends chunks', wire.chunked(7)],
    ['sends one chunk', wire.chunked(100000)],
    ['ends the body with the connection', wire.untilClose],
    ['sends interim answers first', wire.interim],
    ['sends the answer octet by octet', wire.inPieces(1)],
    ['sends the answer in pieces', wire.inPieces(41)],
];

async function tokenFault(status, code, fail) {
    const mark = s.nginx.mark();
    await attempt(s);                       // metadata and keys are known
    s.op.requests = [];
    await fail(s.op, 'token');
    const { answer, browser, url } = await attempt(s);

    assertRefused(answer, status, code);
    assert.deepEqual(browser.jar.named(kSessionCookie), []);
    assert.ok(s.op.calls('token').length <= 1, 'the code went twice');
    assertHidden(answer, [url.searchParams.get('code')]);

    if (answer.status === 503) {
        assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    }

    assertOneLine(s.nginx.complaints(mark));
    await s.op.accept('token');
    s.op.reset();
    assertLoggedIn((await attempt(s)).answer);
}

function assertOneLine(lines) {
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0], /corp/);
}

for (const [what, fail] of kUnavailable) {
    test(`the token endpoint ${what}: 503, and the next login works`, () =>
        tokenFault(503, 'provider_unavailable', fail));
}

for (const [what, fail] of kStrange) {
    test(`the token endpoint ${what}: refused, and the next login works`, () =>
        tokenFault([502, 503], ['provider_unavailable', 'code_rejected',
            'provider_misconfigured'], fail));
}

test('a token endpoint that is away ends no session that lives', () =>
    play(configuration, {}, async (s) => {
        const browser = s.browser();
        await browser.login('/');
        s.op.wire = { token: wire.resetBefore };
        const { answer } = await attempt(s, { browser });

        assertRefused(answer, 503, 'provider_unavailable');
        assert.equal((await browser.session()).authenticated, true);
    }));

for (const [what, way] of kFine) {
    test(`every endpoint ${what}: the login works`, () =>
        play(configuration, {}, async (s) => {
            s.op.wire = { metadata: way, jwks: way, token: way };
            assertLoggedIn((await attempt(s)).answer);
        }));
}

// [what, change of the token answer]
const kBadTokens = [
    ['no access_token', (t) => delete t.access_token],
    ['an empty access_token', (t) => { t.access_token = ''; }],
    ['an access_token that is a number', (t) => { t.access_token = 7; }],
    ['an access_token with a line break', (t) => {
        t.access_token = 'a\r\nX-Evil: 1';
    }],
    ['an access_token with a blank', (t) => { t.access_token = 'a b'; }],
    ['an access_token with a NUL', (t) => { t.access_token = 'a\u0000b'; }],
    ['no token_type', (t) => delete t.token_type],
    ['another token_type', (t) => { t.token_type = 'mac'; }],
    ['token_type DPoP', (t) => { t.token_type = 'DPoP'; }],
    ['a negative expires_in', (t) => { t.expires_in = -5; }],
    ['an expires_in that is a list', (t) => { t.expires_in = [3600]; }],
    ['an expires_in that is no number', (t) => { t.expires_in = 'soon'; }],
    ['a refresh_token that is an object', (t) => { t.refresh_token = {}; }],
    ['an id_token that is null', (t) => { t.id_token = null; }],
    ['an error beside it', (t) => { t.error = 'server_error';
        delete t.access_token; }],
];

for (const [what, spoil] of kBadTokens) {
    test(`CB-8: a token answer with ${what}: 502 and no session`, async () => {
        s.op.tokenAnswer = (usual) => {
            spoil(usual);
            return usual;
        };
        const mark = s.nginx.mark();
        const { answer, browser } = await attempt(s);
        assertRefused(answer, 502, ['code_rejected', 'id_token_invalid',
            'provider_misconfigured']);
        assert.deepEqual(browser.jar.named(kSessionCookie), []);
        assertOneLine(s.nginx.complaints(mark));
    });
}

// [what, change of the token answer]
const kGoodTokens = [
    ['token_type in other letters', (t) => { t.token_type = 'bEARER'; }],
    ['expires_in as text', (t) => { t.expires_in = '3600'; }],
    ['no expires_in', (t) => delete t.expires_in],
    ['a very large expires_in', (t) => { t.expires_in = 4e9; }],
    ['no refresh_token', (t) => delete t.refresh_token],
    ['no scope', (t) => delete t.scope],
    ['members that nobody knows', (t) => { t.ext = { a: [1] }; }],
];

for (const [what, change] of kGoodTokens) {
    test(`CB-8: a token answer with ${what}: accepted`, async () => {
        s.op.tokenAnswer = (usual) => {
            change(usual);
            return usual;
        };
        assertLoggedIn((await attempt(s)).answer);
    });
}

// [answer, code]
const kErrors = [
    [400, { error: 'invalid_grant' }, 'code_rejected'],
    [401, { error: 'invalid_client' }, 'code_rejected'],
    [400, { error: 'unauthorized_client', error_description:
        '<script>alert(1)</script>' }, 'code_rejected'],
    [400, { nothing: 1 }, 'code_rejected'],
    [403, {}, 'code_rejected'],
];

for (const [status, body, code] of kErrors) {
    test(`CB-9: ${status} ${JSON.stringify(body)} is 502 ${code}`, async () => {
        s.op.wire.token = wire.instead({ status, body: JSON.stringify(body) });
        const mark = s.nginx.mark();
        const { answer } = await attempt(s);
        assertRefused(answer, 502, code);
        assert.doesNotMatch(answer.body, /<script>/);

        const lines = s.nginx.complaints(mark);
        assertOneLine(lines);
        assert.match(lines[0], new RegExp(body.error ?? String(status)));
        assert.doesNotMatch(lines[0], /shop secret/);
    });
}

for (const endpoint of ['metadata', 'jwks']) {
    for (const [what, fail] of kUnavailable) {
        test(`${endpoint} ${what}: 503, and the next login works`, () =>
            play(configuration, {}, (s) => knowledgeFault(s, endpoint, fail,
                503, 'provider_unavailable')));
    }

    for (const [what, fail] of kStrange) {
        test(`${endpoint} ${what}: refused, and the next login works`, () =>
            play(configuration, {}, (s) => knowledgeFault(s, endpoint, fail,
                [502, 503], ['provider_unavailable', 'provider_misconfigured'])));
    }
}

async function knowledgeFault(s, endpoint, fail, status, code) {
    await fail(s.op, endpoint);
    const mark = s.nginx.mark();
    const answer = endpoint === 'metadata'
        ? await s.browser().navigate('/bff/login', { follow: false })
        : (await attempt(s)).answer;

    assertRefused(answer, status, code);
    assertOneLine(s.nginx.complaints(mark));

    if (answer.status === 503) {
        assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    }

    await s.op.accept(kDoor[endpoint]);
    s.op.reset();
    await until('a login once the provider works', async () => {
        const start = await s.browser().navigate('/bff/login', { follow: false });
        return start.status === 302 && (await attempt(s)).answer.status === 200;
    });
}

test('a provider that went away does not disturb who is logged in', async () => {
    const b = s.browser();
    await b.login('/');
    await Promise.all(['main', 'jwks', 'token'].map((d) => s.op.refuse(d)));

    try {
        assert.equal((await b.session()).authenticated, true);
    } finally {
        await Promise.all(['main', 'jwks', 'token'].map((d) => s.op.accept(d)));
    }
});

test('a browser that leaves while the provider thinks does no harm', async () => {
    const { connect } = await import('../lib/raw.mjs');
    const b = s.browser();
    const there = await b.startLogin();
    const back = new URL(s.op.approve(there.href));
    s.op.wire.token = wire.silent;

    const socket = connect(s.at.port('main'), 'shop.test');
    socket.on('error', () => {});
    socket.write(`GET ${back.pathname}${back.search} HTTP/1.1\r\n`
        + `Host: ${back.host}\r\nCookie: ${b.jar.header(back)}\r\n\r\n`);
    await until('the token call', () => s.op.calls('token').length === 1);
    socket.destroy();

    s.op.reset();
    assertLoggedIn((await attempt(s)).answer);
});

test('an unavailable provider is JSON for a script, with Retry-After', async () => {
    await play(configuration, {}, async (s) => {
        await s.op.refuse('main');
        const answer = await s.browser().api('/bff/login');
        assert.equal(answer.status, 503);
        assert.equal(answer.json().code, 'provider_unavailable');
        assert.match(answer.headers['retry-after'], /^\d+$/);
    });
});
