// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The ways an answer can travel, and can fail to.
//
// Each is a function (socket, answer) that writes the bytes itself; answer is
// { status, headers, body }. A test hands one to Provider.wire.

import zlib from 'node:zlib';

export function plain(socket, answer) {
    const body = Buffer.from(answer.body);
    socket.write(head(answer, { 'Content-Length': body.length }));
    socket.end(body);
}

export function chunked(size = 7) {
    return (socket, answer) => {
        const body = Buffer.from(answer.body);
        socket.write(head(answer, { 'Transfer-Encoding': 'chunked' }));

        for (let at = 0; at < body.length; at += size) {
            const part = body.subarray(at, at + size);
            socket.write(`${part.length.toString(16)};ext=1\r\n`);
            socket.write(part);
            socket.write('\r\n');
        }

        socket.end('0\r\nTrailer: yes\r\n\r\n');
    };
}

// HTTP/1.0: the body ends where the connection does.
export function untilClose(socket, answer) {
    socket.write(head(answer, {}, 'HTTP/1.0'));
    socket.end(answer.body);
}

export function interim(socket, answer) {
    socket.write('HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n');
    socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    plain(socket, answer);
}

export function octetByOctet(pause) {
    return (socket, answer) => {
        const body = Buffer.from(answer.body);
        const all = Buffer.concat([
            Buffer.from(head(answer, { 'Content-Length': body.length })), body]);
        trickle(socket, all, pause);
    };
}

function trickle(socket, bytes, pause) {
    let at = 0;
    const timer = setInterval(() => {
        socket.write(bytes.subarray(at, ++at));

        if (at === bytes.length) {
            socket.end();
            clearInterval(timer);
        }
    }, pause);

    socket.on('close', () => clearInterval(timer));
}

// A write for every few octets, each in a packet of its own if the network
// likes; no waiting in between.
export function inPieces(size) {
    return (socket, answer) => {
        const body = Buffer.from(answer.body);
        const all = Buffer.concat([
            Buffer.from(head(answer, { 'Content-Length': body.length })), body]);
        const send = (at) => at < all.length
            ? socket.write(all.subarray(at, at + size),
                () => setImmediate(send, at + size))
            : socket.end();

        socket.setNoDelay(true);
        send(0);
    };
}

// Never answers.
export function silent() {
}

export function closeBefore(socket) {
    socket.end();
}

export function resetBefore(socket) {
    reset(socket);
}

export function resetWithin(socket, answer) {
    const body = Buffer.from(answer.body);
    socket.write(head(answer, { 'Content-Length': body.length }));
    socket.write(body.subarray(0, body.length / 2), () =>
        setImmediate(() => reset(socket)));
}

// The body would end with the connection, but that breaks.
export function resetUntilClose(socket, answer) {
    socket.write(head(answer, {}, 'HTTP/1.0'));
    socket.write(Buffer.from(answer.body).subarray(0, answer.body.length / 2),
        () => setImmediate(() => reset(socket)));
}

// Begins well, then nothing more comes.
export function stalls(socket, answer) {
    const body = Buffer.from(answer.body);
    socket.write(head(answer, { 'Content-Length': body.length }));
    socket.write(body.subarray(0, body.length / 2));
}

export function stallsUntilClose(socket, answer) {
    socket.write(head(answer, {}, 'HTTP/1.0'));
    socket.write(Buffer.from(answer.body).subarray(0, answer.body.length / 2));
}

export function truncatedLength(socket, answer) {
    const body = Buffer.from(answer.body);
    socket.write(head(answer, { 'Content-Length': body.length }));
    socket.end(body.subarray(0, body.length - 5));
}

export function truncatedHeader(socket) {
    socket.end('HTTP/1.1 200 OK\r\nContent-Type: applic');
}

export function truncatedChunked(socket, answer) {
    const body = Buffer.from(answer.body);
    socket.write(head(answer, { 'Transfer-Encoding': 'chunked' }));
    socket.write(`${body.length.toString(16)}\r\n`);
    socket.write(body);
    socket.end('\r\n');
}

export function raw(bytes) {
    return (socket) => socket.end(bytes);
}

// Another status, header or body, well framed.
export function instead(change) {
    return (socket, answer) => plain(socket, { ...answer, ...change,
        headers: { ...answer.headers, ...change.headers } });
}

// Compressed, as nobody has asked for.
export function gzipped(socket, answer) {
    plain(socket, { ...answer, body: zlib.gzipSync(answer.body),
        headers: { ...answer.headers, 'Content-Encoding': 'gzip' } });
}

export function redirect(location, status = 302) {
    return instead({ status, headers: { Location: location }, body: '' });
}

// The usual answer, with this many octets of white space before its end.
export function huge(octets) {
    return (socket, answer) => plain(socket, { ...answer,
        body: answer.body.replace(/}$/, `${' '.repeat(octets)}}`) });
}

// Without end, and without saying so.
export function endless(socket, answer) {
    const piece = ' '.repeat(16 * 1024);
    const more = () => socket.destroyed || socket.write(piece,
        (e) => e || setImmediate(more));

    socket.write(head(answer, {}, 'HTTP/1.0'));
    socket.write(answer.body.replace(/}$/, ''));
    more();
}

// The usual JSON object with one more member that nests this deep.
export function deep(levels) {
    return withMember(`"deep":${'['.repeat(levels)}${']'.repeat(levels)}`);
}

export function withMember(member) {
    return (socket, answer) => plain(socket, { ...answer,
        body: answer.body.replace(/}$/, `,${member}}`) });
}

function reset(socket) {
    if (socket.encrypted) {
        socket.destroy();
    } else {
        socket.resetAndDestroy();
    }
}

function head(answer, framing, version = 'HTTP/1.1') {
    const lines = { 'Content-Type': 'application/json', ...answer.headers,
        ...framing, Connection: 'close' };

    return `${version} ${answer.status ?? 200} Answer\r\n`
        + Object.entries(lines).map(([k, v]) => `${k}: ${v}\r\n`).join('')
        + '\r\n';
}
