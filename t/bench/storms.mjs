// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The end of an access token under load: all requests of a session come at
// once, one of them asks the provider, and all wait for its answer. How long
// after it was sent does the last one go on to the upstream?
//
//   node t/bench/storms.mjs [--quick]
//
// Provider and upstream are one process with one clock. The upstream answers
// when all have come, so that no answer is in the way of a later request, and
// the provider when all wait.

import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { within } from '../lib/wait.mjs';
import { Client, canCount, cpuOf, instructions, kCallgrind, kKey, kSite,
    keepProfile, library, median, rounded, stop,
    usualTokens } from './login_stage.mjs';

const kBar = { requests: 50, lastOnMs: 20, providerCalls: 1 };

const configuration = ({ op, api, at, store, workers, lib }) => `
daemon off;
master_process ${workers > 0 ? 'on' : 'off'};
worker_processes ${workers || 1};
worker_rlimit_nofile 16384;
${process.getuid() === 0 ? 'user root;' : ''}
error_log error.log warn;
pid nginx.pid;
load_module ${lib.kModule};
events { worker_connections 8192; }
http {
    access_log off;
    ${lib.temporaryPaths()}
    keepalive_requests 1000000;

    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        redirect_uri ${kSite}/bff/callback;
        session_key ${kKey};
        session_store ${store};
    }

    upstream api {
        server ${api.address};
        keepalive 2048;
    }

    server {
        listen ${at.plain()} reuseport backlog=4096;
        location /api/ {
            bff corp;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://api;
        }
        location /warm/ {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://api/;
        }
    }
}
`;

// options: as of logins.mjs
export async function run(options = {}) {
    const lib = await library(options);
    const rows = [];

    for (const store of ['cookie', 'zone=sessions:32m']) {
        for (const workers of [1, 2, 4]) {
            rows.push(...await storms(lib, { store, workers },
                options.quick ? [[50, 10], [1000, 2]] : [[50, 60], [1000, 8]]));
        }
    }

    const counts = options.count === false || !canCount() ? [] : [
        await counted(lib, 'cookie'), await counted(lib, 'zone=sessions:32m')];
    const judged = rows.filter((row) => row.requests === kBar.requests);
    return { bar: kBar, rows, counts, isWithinBar: judged.every((row) =>
        row.lastOnMs.median <= kBar.lastOnMs
        && row.providerCalls === kBar.providerCalls) };
}

function storms(lib, options, sizes) {
    return staged(lib, options, async (s) => {
        const rows = [];
        for (const [requests, rounds] of sizes) {
            rows.push({ store: options.store.split('=')[0],
                workers: options.workers, requests,
                ...await rowOf(s, requests, rounds) });
        }
        return rows;
    });
}

// In one process under callgrind: what each of many costs from the provider's
// answer on.
export function counted(lib, store) {
    const requests = 200;

    return staged(lib, { store, workers: 0, master: 'off', under: (at) =>
        [...kCallgrind, `--callgrind-out-file=${at.prefix}/callgrind`] },
    async (s) => {
        const crowd = await Crowd.of(s.at.port(), requests);
        await storm(s, crowd, requests);
        let all = 0;
        await storm(s, crowd, requests, async (action) => {
            all = await instructions(s.nginx.pid, s.at.prefix, action);
        });
        keepProfile(s.at, `storm-${store.split('=')[0]}`);
        crowd.leave();
        return { store: store.split('=')[0], requests,
            instructionsPerRequest: Math.round(all / requests) };
    });
}

async function staged(lib, { store, workers, ...options }, scene) {
    const op = await lib.Provider.start();
    const api = await Gate.start(await lib.Place.make());
    const at = await lib.Place.make();
    usualTokens(op);

    const nginx = await lib.Nginx.start({ place: at, ...options,
        conf: configuration({ op, api, at, store, workers, lib }) });
    try {
        return await scene({ op, api, at, nginx });
    } finally {
        await stop(nginx, at.port());
        await op.stop();
        api.stop();
    }
}

async function rowOf(s, requests, rounds) {
    const crowd = await Crowd.of(s.at.port(), requests);
    const seen = [];

    for (let i = 0; i <= rounds; i++) {
        seen.push(await storm(s, crowd, requests));
    }
    crowd.leave();
    seen.shift(); // connections and memory were new to it

    const of = (name) => seen.map((one) => one[name]);
    return { rounds, providerCalls: Math.max(...of('calls')),
        lastOnMs: { median: rounded(median(of('last')), 2),
            worst: rounded(Math.max(...of('last')), 2) },
        firstOnMs: { median: rounded(median(of('first')), 2) },
        // of all workers, from the provider's answer to the last response
        cpuMicrosecondsPerRequest: rounded(median(of('cpu')) / requests / 1000),
        // of all workers, from the first request until all wait
        cpuMicrosecondsToWait: rounded(median(of('before')) / requests / 1000),
    };
}

