// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Requests, by build/bench/load: those of a script in a page, with the headers
// that a browser adds.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { kOtherCpu } from './servers.mjs';
import { kOut } from './sessions.mjs';

const kHead = `GET /api/orders?page=1&size=20 HTTP/1.1
Host: shop.test
Connection: keep-alive
sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"
sec-ch-ua-mobile: ?0
sec-ch-ua-platform: "Linux"
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like \
Gecko) Chrome/130.0.0.0 Safari/537.36
Accept: application/json
X-CSRF: 1
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: https://shop.test/orders
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9
`;

// The file with a request's lines, and so many more of them.
function headWith(more) {
    const file = path.join(kOut, `head-${more}`);
    const lines = Array.from({ length: more }, (_, i) =>
        `X-Further-Header-${i}: some value of usual length\n`);

    fs.writeFileSync(file, (kHead + lines.join('')).replaceAll('\n', '\r\n'));
    return file;
}

// port; cookies: a file, or none; order: 'next' or 'random'; first: line to
// begin with; limit: requests, or '3s'; connections; rate: requests a second;
// headers: so many more. { requests, seconds, p50, p99, max }, microseconds.
export async function load({ port, cookies = '-', order = 'next', first = 0,
    limit, connections = 1, rate, headers = 0 }) {
    const child = spawn('taskset', ['-c', kOtherCpu, path.join(kOut, 'load'),
        port, connections, headWith(headers), cookies, order, first, limit,
        ...rate ? [rate] : []].map(String), {
        stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { err += data; });

    const [code] = await once(child, 'close');
    if (code !== 0) {
        throw new Error(err);
    }
    return JSON.parse(out);
}

// Requests a second by wrk, of one session.
export async function loadByWrk({ port, cookies = '-', seconds, connections }) {
    const [line, ...lines] = kHead.trim().split('\n');
    const headers = [...lines, ...cookies === '-' ? []
        : [`Cookie: ${fs.readFileSync(cookies, 'latin1').trim()}`]];
    const { stdout } = await promisify(execFile)('taskset', ['-c', kOtherCpu,
        'wrk', '-t1', `-c${connections}`, `-d${Math.ceil(seconds)}s`,
        ...headers.flatMap((one) => ['-H', one]),
        `http://127.0.0.1:${port}${line.split(' ')[1]}`]);

    if (/Non-2xx|Socket errors/.test(stdout)) {
        throw new Error(stdout);
    }
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]);
}
