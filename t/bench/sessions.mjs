// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sessions as a login would have made them, by build/bench/mint.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { kCookie, kIssuer, kKey, kProvider } from './servers.mjs';

export const kOut = path.resolve('build/bench');

// Lengths of the access and ID tokens: a cookie of about 2 KiB, and two.
export const kOneChunk = { access: 820, id: 1000 };
export const kTwoChunks = { access: 2400, id: 2000 };

// { cookies, first, token }: files with all cookies and with the first one, and
// the access token. memory: of a zone in which they shall be.
export function mint(name, count, { access, id }, memory) {
    const file = (kind) => path.join(kOut, `${name}.${kind}`);
    const cookies = file('cookies');
    const into = fs.openSync(cookies, 'w');

    const done = spawnSync(path.join(kOut, 'mint'), [kKey, kIssuer, kProvider,
        kCookie, count, access, id, file('token'),
        ...memory ? [memory] : []].map(String),
    { stdio: ['ignore', into, 'pipe'], encoding: 'utf8' });
    fs.closeSync(into);
    if (done.status !== 0) {
        throw new Error(done.stderr || String(done.error));
    }

    const first = file('cookie');
    fs.writeFileSync(first, head(cookies));
    return { cookies, first, count, length: head(cookies).length - 1,
        token: fs.readFileSync(file('token'), 'utf8') };
}

// The first line.
function head(file) {
    const octets = Buffer.alloc(16384);
    const fd = fs.openSync(file, 'r');
    const n = fs.readSync(fd, octets, 0, octets.length, 0);

    fs.closeSync(fd);
    return octets.toString('latin1', 0, n).split('\n')[0] + '\n';
}