// `watch` is told what there is to be watched, when all wait.
async function storm({ op, api, at, nginx }, crowd, requests,
    watch = (action) => action()) {
    const warm = 'GET /warm/ HTTP/1.1\r\nHost: shop.test\r\n\r\n';
    await within('a crowd', crowd.ask(warm, api.expecting(requests)));

    const client = new Client(at.port(), new http.Agent());
    op.expiresIn = 0;
    await client.login(op);
    op.expiresIn = 3600;
    op.requests = [];

    const release = heldToken(op);
    const arrivals = api.expecting(requests);
    const workers = nginx.workers();
    const pids = workers.length > 0 ? workers : [nginx.pid];
    const began = cpuOf(pids);
    const answers = within('the answers',
        crowd.ask(requestOf(client), arrivals));
    const { socket, answer } = await release.asked;
    await idle(pids);

    const waiting = cpuOf(pids);
    let left;
    await watch(async () => {
        left = process.hrtime.bigint();
        release.send(socket, answer);
        await answers;
    });
    const times = await arrivals;

    return { calls: op.calls('token').length, last: since(left, times.at(-1)),
        first: since(left, times[0]), before: waiting - began,
        cpu: cpuOf(pids) - waiting };
}

const since = (from, to) => Number(to - from) / 1e6;

function requestOf(client) {
    const cookie = [...client.cookies].map(([name, value]) =>
        `${name}=${value}`).join('; ');

    return 'GET /api/cart HTTP/1.1\r\nHost: shop.test\r\nX-CSRF: 1\r\n'
        + `Sec-Fetch-Site: same-origin\r\nCookie: ${cookie}\r\n\r\n`;
}

// The provider's answer to the next refresh, sent when it is told to.
function heldToken(op) {
    const held = { send: (socket, answer) => {
        const body = Buffer.from(answer.body);
        socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${answer.status} OK\r\n`
            + `Content-Length: ${body.length}\r\n`
            + 'Content-Type: application/json\r\n\r\n'), body]));
    } };

    held.asked = new Promise((resolve) => {
        op.wire.token = (socket, answer) => {
            op.wire.token = held.send;
            resolve({ socket, answer });
        };
    });
    return held;
}

// Whoever is to wait waits: no worker does anything any more.
async function idle(pids) {
    for (let still = 0, before = cpuOf(pids); still < 3;) {
        await sleep(10);
        const now = cpuOf(pids);
        still = now - before < 200_000 ? still + 1 : 0;
        before = now;
    }
}

// Connections that stay, each with one request at a time.
class Crowd {
    static async of(port, number) {
        const crowd = new Crowd();
        crowd.members = await Promise.all(Array.from({ length: number },
            () => Member.at(port)));
        return crowd;
    }

    async ask(request, arrived) {
        await Promise.all([arrived,
            ...this.members.map((member) => member.ask(request))]);
    }

    leave() {
        this.members.forEach(({ socket }) => socket.destroy());
    }
}

class Member {
    #text = '';
    #told = () => {};
    #failed = () => {};

    static at(port) {
        const member = new Member();
        member.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
        member.socket.on('data', (data) => member.#read(data));

        return new Promise((resolve, reject) => {
            member.socket.on('connect', () => resolve(member));
            member.socket.on('close', () => {
                reject(new Error('no connection'));
                member.#failed(new Error(`closed after: ${member.#text}`));
            });
            member.socket.on('error', () => {});
        });
    }

    ask(request) {
        this.#text = '';
        this.socket.write(request);
        return new Promise((resolve, reject) => {
            this.#told = resolve;
            this.#failed = reject;
        });
    }

    #read(data) {
        this.#text += data.toString('latin1');

        if (/^HTTP\/1.1 200 .*\r\n\r\nok$/s.test(this.#text)) {
            this.#told();
        } else if (!/^HTTP\/1.1 200 /.test(this.#text)) {
            this.#failed(new Error(this.#text));
        }
    }
}

// An upstream that notes when a request came, and answers to all at once.
class Gate {
    #waiting = [];
    #times = [];
    #expected = 0;
    #done = () => {};

    static async start(place) {
        const gate = new Gate();
        gate.address = place.plain();
        gate.server = net.createServer({ noDelay: true }, (socket) => {
            let text = '';
            socket.on('error', () => {});
            socket.on('data', (data) => {
                text += data.toString('latin1');
                if (text.endsWith('\r\n\r\n')) {
                    text = '';
                    gate.#came(socket);
                }
            });
        });
        await new Promise((resolve) => gate.server.listen(
            { port: place.port(), host: '127.0.0.1', backlog: 4096 }, resolve));
        gate.place = place;
        return gate;
    }

    // When each of so many came.
    expecting(number) {
        this.#expected = number;
        this.#times = [];
        return new Promise((resolve) => { this.#done = resolve; });
    }

    #came(socket) {
        this.#times.push(process.hrtime.bigint());
        this.#waiting.push(socket);

        if (this.#times.length === this.#expected) {
            this.#done(this.#times);
            this.#waiting.splice(0).forEach((one) => one.write(
                'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
        }
    }

    stop() {
        this.server.close();
        this.place.remove();
    }
}

if (fileURLToPath(import.meta.url) === process.argv[1]) {
    console.log(JSON.stringify(
        await run({ quick: process.argv.includes('--quick') }), null, 4));
}
