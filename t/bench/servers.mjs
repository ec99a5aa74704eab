// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is compared: an upstream, plain NGINX before it, and NGINX with the
// module. Each has one worker, on the first processor; the upstream and who
// asks are on the second.
//
// The upstream answers with 200 only to a request with a token, so that no figure
// can come from a proxy that did not do its work. It must cost little: with who
// asks it shares a processor, and has to keep the proxy's busy.

import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

import { Place, endWithThisProcess, kBinary, kModule, temporaryPaths }
    from '../lib/nginx.mjs';
import { until, within } from '../lib/wait.mjs';

export const kProxyCpu = '0';
export const kOtherCpu = '1';

export const kKey = '42'.repeat(32);
export const kProvider = 'corp';
export const kCookie = `__Host-Http-bff-${kProvider}`;
// Nobody listens there: a live session needs no provider.
export const kIssuer = 'http://127.0.0.1:9';

const kAnswer = `{"orders":"${'x'.repeat(1024 - 13)}"}`;

// A program with one worker, and how to look at it.
export class Server {
    constructor(place, child, ports, single = false) {
        this.place = place;
        this.child = child;
        this.ports = ports;
        this.single = single;
        this.ended = once(child, 'exit');
        endWithThisProcess(child);
    }

    get pid() {
        return this.child.pid;
    }

    // The only process, where one was asked for: callgrind_control knows none
    // that was forked.
    get worker() {
        return this.single ? this.pid : childrenOf(this.pid)[0];
    }

    async listening() {
        await until(`${this.place.prefix} to listen`, () => {
            if (this.child.exitCode !== null) {
                throw new Error(`it did not start:\n${this.log()}`);
            }
            const listening = execFileSync('ss', ['-ltnH'], {
                encoding: 'utf8' });
            return this.worker && Object.values(this.ports).every((port) =>
                listening.includes(`:${port} `));
        }, 60_000);
    }

    log() {
        const file = path.join(this.place.prefix, 'error.log');
        return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    }

    // Nanoseconds that the worker had a processor, all threads together.
    cpu() {
        const tasks = `/proc/${this.worker}/task`;
        return fs.readdirSync(tasks).reduce((sum, task) => sum + Number(
            fs.readFileSync(`${tasks}/${task}/schedstat`, 'utf8')
                .split(' ')[0]), 0);
    }

    async stop() {
        this.child.kill('SIGTERM');
        await within('a server to end', this.ended, 60_000);
        this.place.remove();
    }
}

function childrenOf(pid) {
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        .trim().split(' ').filter(Boolean).map(Number);
}

// command: goes before the program, as ['valgrind', ...]; it then is a single
// process.
async function start(names, configuration, { cpu, command = [] }) {
    const place = await Place.make();
    const single = command.length > 0;
    names.forEach((name) => place.port(name));
    const file = place.file('nginx.conf',
        `master_process ${single ? 'off' : 'on'};${configuration(place)}`);
    const log = path.join(place.prefix, 'error.log');

    const [program, ...args] = ['taskset', '-c', cpu,
        ...command.map((word) => word.replace('%prefix', place.prefix)),
        kBinary, '-p', place.prefix, '-c', file, '-e', log];
    const child = spawn(program, args, {
        stdio: ['ignore', 'ignore', fs.openSync(`${log}.out`, 'w')] });
    const server = new Server(place, child,
        Object.fromEntries(names.map((name) => [name, place.port(name)])), single);
    await server.listening();
    return server;
}

const frame = (http, load = '') => (place) => `
daemon off;
worker_processes 1;
${process.getuid() === 0 ? 'user root;' : ''}
error_log error.log warn;
pid nginx.pid;
${load}
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 1000000000;
    keepalive_time 24h;
    keepalive_timeout 1h;
    ${temporaryPaths()}
    ${http(place)}
}
`;

export function startUpstream() {
    return start(['main'], frame((at) => `
    server {
        listen ${at.plain()};
        default_type application/json;
        location / {
            if ($http_authorization = "") { return 403; }
            return 200 '${kAnswer}';
        }
    }`), { cpu: kOtherCpu });
}

const api = (upstream) => `
    upstream api {
        server 127.0.0.1:${upstream.ports.main};
        keepalive 64;
        keepalive_requests 1000000000;
        keepalive_time 24h;
    }`;

const pass = `proxy_pass http://api;
            proxy_http_version 1.1;
            proxy_set_header Connection "";`;

// One listener for each token: tokens is { name: token }.
export function startFloor(upstream, tokens, options = {}) {
    const names = Object.keys(tokens);

    return start(names, frame((at) => api(upstream) + names.map((name) => `
    server {
        listen ${at.plain(name)};
        location / {
            ${pass}
            proxy_set_header Authorization "Bearer ${tokens[name]}";
        }
    }`).join('')), { cpu: kProxyCpu, ...options });
}

// more: what else the bff_provider says. options.remembers: octets of sessions
// that the worker keeps opened.
export function startModule(upstream, more = '', options = {}) {
    const { remembers } = options;

    return start(['main'], frame((at) => `${api(upstream)}
    ${remembers ? `bff_session_cache ${remembers};` : ''}
    bff_provider ${kProvider} {
        issuer ${kIssuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        ${more}
    }
    server {
        listen ${at.plain()};
        location / {
            bff ${kProvider};
            ${pass}
        }
    }`, `load_module ${kModule};`), { cpu: kProxyCpu, ...options });
}

// Where the sessions of a session_store zone are: the memory itself, as a file.
export function zoneOf(server, name) {
    const maps = fs.readFileSync(`/proc/${server.worker}/maps`, 'utf8');
    const [line] = maps.split('\n').filter((one) =>
        one.includes(`/memfd:ngx_http_bff:${name} `));

    return `/proc/${server.worker}/map_files/${
        line.split(' ')[0].split('-').map((at) => at.replace(/^0+/, ''))
            .join('-')}`;
}
