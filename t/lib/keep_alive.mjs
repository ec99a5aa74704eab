// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A connection for a table's many rows: one request after the other, as bytes,
// each answer read to its end. Who closes is come back to.

import { takeChunked } from './chunked.mjs';
import { connect } from './raw.mjs';
import { within } from './wait.mjs';

export class KeepAlive {
    #pending = Buffer.alloc(0);
    #wake = () => {};

    // name: TLS with this server name
    constructor(port, name) {
        this.port = port;
        this.name = name;
    }

    // lines: of the header, without "Host", which is added when it is not there.
    get(path, lines = [], method = 'GET') {
        const host = lines.some((line) => /^host:/i.test(line)) ? []
            : ['Host: shop.test'];
        const head = [`${method} ${path} HTTP/1.1`, ...host, ...lines];
        return this.ask(`${head.join('\r\n')}\r\n\r\n`, { method });
    }

    // { status, headers: [[name, value]], body, all(name) }
    async ask(bytes, options = {}) {
        this.write(bytes);
        return this.answer(options);
    }

    write(bytes) {
        if (!this.socket || this.socket.destroyed || this.isClosed) {
            this.#open();
        }
        this.socket.write(bytes);
    }

    answer({ method = 'GET' } = {}) {
        return within('an answer', this.#read(method));
    }

    close() {
        this.socket?.destroy();
    }

    #open() {
        const socket = connect(this.port, this.name);
        this.socket = socket;
        this.#pending = Buffer.alloc(0);
        this.isClosed = false;

        socket.unref();
        socket.on('data', (data) => {
            if (socket === this.socket) {
                this.#pending = Buffer.concat([this.#pending, data]);
                this.#wake();
            }
        });
        const end = () => {
            if (socket === this.socket) {
                this.isClosed = true;
                this.#wake();
            }
        };
        socket.on('error', end);
        socket.on('end', end);
        socket.on('close', end);
    }

    async #read(method) {
        for (;;) {
            const one = takeAnswer(this.#pending, method, this.isClosed);
            if (one) {
                this.#pending = one.rest;
                if (/^close$/i.test(one.answer.all('connection')[0] ?? '')) {
                    this.socket.destroy();
                    this.isClosed = true;
                }
                return one.answer;
            }
            if (this.isClosed) {
                throw new Error(`closed after: ${
                    this.#pending.toString('latin1')}`);
            }
            await new Promise((resolve) => { this.#wake = resolve; });
        }
    }
}

// The first whole answer of these bytes, or nothing yet; interim ones are
// passed over.
function takeAnswer(bytes, method, isClosed) {
    const end = bytes.indexOf('\r\n\r\n');

    if (end < 0) {
        return null;
    }

    const [line, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const headers = lines.map((l) => [l.slice(0, l.indexOf(':')),
        l.slice(l.indexOf(':') + 1).trim()]);
    const all = (name) => headers.filter(([n]) => n.toLowerCase() === name)
        .map(([, value]) => value);
    const status = Number(line.split(' ')[1]);
    const rest = bytes.subarray(end + 4);

    if (status < 200 && status !== 101) {
        return takeAnswer(rest, method, isClosed);
    }

    const body = method === 'HEAD' || status === 204 || status === 304
        || status === 101 ? { body: Buffer.alloc(0), rest }
        : takeBody(rest, all, isClosed);
    return body && { rest: body.rest, answer: { status, headers, all,
        body: body.body.toString('utf8') } };
}

function takeBody(bytes, all, isClosed) {
    const length = all('content-length')[0];

    if (length !== undefined) {
        return bytes.length < Number(length) ? null
            : { body: bytes.subarray(0, Number(length)),
                rest: bytes.subarray(Number(length)) };
    }

    return all('transfer-encoding')[0] === 'chunked' ? takeChunked(bytes)
        : isClosed ? { body: bytes, rest: Buffer.alloc(0) } : null;
}
