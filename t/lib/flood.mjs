// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Many requests over few connections, one after the other on each, without
// waiting for answers: thousands take a second.

import fs from 'node:fs';
import tls from 'node:tls';

import { authority } from './pki.mjs';
import { within } from './wait.mjs';

const kConnections = 4;
const kAtOnce = 25; // on one connection, under way

// request: (i) => the bytes of one. How many answers had which status.
export async function flood(port, count, request) {
    const statuses = {};
    let next = 0;
    const bytes = () => next < count ? request(next++) : null;

    await within(`${count} answers`, Promise.all(Array.from(
        { length: kConnections }, () => drain(port, bytes, statuses))), 60000);
    return statuses;
}

function drain(port, bytes, statuses) {
    const socket = tls.connect({ port, host: '127.0.0.1',
        servername: 'shop.test', ca: authority().text });
    let waiting = 0;
    let text = '';

    return new Promise((resolve, reject) => {
        const more = () => {
            const parts = [];
            for (let one; waiting < kAtOnce && (one = bytes()); waiting++) {
                parts.push(one);
            }
            socket.write(parts.join(''));

            if (waiting === 0) {
                socket.destroy();
                resolve();
            }
        };

        socket.on('secureConnect', more);
        socket.on('data', (data) => {
            text += data.toString('latin1');
            for (let one; (one = takeAnswer(text)); waiting--) {
                text = one.rest;
                statuses[one.status] = (statuses[one.status] ?? 0) + 1;
            }
            more();
        });
        socket.on('error', reject);
        socket.on('end', () => reject(new Error(`closed, ${waiting} wait`)));
    });
}

function takeAnswer(text) {
    const end = text.indexOf('\r\n\r\n');
    const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
    const size = end + 4 + Number(length ?? 0);

    return end < 0 || text.length < size ? null
        : { status: text.slice(9, 12), rest: text.slice(size) };
}

// options: method, headers, body
export function bytesOf(target, { method = 'GET', headers = {}, body } = {}) {
    const lines = Object.entries({ Host: 'shop.test', ...headers,
        ...(body === undefined ? {} : { 'Content-Length': body.length }) });

    return `${method} ${target} HTTP/1.1\r\n`
        + lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
        + `\r\n${body ?? ''}`;
}

// What a process holds for itself, in KiB.
export function ownMemory(pid) {
    return Number(/RssAnon:\s+(\d+)/.exec(
        fs.readFileSync(`/proc/${pid}/status`, 'latin1'))[1]);
}
