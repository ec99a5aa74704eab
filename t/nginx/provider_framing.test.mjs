// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A provider, or somebody between, whose answers can be read in two ways. What
// one answer leaves over is nobody's: each call has a connection of its own,
// and the tokens of one person never reach another.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        refresh_before 0s;
        timeout 2s;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }
`);

async function loggedIn(seconds = 3600) {
    s.op.expiresIn = seconds;
    const b = s.browser();
    await b.login('/');
    s.op.expiresIn = 3600;
    s.op.requests = [];
    s.api.requests = [];
    return { b, bearer: `Bearer ${s.op.tokens.access_token}` };
}

// A token that is somebody else's, as an answer of its own.
const kForeign = JSON.stringify({ access_token: 'foreign', token_type: 'Bearer',
    refresh_token: 'foreign', expires_in: 3600 });
const kSecond = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
    + `Content-Length: ${kForeign.length}\r\n\r\n${kForeign}`;
const kOk = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

const counted = (body) => `${kOk}Content-Length: ${body.length}\r\n\r\n${body}`;
const hex = (text) => text.length.toString(16);
const chunk = (text, more = '') => `${hex(text)}${more}\r\n${text}\r\n`;
const inChunks = (...parts) => `${kOk}Transfer-Encoding: chunked\r\n\r\n${
    parts.join('')}`;

// [what, the bytes, whether it is an answer]; the connection stays open after
// them, so that more could be read from it.
const kAnswers = [
    ['an answer and another', (b) => counted(b) + kSecond, true],
    ['an answer and surplus octets', (b) => `${counted(b)}xxxx\r\n`, true],
    ['keep-alive and another', (b) => counted(b).replace('\r\n',
        '\r\nConnection: keep-alive\r\nKeep-Alive: timeout=60\r\n')
        + kSecond, true],
    ['chunks and another', (b) => `${inChunks(chunk(b))}0\r\n\r\n${kSecond}`,
        true],
    ['chunks of one octet', (b) => `${inChunks(...[...b]
        .map((c) => chunk(c)))}0\r\n\r\n`, true],
    ['chunk extensions', (b) => `${inChunks(chunk(b, ';a="b";c'))}`
        + '0;x\r\n\r\n', true],
    ['chunk sizes with zeros', (b) => `${kOk}Transfer-Encoding: chunked\r\n\r\n`
        + `000000${chunk(b)}000\r\n\r\n`, true],
    ['trailers that look like a header', (b) => `${inChunks(chunk(b))}0\r\n`
        + 'Content-Length: 3\r\nTransfer-Encoding: gzip\r\n'
        + 'Set-Cookie: x=1\r\n\r\n', true],
    ['interim answers before', (b) => 'HTTP/1.1 100 Continue\r\n\r\n'
        + `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${counted(b)}`, true],
    ['an interim answer that has a body', (b) => 'HTTP/1.1 103 Hints\r\n'
        + `Content-Length: ${kForeign.length}\r\n\r\n${kForeign}${counted(b)}`,
    false],
    ['many interim answers', (b) => 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(50)
        + counted(b), false],
    ['a switch of protocols', (b) => 'HTTP/1.1 101 Switching Protocols\r\n'
        + `Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n${counted(b)}`, false],
    ['Content-Length and Transfer-Encoding', (b) => `${kOk}`
        + `Content-Length: ${b.length}\r\nTransfer-Encoding: chunked\r\n\r\n`
        + `${chunk(b)}0\r\n\r\n`, false],
    ['Transfer-Encoding and Content-Length', (b) => `${kOk}`
        + `Transfer-Encoding: chunked\r\nContent-Length: ${b.length}\r\n\r\n`
        + `${b}`, false],
    ['Content-Length twice', (b) => counted(b).replace('Content-Length',
        `Content-Length: ${b.length}\r\nContent-Length`), false],
    ['two different lengths', (b) => counted(b).replace('Content-Length',
        'Content-Length: 2\r\nContent-Length'), false],
    ['a list of lengths', (b) => counted(b).replace(/(Content-Length: )(\d+)/,
        '$1$2, $2'), false],
    ['a negative length', (b) => counted(b).replace(/(Length: )\d+/, '$1-1'),
        false],
    ['a signed length', (b) => counted(b).replace(/(Length: )/, '$1+'), false],
    ['a length in hex', (b) => counted(b).replace(/(Length: )\d+/,
        `$10x${hex(b)}`), false],
    ['a length beyond 64 bits', (b) => counted(b).replace(/(Length: )(\d+)/,
        (all, name, n) => name + (2n ** 64n + BigInt(n))), false],
    ['an empty length', (b) => counted(b).replace(/(Length: )\d+/, '$1'),
        false],
    ['a name before a space', (b) => counted(b).replace('Length:', 'Length :'),
        false],
    ['a folded line', (b) => counted(b).replace('Content-Length: ',
        'Content-Length:\r\n '), false],
    ['a CR within a line', (b) => counted(b).replace('Content-Type:',
        'X: a\rContent-Length: 3\r\nContent-Type:'), false],
    ['a NUL within a line', (b) => counted(b).replace('Content-Type:',
        'X: a\0b\r\nContent-Type:'), false],
    ['LF among CRLF', (b) => counted(b).replace('OK\r\n', 'OK\n'), false],
    ['a coding that is none', (b) => `${kOk}Transfer-Encoding: identity\r\n\r\n`
        + `${chunk(b)}0\r\n\r\n`, false],
    ['two codings', (b) => `${kOk}Transfer-Encoding: gzip, chunked\r\n\r\n`
        + `${chunk(b)}0\r\n\r\n`, false],
    ['a coding with a vertical tab', (b) => `${kOk}Transfer-Encoding: chunked\v`
        + `\r\n\r\n${chunk(b)}0\r\n\r\n`, false],
    ['chunks over HTTP/1.0', (b) => `${inChunks(chunk(b))}0\r\n\r\n`
        .replace('HTTP/1.1', 'HTTP/1.0'), false],
    ['a negative chunk', (b) => `${inChunks(`-${chunk(b)}`)}0\r\n\r\n`, false],
    ['a chunk beyond 64 bits', (b) => `${inChunks(`1${'0'.repeat(16 - hex(b)
        .length)}${chunk(b)}`)}0\r\n\r\n`, false],
    ['a chunk with 0x', (b) => `${inChunks(`0x${chunk(b)}`)}0\r\n\r\n`, false],
    ['a chunk longer than it says', (b) => `${kOk}Transfer-Encoding: chunked`
        + `\r\n\r\n3\r\n${b}\r\n0\r\n\r\n`, false],
    ['a chunk whose size ends with LF', (b) => `${inChunks(`${hex(b)}\n${b}\r\n`
    )}0\r\n\r\n`, false],
    ['a chunk extension without end', (b) => inChunks(`${hex(b)};${
        'x'.repeat(300000)}`), false],
    ['HTTP/0.9', (b) => `${b}\r\n`, false],
    ['HTTP/2.0', (b) => counted(b).replace('HTTP/1.1', 'HTTP/2.0'), false],
    ['another protocol', (b) => counted(b).replace('HTTP/1.1', 'ICY'), false],
    ['a status of four digits', (b) => counted(b).replace('200', '2000'), false],
    ['an empty line before', (b) => `\r\n${counted(b)}`, false],
    ['a gzip without asking', (b) => counted(b).replace('Content-Type',
        'Content-Encoding: gzip\r\nContent-Type'), false],
];

// Answers with these bytes and keeps the connection open.
function keeping(bytes, sockets) {
    return (socket, answer) => {
        sockets.push(socket);
        socket.write(Buffer.from(bytes(answer.body), 'latin1'));
    };
}

for (const [what, bytes, isAnswer] of kAnswers) {
    test(`a refresh whose answer is ${what}: ${
        isAnswer ? 'its tokens, and no others' : 'no tokens'}`, async () => {
        const [one, two] = [await loggedIn(0), await loggedIn(0)];
        const sockets = [];
        s.op.wire.token = keeping(bytes, sockets);
        const answer = await one.b.api('/api/one');

        if (isAnswer) {
            assert.equal(answer.status, 200, answer.body);
            assert.deepEqual(s.api.last.all('authorization'),
                [`Bearer ${s.op.tokens.access_token}`]);
        } else {
            assert.ok([502, 503].includes(answer.status), `${answer.status}`);
            assert.deepEqual(s.api.requests, []);
        }

        s.op.wire.token = wire.plain;
        assert.equal((await two.b.api('/api/two')).status, 200);
        assert.deepEqual(s.api.last.all('authorization'),
            [`Bearer ${s.op.tokens.access_token}`]);
        s.api.requests.forEach((r) => assert.ok(!r.raw.includes('foreign')));
        // left as soon as there was an answer, or none could come any more
        await until('the connection to be closed', () =>
            sockets.every((socket) => socket.destroyed));
    });
}

test('two at once: each gets what came over its own connection', async () => {
    const people = [await loggedIn(0), await loggedIn(0), await loggedIn(0)];
    const calls = [];
    s.op.wire.token = (socket, answer) => calls.push({ socket, answer,
        token: JSON.parse(answer.body).access_token,
        of: s.op.calls('token').length });
    const answers = people.map(({ b }, i) => b.api(`/api/${i}`));
    await until('all to ask', () => calls.length === people.length);

    assert.equal(new Set(calls.map((c) => c.socket)).size, people.length);
    calls.reverse().forEach((c) => wire.plain(c.socket, c.answer));
    assert.deepEqual((await Promise.all(answers)).map((a) => a.status),
        [200, 200, 200]);
    s.op.wire.token = wire.plain;

    const sent = new Set(s.api.requests.map((r) => r.header('authorization')));
    assert.deepEqual(sent, new Set(calls.map((c) => `Bearer ${c.token}`)));
    // whose refresh token it was is known by what the browser has from now on
    for (const { b } of people) {
        s.api.requests = [];
        await b.api('/api/again');
        assert.ok(sent.delete(s.api.last.header('authorization')));
    }
});

test('a call asks to be left, and says what it sends once', async () => {
    const { b } = await loggedIn(0);
    await b.api('/api/x');
    const [call] = s.op.calls('token');
    const names = call.rawHeaders.filter((_, i) => i % 2 === 0)
        .map((name) => name.toLowerCase());

    assert.equal(call.headers.connection, 'close');
    assert.equal(call.headers['accept-encoding'], 'identity');
    assert.equal(Number(call.headers['content-length']),
        Buffer.byteLength(call.body));
    assert.equal(call.headers['transfer-encoding'], undefined);
    assert.deepEqual(names, [...new Set(names)]);
});
