// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Thousands of requests over a few connections, for tables.
//
// Each is written as bytes, so a row may say what no HTTP library would; the
// next ones are sent without waiting for its answer.

import { connect, parseAnswer } from './raw.mjs';
import { within } from './wait.mjs';

const kConnections = 4;

// requests: [{ method, bytes }]; the answers in their order, as parseAnswer()
// gives them. name: TLS with this server name.
export async function volley(port, requests, name) {
    const answers = Array(requests.length);
    const lanes = Array.from({ length: kConnections }, (_, lane) =>
        requests.map((one, i) => ({ ...one, i }))
            .filter(({ i }) => i % kConnections === lane));

    await Promise.all(lanes.map(async (lane) => {
        let left = lane;
        while (left.length > 0) {
            const got = await fire(port, left, name);
            if (got.length === 0) {
                throw new Error(`no answer to ${left[0].bytes}`);
            }
            got.forEach((answer, n) => { answers[left[n].i] = answer; });
            left = left.slice(got.length);
        }
    }));

    return answers;
}

// What one connection answers before the server closes it, or to all.
async function fire(port, requests, name) {
    const socket = connect(port, name);
    const answers = [];
    let pending = '';

    const done = new Promise((resolve) => {
        socket.on('data', (data) => {
            pending += data.toString('latin1');
            for (let one; answers.length < requests.length && (one =
                takeAnswer(pending, requests[answers.length].method));) {
                pending = one.rest;
                answers.push(one.answer);
            }
            if (answers.length === requests.length) {
                resolve();
            }
        });
        socket.on('error', resolve);
        socket.on('close', resolve);
    });

    socket.write(requests.map(({ bytes }) => bytes).join(''), 'latin1');
    try {
        await within('the answers to a volley', done, 60_000);
    } finally {
        socket.destroy();
    }
    return answers;
}

// { answer, rest } of the first whole answer, or null.
function takeAnswer(text, method) {
    const end = text.indexOf('\r\n\r\n') + 4;
    if (end < 4) {
        return null;
    }

    const answer = parseAnswer(text.slice(0, end));
    const header = (name) => answer.headers.find(([key]) =>
        key.toLowerCase() === name)?.[1];
    if (header('transfer-encoding')) {
        throw new Error(`a volley reads no chunks: ${text.slice(0, end)}`);
    }

    const has_body = method !== 'HEAD' && ![101, 204, 304].includes(
        answer.status);
    const length = has_body ? Number(header('content-length') ?? 0) : 0;
    if (text.length < end + length) {
        return null;
    }

    answer.body = text.slice(end, end + length);
    return { answer, rest: text.slice(end + length) };
}
