// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What the benches of logins and of storms have in common: a provider with
// tokens of a usual size, NGINX without TLS, and a browser that costs little.
//
// What a worker has cost is read from /proc, so that a busy machine makes no
// figure larger than it is.

import crypto from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';

import { b64 } from '../lib/jose.mjs';
import { until } from '../lib/wait.mjs';

export const kKey = '11'.repeat(32);
export const kSite = 'https://shop.test';

// The test library reads from the environment what it shall run.
export async function library({ module, nginx } = {}) {
    process.env.BFF_MODULE ??= module ?? '';
    process.env.NGINX_BINARY ??= nginx ?? '';

    return { ...await import('../lib/nginx.mjs'),
        ...await import('../lib/provider.mjs'),
        ...await import('../lib/jose.mjs'),
        ...await import('../lib/upstream.mjs') };
}

// As a Keycloak writes them: a JWT of 1.2 KiB that the API would verify, and a
// shorter one that only the provider reads. Nobody here looks at either.
export function usualTokens(op) {
    op.accessToken = () => jwtOf(640);
    op.refreshToken = () => jwtOf(300);
}

function jwtOf(octets) {
    const header = { alg: 'RS256', typ: 'JWT', kid: 'default' };
    const claims = { iss: 'https://id.example.com/realms/shop', sub: 'user-1',
        aud: ['api', 'account'], exp: 1800000000, jti: crypto.randomUUID(),
        scope: 'openid profile email offline_access', roles: '' };
    const rest = octets - JSON.stringify(claims).length;
    claims.roles = crypto.randomBytes(Math.max(rest, 0) >> 1).toString('hex');

    return [JSON.stringify(header), JSON.stringify(claims),
        crypto.randomBytes(256)].map(b64).join('.');
}

// One browser: cookies by name, and connections that stay.
export class Client {
    cookies = new Map();

    constructor(port, agent) {
        this.port = port;
        this.agent = agent;
    }

    async get(target, headers = {}) {
        const cookie = [...this.cookies].map(([name, value]) =>
            `${name}=${value}`).join('; ');
        const answer = await ask({ host: '127.0.0.1', port: this.port,
            agent: this.agent, path: target, headers: { Host: 'shop.test',
                ...(cookie ? { Cookie: cookie } : {}), ...headers } });

        for (const line of answer.headers['set-cookie'] ?? []) {
            this.#set(line);
        }
        return answer;
    }

    #set(line) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);

        /max-age=0/i.test(line) ? this.cookies.delete(name)
            : this.cookies.set(name, value);
    }

    // The whole code flow; the provider is asked in this process.
    async login(op) {
        const start = await this.get('/bff/login?returnUrl=%2F', kTyped);
        const back = new URL(op.approve(expect(start, 302).headers.location));
        const end = await this.get(back.pathname + back.search, kSent);

        expect(end, 200);
        if (![...this.cookies.keys()].some((name) => /-corp$/.test(name))) {
            throw new Error('a login without a session');
        }
    }
}

const kTyped = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin',
    'Sec-Fetch-Dest': 'document' };
const kSent = { ...kTyped, 'Sec-Fetch-Site': 'cross-site' };
export const kByScript = { 'X-CSRF': '1', 'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Site': 'same-origin' };

export function expect(answer, status) {
    if (answer.status !== status) {
        throw new Error(
            `${answer.status} instead of ${status}: ${answer.body}`);
    }
    return answer;
}

function ask(options) {
    return new Promise((resolve, reject) => {
        const request = http.request(options, (response) => {
            let body = '';
            response.setEncoding('utf8');
            response.on('data', (data) => { body += data; });
            response.on('end', () => resolve({ status: response.statusCode,
                headers: response.headers, body }));
        });
        request.on('error', reject);
        request.end();
    });
}

// A signal that comes just before a single process waits for events is heeded
// with the next one, and callgrind makes that moment long.
export async function stop(nginx, port) {
    const nudge = setInterval(() => {
        const socket = net.connect(port, '127.0.0.1', () => socket.destroy());
        socket.on('error', () => {});
    }, 100);

    try {
        await nginx.stop();
    } finally {
        clearInterval(nudge);
    }
}

// Of all threads of these processes, nanoseconds on a processor.
export function cpuOf(pids) {
    return pids.reduce((sum, pid) => sum + Number(
        fs.readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]), 0);
}

export const median = (numbers) =>
    [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

export const rounded = (number, digits = 1) => Number(number.toFixed(digits));

// --- instructions ---

export const kCallgrind = ['valgrind', '--tool=callgrind', '-q'];

// Where it is not installed, nothing is counted.
export const canCount = () =>
    spawnSync('valgrind', ['--version']).status === 0;

// Those that a process under callgrind executes while action() runs.
export async function instructions(pid, folder, action) {
    control('--zero', pid);
    await action();
    control('--dump', pid);

    const file = await until('a dump of callgrind', () =>
        dumps(folder).find((name) => /^totals: \d+/m.test(
            fs.readFileSync(name, 'utf8'))));
    return Number(/^totals: (\d+)/m.exec(fs.readFileSync(file, 'utf8'))[1]);
}

// BFF_PROFILE names a folder to look at afterwards, with callgrind_annotate.
export function keepProfile(at, name) {
    const folder = process.env.BFF_PROFILE;

    for (const file of folder ? dumps(at.prefix) : []) {
        fs.copyFileSync(file,
            path.join(folder, `${name}.${path.basename(file)}`));
    }
}

function control(what, pid) {
    execFileSync('callgrind_control', [what, String(pid)], { stdio: 'pipe' });
}

function dumps(folder) {
    return fs.readdirSync(folder)
        .filter((name) => /^callgrind\.\d+$/.test(name))
        .map((name) => path.join(folder, name)).sort();
}
