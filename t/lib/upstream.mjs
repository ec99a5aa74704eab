// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// An API that keeps the raw bytes of every request it gets.
//
// It reads HTTP/1 itself, so a test sees exactly what NGINX sent: order, case,
// doubled lines. It answers small JSON, keeps connections, and echoes after an
// upgrade.

import { createHash } from 'node:crypto';
import net from 'node:net';

import { takeChunked } from './chunked.mjs';
import { freePort } from './ports.mjs';

const kWebSocket = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export class Upstream {
    requests = [];
    connections = 0;
    #sockets = new Set();

    // What to answer: (request) => ({ status, headers, body, after }); `after`
    // is a promise to wait for.
    answer = () => ({});

    static async start() {
        const api = new Upstream();
        api.port = await freePort();
        api.server = net.createServer({ noDelay: true },
            (socket) => api.#serve(socket));
        await new Promise((resolve) =>
            api.server.listen(api.port, '127.0.0.1', resolve));
        api.server.unref();
        return api;
    }

    get address() {
        return `127.0.0.1:${this.port}`;
    }

    get last() {
        return this.requests.at(-1);
    }

    // The requests that came while action() ran.
    async during(action) {
        const before = this.requests.length;
        await action();
        return this.requests.slice(before);
    }

    stop() {
        this.#sockets.forEach((socket) => socket.destroy());
        return new Promise((resolve) => this.server.close(resolve));
    }

    #serve(socket) {
        const connection = ++this.connections;
        let pending = Buffer.alloc(0);

        this.#sockets.add(socket);
        socket.unref();
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => {});

        const read = (data) => {
            pending = Buffer.concat([pending, data]);

            for (let one; (one = takeRequest(pending));) {
                pending = one.rest;
                this.#reply(socket, { ...one, connection }, read);
            }
        };

        socket.on('data', read);
    }

    #reply(socket, { raw, body, connection }, read) {
        const request = new Received(raw, body, connection);
        this.requests.push(request);

        if (request.header('upgrade')) {
            socket.off('data', read);
            socket.write('HTTP/1.1 101 Switching Protocols\r\n'
                + `${protocolFor(request)}Connection: Upgrade\r\n\r\n`);
            socket.pipe(socket);
            return;
        }

        const answer = this.answer(request) ?? {};
        const send = () => sendAnswer(socket, request, answer);
        answer.after ? answer.after.then(send) : send();
    }
}

export class Received {
    constructor(raw, body, connection) {
        this.raw = raw;
        this.body = body.toString('utf8');
        this.connection = connection;

        const [line, ...rest] = raw.slice(0, -4).split('\r\n');
        [this.method, this.target, this.version] = line.split(' ');
        this.lines = rest;
    }

    // All values of this header, in the order of their lines.
    all(name) {
        const start = `${name.toLowerCase()}:`;
        return this.lines.filter((line) => line.toLowerCase().startsWith(start))
            .map((line) => line.slice(start.length).trim());
    }

    header(name) {
        return this.all(name)[0];
    }
}

// A browser's WebSocket opens (RFC 6455, 4.2.2), and closes at the first echo.
function protocolFor(request) {
    const key = request.header('sec-websocket-key');

    return key ? 'Upgrade: websocket\r\nSec-WebSocket-Accept: '
        + `${createHash('sha1').update(`${key}${kWebSocket}`)
            .digest('base64')}\r\n` : 'Upgrade: echo\r\n';
}

function sendAnswer(socket, request, answer) {
    const { status = 200, headers = {} } = answer;
    const body = Buffer.from(answer.body
        ?? JSON.stringify({ method: request.method, target: request.target }));
    const close = /^close$/i.test(request.header('connection') ?? '')
        || request.version === 'HTTP/1.0';
    const lines = Object.entries({ 'Content-Type': 'application/json',
        ...headers, 'Content-Length': body.length,
        Connection: close ? 'close' : 'keep-alive' });

    socket.write(`HTTP/1.1 ${status} Answer\r\n`
        + lines.map(([k, v]) => `${k}: ${v}\r\n`).join('') + '\r\n');
    socket.write(request.method === 'HEAD' ? '' : body);

    if (close) {
        socket.end();
    }
}

// The first whole request of these bytes, or nothing yet.
function takeRequest(bytes) {
    const end = bytes.indexOf('\r\n\r\n');

    if (end < 0) {
        return null;
    }

    const raw = bytes.toString('latin1', 0, end + 4);
    const rest = bytes.subarray(end + 4);

    if (/^transfer-encoding:\s*chunked/im.test(raw)) {
        const chunked = takeChunked(rest);
        return chunked && { raw, ...chunked };
    }

    const length = Number(/^content-length:\s*(\d+)/im.exec(raw)?.[1] ?? 0);
    return rest.length < length ? null
        : { raw, body: rest.subarray(0, length), rest: rest.subarray(length) };
}
