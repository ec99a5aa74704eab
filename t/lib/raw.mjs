// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Requests as bytes: for HTTP/0.9, HTTP/1.0, pipelining, and for what no HTTP
// library would send. Answers are read until the server closes.

import net from 'node:net';
import tls from 'node:tls';

import { authority } from './pki.mjs';
import { within } from './wait.mjs';

// Connects to 127.0.0.1:port; name: TLS with this server name.
export function connect(port, name) {
    return name === undefined ? net.connect(port, '127.0.0.1')
        : tls.connect({ port, host: '127.0.0.1', servername: name,
            ca: authority().text });
}

// Sends the bytes and gives everything that came back as latin1 text.
export async function exchange(port, bytes, name) {
    const socket = connect(port, name);
    const parts = [];

    const done = new Promise((resolve) => {
        socket.on('data', (data) => parts.push(data));
        socket.on('error', resolve);
        socket.on('close', resolve);
    });

    socket.write(bytes);

    try {
        await within('the server to close', done);
    } finally {
        socket.destroy();
    }

    return Buffer.concat(parts).toString('latin1');
}

// Reads from an open socket until the text matches.
export async function readUntil(socket, pattern) {
    let text = '';

    await within(`${pattern}`, new Promise((resolve, reject) => {
        socket.on('data', (data) => {
            text += data.toString('latin1');
            if (pattern.test(text)) {
                resolve();
            }
        });
        socket.on('error', reject);
        socket.on('close', () => reject(new Error(`closed after: ${text}`)));
    }));

    return text;
}

// { status, headers: [[name, value]], body } of one answer's bytes.
export function parseAnswer(text) {
    const end = text.indexOf('\r\n\r\n');
    const [line, ...lines] = text.slice(0, end).split('\r\n');

    return { status: Number(line.split(' ')[1]), body: text.slice(end + 4),
        headers: lines.map((l) => [l.slice(0, l.indexOf(':')),
            l.slice(l.indexOf(':') + 1).trim()]) };
}

// Asks again and again over one connection; when the server has closed it, a
// new one is opened. Only for answers with a Content-Length.
export class Conversation {
    #socket;
    #answered;

    constructor(port, name) {
        this.port = port;
        this.name = name;
    }

    // { status, headers, body }, and header(name) for the first of them.
    async ask(bytes) {
        const socket = this.#socket ??= this.#open();
        const answer = new Promise((resolve, reject) => {
            this.#answered = { resolve, reject };
        });
        socket.write(bytes);

        return within('an answer', answer);
    }

    close() {
        this.#socket?.destroy();
    }

    #open() {
        const socket = connect(this.port, this.name);
        let text = '';

        socket.setNoDelay(true);
        socket.on('data', (data) => {
            text += data.toString('latin1');
            const answer = takeAnswer(text);
            if (answer) {
                text = '';
                this.#socket = answer.header('connection') === 'close'
                    ? undefined : this.#socket;
                this.#answered.resolve(answer);
            }
        });
        socket.on('error', () => {});
        socket.on('close', () => {
            if (this.#socket === socket) {
                this.#socket = undefined;
                this.#answered?.reject(new Error(`closed after: ${text}`));
            }
        });

        return socket;
    }
}

function takeAnswer(text) {
    if (!text.includes('\r\n\r\n')) {
        return null;
    }

    const answer = parseAnswer(text);
    answer.header = (name) => answer.headers
        .find(([known]) => known.toLowerCase() === name)?.[1];
    const length = Number(answer.header('content-length') ?? 0);

    return answer.body.length < length ? null : answer;
}
