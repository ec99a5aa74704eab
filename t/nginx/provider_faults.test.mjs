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
const configuration = ({ op, api, at }) => `
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
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }
`;

// The cookies of somebody who is logged in, at any NGINX with this key.
let somebody;

const s = stage(configuration, { ready: async (s) => {
    const browser = s.browser();
    await browser.login('/');
    somebody = browser.jar;
} });

const kDoor = { metadata: 'main', jwks: 'jwks', token: 'token' };
const kAway = [503, 'provider_unavailable'];
const kBreaksARule = [502, 'provider_misconfigured'];

function refuse(op, endpoint) {
    return op.refuse(kDoor[endpoint]);
}

function send(way) {
    return (op, endpoint) => { op.wire[endpoint] = way; };
}

function status(code, headers = {}) {
    return send(wire.instead({ status: code, body: '{"a":1}', headers }));
}

function raw(...lines) {
    return send(wire.raw(lines.join('\r\n')));
}

// To an address that would answer well, were it asked.
function redirects(code) {
    return (op, endpoint) => { op.wire[endpoint] =
        wire.redirect(`${op.issuer}/elsewhere`, code); };
}

// [what, how it fails]: the provider is not there for us.
const kUnavailable = [
    ['refuses the connection', refuse],
    ['resets before the answer', send(wire.resetBefore)],
    ['resets in the answer', send(wire.resetWithin)],
    ['resets where the end would be the end', send(wire.resetUntilClose)],
    ['closes before the answer', send(wire.closeBefore)],
    ['closes in the header', send(wire.truncatedHeader)],
    ['sends less than Content-Length', send(wire.truncatedLength)],
    ['ends before the last chunk', send(wire.truncatedChunked)],
    ['never answers', send(wire.silent)],
    ['stops in the answer', send(wire.stalls)],
    ['stops where the end would be the end', send(wire.stallsUntilClose)],
    ['sends one octet now and then', send(wire.octetByOctet(100))],
    ...[408, 429, 500, 502, 503, 504].map((code) =>
        [`answers ${code}`, status(code)]),
    ['answers 503 with Retry-After', status(503, { 'Retry-After': '1' })],
    ['answers 503, compressed', status(503, { 'Content-Encoding': 'gzip' })],
];

// An answer came, and breaks a rule of HTTP, of OpenID Connect or of section 9
// of the contract.
const kBroken = [
    ['speaks no HTTP', raw('SSH-2.0-OpenSSH_9.2', '', '')],
    ['speaks HTTP/2', raw('HTTP/2 200', '', '{}')],
    ['sends a broken chunk size', raw('HTTP/1.1 200 OK',
        'Transfer-Encoding: chunked', '', 'zz', '{}', '0', '', '')],
    ['sends a chunk that is longer than it says', raw('HTTP/1.1 200 OK',
        'Transfer-Encoding: chunked', '', '1', '{}', '0', '', '')],
    ['sends two Content-Lengths', raw('HTTP/1.1 200 OK', 'Content-Length: 2',
        'Content-Length: 5', '', '{}')],
    ['sends length and chunks', raw('HTTP/1.1 200 OK', 'Content-Length: 2',
        'Transfer-Encoding: chunked', '', '{}')],
    ['sends a Content-Length that is none', raw('HTTP/1.1 200 OK',
        'Content-Length: -2', '', '{}')],
    ['sends more than Content-Length', raw('HTTP/1.1 200 OK',
        'Content-Length: 2', '', '{"a": 1}')],
    ['sends a header without end', send(wire.raw(
        `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100000)}`))],
    ['sends 300 KiB', send(wire.huge(300 * 1024))],
    ['sends 300 KiB in chunks', send((socket, answer) => wire.chunked(4096)(
        socket, { ...answer, body: ' '.repeat(300 * 1024) }))],
    ['sends without end', send(wire.endless)],
    ['sends 33 levels', send(wire.deep(33))],
    ['sends 100000 levels', send(wire.deep(100000))],
    ['sends a member twice', send((socket, answer) => wire.plain(socket,
        { ...answer, body: answer.body.replace('{', '{"keys":[],"keys":[],'
            + '"access_token":"x","access_token":"y",') }))],
    ['sends a member twice within', send(wire.withMember('"a":{"b":1,"b":1}'))],
    ['sends text', send(wire.instead({ body: 'hello' }))],
    ['sends nothing', send(wire.instead({ body: '' }))],
    ['sends a list', send(wire.instead({ body: '[]' }))],
    ['sends a number', send(wire.instead({ body: '7' }))],
    ['sends an object and something', send((socket, answer) => wire.plain(
        socket, { ...answer, body: `${answer.body} x` }))],
    ['sends a wrong object', send(wire.instead({ body: '{"a":1}' }))],
    ['sends no UTF-8', send(wire.instead({ body:
        Buffer.from('{"a":"\xff\xfe"}', 'latin1') }))],
    ['compresses unasked', send(wire.gzipped), /Content-Encoding/],
    ['says it has compressed', status(200, { 'content-encoding': 'br' }),
        /Content-Encoding/],
    ...[301, 302, 303, 307, 308].map((code) =>
        [`redirects with ${code}`, redirects(code), /redirect/]),
    ...[201, 204, 206, 304].map((code) => [`answers ${code}`, status(code)]),
];

// A refusal, wherever no OAuth error is meant.
const kRefusals = [400, 401, 403, 404, 410].map((code) =>
    [`answers ${code}`, status(code), new RegExp(code)]);

