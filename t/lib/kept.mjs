// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One connection for many requests as bytes, sent ahead of their answers: a
// table of thousands costs as much as a few logins.

import { connect } from './raw.mjs';
import { within } from './wait.mjs';

export class Kept {
    #where;
    #socket;
    #pending;
    #waiting = [];       // { bytes, resolve, reject }
    #answered;           // on this connection

    constructor(port, name) {
        this.#where = [port, name];
        this.#open();
    }

    // The answer to one request: { status, headers: [[name, value]], body,
    // head: its bytes as latin1 text }. Bytes are latin1 text.
    ask(bytes) {
        const answer = new Promise((resolve, reject) =>
            this.#waiting.push({ bytes, resolve, reject }));

        this.#socket.write(bytes, 'latin1');
        return within('an answer on a kept connection', answer);
    }

    // All of them, in the order of the requests.
    askAll(requests) {
        return Promise.all(requests.map((bytes) => this.ask(bytes)));
    }

    close() {
        this.#socket.removeAllListeners('close');
        this.#socket.destroy();
    }

    #open() {
        this.#pending = Buffer.alloc(0);
        this.#answered = 0;
        this.#socket = connect(...this.#where);
        this.#socket.on('data', (data) => this.#read(data));
        this.#socket.on('error', () => {});
        this.#socket.on('close', () => this.#again());
    }

    // NGINX closes after some answers, and has not looked at what follows.
    #again() {
        if (this.#answered === 0) {
            this.#waiting.splice(0).forEach(({ reject }) =>
                reject(new Error('closed without an answer')));
        }

        this.#open();
        this.#waiting.forEach(({ bytes }) =>
            this.#socket.write(bytes, 'latin1'));
    }

    #read(data) {
        this.#pending = Buffer.concat([this.#pending, data]);

        for (let one; (one = take(this.#pending));) {
            this.#pending = one.rest;
            this.#answered++;
            this.#waiting.shift()?.resolve(one.answer);
        }
    }
}

// The text of a request. lines: headers as 'Name: value'
export function request(target, lines = [], { method = 'GET', body = '',
    host = 'shop.test' } = {}) {
    return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n`
        + lines.map((line) => `${line}\r\n`).join('')
        + (body ? `Content-Length: ${body.length}\r\n` : '') + `\r\n${body}`;
}

// The values of the answer's header, in the order of their lines.
export function valuesOf(answer, name) {
    return answer.headers.filter(([n]) => n.toLowerCase() === name)
        .map(([, value]) => value);
}

// The first whole answer, or nothing yet. None is to a HEAD.
function take(bytes) {
    const end = bytes.indexOf('\r\n\r\n');

    if (end < 0) {
        return null;
    }

    const head = bytes.toString('latin1', 0, end + 4);
    const [line, ...lines] = head.slice(0, -4).split('\r\n');
    const status = Number(line.split(' ')[1]);
    const framed = bodyOf(head, status, bytes.subarray(end + 4));

    return framed && { rest: framed.rest, answer: { status, head,
        body: framed.body, headers: lines.map((l) => [
            l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()]) } };
}

function bodyOf(head, status, bytes) {
    if (status === 204 || status === 304) {
        return { body: '', rest: bytes };
    }
    if (/^transfer-encoding: chunked/im.test(head)) {
        return chunked(bytes);
    }

    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1]);

    if (Number.isNaN(length)) {
        throw new Error(`an answer without length: ${head}`);
    }

    return bytes.length < length ? null
        : { body: bytes.toString('latin1', 0, length),
            rest: bytes.subarray(length) };
}

function chunked(bytes) {
    let body = '';

    for (let at = 0; ;) {
        const eol = bytes.indexOf('\r\n', at);
        const size = parseInt(bytes.toString('latin1', at, eol), 16);
        const next = eol + 4 + size;

        if (eol < 0 || bytes.length < next) {
            return null;
        }
        if (size === 0) {
            return { body, rest: bytes.subarray(next) };
        }

        body += bytes.toString('latin1', eol + 2, eol + 2 + size);
        at = next;
    }
}