// What a peer may do, and what must work.
const kFine = [
    ['sends chunks', wire.chunked(7)],
    ['sends one chunk', wire.chunked(100000)],
    ['ends the body with the connection', wire.untilClose],
    ['sends interim answers first', wire.interim],
    ['sends the answer octet by octet', wire.inPieces(1)],
    ['sends the answer in pieces', wire.inPieces(41)],
    ['says that nothing is compressed', wire.instead({ headers:
        { 'Content-Encoding': 'identity' } })],
];

async function livesOn(s) {
    const browser = s.browser();
    browser.jar = somebody.copy();

    assert.equal((await browser.api('/api/x')).status, 200);
    assert.equal((await browser.session()).authenticated, true);
}

function assertOneLine(lines, reason = /./) {
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0], /corp/);
    assert.match(lines[0], reason);
}

// One call, no session, one line, the right code; and the next login works.
async function fault(s, endpoint, fail, [status, code], reason) {
    const mark = s.nginx.mark();
    s.op.requests = [];
    await fail(s.op, endpoint);
    const [{ answer, browser, url }] = await Promise.all([
        failed(s, endpoint), livesOn(s)]);

    assertRefused(answer, status, code);
    assertOneLine(s.nginx.complaints(mark), reason);
    assert.deepEqual(browser.jar.named(kSessionCookie), []);
    assertHidden(answer, [url?.searchParams.get('code')]);
    assert.ok(s.op.calls(endpoint).length <= 1, 'it was asked twice');
    assert.equal(s.op.calls('/elsewhere').length, 0);

    if (status === 503) {
        assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
    }

    await s.op.accept(kDoor[endpoint]);
    s.op.reset();
}

async function failed(s, endpoint) {
    if (endpoint !== 'metadata') {
        return attempt(s);
    }

    const browser = s.browser();
    return { browser, answer: await browser.navigate('/bff/login',
        { follow: false }) };
}

// The documents are fetched once only, so each of theirs has its own NGINX.
function faults(table, endpoint, expected) {
    for (const [what, fail, reason] of table) {
        test(`${endpoint} ${what}: ${expected.join(' ')}, then a login works`,
            () => endpoint === 'token' ? tokenFault(fail, expected, reason)
                : play(configuration, {}, async (s) => {
                    await fault(s, endpoint, fail, expected, reason);
                    await comesBack(s);
                }));
    }
}

async function tokenFault(fail, expected, reason) {
    assertLoggedIn((await attempt(s)).answer);      // the documents are known
    await fault(s, 'token', fail, expected, reason);
    assertLoggedIn((await attempt(s)).answer);
}

// One failure is forgiven, unless the provider has asked for a pause.
async function comesBack(s) {
    await until('a login once the provider works', async () =>
        (await s.browser().navigate('/bff/login', { follow: false }))
            .status === 302 && (await attempt(s)).answer.status === 200);
}

for (const endpoint of ['metadata', 'jwks', 'token']) {
    faults(kUnavailable, endpoint, kAway);
    faults(kBroken, endpoint, kBreaksARule);
}

for (const endpoint of ['metadata', 'jwks']) {
    faults(kRefusals, endpoint, kBreaksARule);
}

faults(kRefusals, 'token', [502, 'code_rejected']);

test('nobody is asked to compress', () =>
    play(configuration, {}, async (s) => {
        assertLoggedIn((await attempt(s)).answer);
        s.op.requests.forEach(({ headers, endpoint }) =>
            assert.equal(headers['accept-encoding'], 'identity', endpoint));
        assert.equal(s.op.requests.length, 3);
    }));

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

// [what, change of the token answer, code if another]
const kBadTokens = [
    ['no access_token', (t) => delete t.access_token],
    ['an empty access_token', (t) => { t.access_token = ''; }],
    ['an access_token that is a number', (t) => { t.access_token = 7; }],
    ['an access_token with a line break', (t) => {
        t.access_token = 'a\r\nX-Evil: 1';
    }],
    ['an access_token with a blank', (t) => { t.access_token = 'a b'; }],
    ['an access_token with a NUL', (t) => { t.access_token = 'a\u0000b'; }],
    ['an access_token of 129 KiB', (t) => {
        t.access_token = 'x'.repeat(129 * 1024);
    }],
    ['no token_type', (t) => delete t.token_type],
    ['another token_type', (t) => { t.token_type = 'mac'; }],
    ['token_type DPoP', (t) => { t.token_type = 'DPoP'; }],
    ['a negative expires_in', (t) => { t.expires_in = -5; }],
    ['an expires_in that is a list', (t) => { t.expires_in = [3600]; }],
    ['an expires_in that is no number', (t) => { t.expires_in = 'soon'; }],
    ['a refresh_token that is an object', (t) => { t.refresh_token = {}; }],
    ['an id_token that is null', (t) => { t.id_token = null; },
        'id_token_invalid'],
    ['an error beside it', (t) => { t.error = 'server_error';
        delete t.access_token; }, 'code_rejected'],
];

for (const [what, spoil, code] of kBadTokens) {
    test(`CB-8: a token answer with ${what}: 502 and no session`, async () => {
        s.op.tokenAnswer = (usual) => {
            spoil(usual);
            return usual;
        };
        const mark = s.nginx.mark();
        const { answer, browser } = await attempt(s);
        assertRefused(answer, 502, code ?? 'provider_misconfigured');
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
