// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a login costs: GET login, the provider's answer, the callback, the
// session's cookie, over plain HTTP, with metadata and keys at hand.
//
//   node t/bench/logins.mjs [--quick]

import http from 'node:http';
import { fileURLToPath } from 'node:url';

import { Client, canCount, cpuOf, expect, instructions, kByScript, kCallgrind,
    kKey, kSite, keepProfile, library, median, rounded, stop,
    usualTokens } from './login_stage.mjs';

// So many that the worker has something to do whenever it looks: one that
// sleeps between any two events finds its caches full of somebody else's.
const kAtOnce = 64;
const kBar = { cpuMicroseconds: 400, providerCalls: 1 };

const configuration = ({ op, api, at, store = 'cookie' }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        redirect_uri ${kSite}/bff/callback;
        id_token_alg RS256 ES256;
        session_key ${kKey};
        session_store ${store};
    }

    server {
        listen ${at.plain()};
        keepalive_requests 1000000;
        location / { return 204; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }`;

// options: module, nginx: their paths; quick: fewer rounds; count: false, no
// callgrind
export async function run(options = {}) {
    const lib = await library(options);
    const rows = [];

    for (const alg of ['RS256', 'ES256']) {
        for (const store of ['cookie', 'zone=sessions:32m']) {
            rows.push({ alg, store: store.split('=')[0],
                ...await measured(lib, { alg, store, quick: options.quick }),
                ...options.count === false || !canCount() ? {}
                    : await counted(lib, { alg, store }) });
        }
    }

    return { bar: kBar, rows, isWithinBar: rows.every((row) =>
        row.cpuMicroseconds <= kBar.cpuMicroseconds
        && row.providerCalls === kBar.providerCalls) };
}

export async function staged(lib, { alg, store, ...options }, scene) {
    const op = await lib.Provider.start();
    const api = await lib.Upstream.start();
    const at = await lib.Place.make();
    op.keys = [new lib.SigningKey(alg, { kid: `a-${alg}-key` })];
    usualTokens(op);

    const nginx = await lib.Nginx.start({ place: at, level: 'warn',
        http: configuration({ op, api, at, store }), ...options });
    const agent = new http.Agent({ keepAlive: true, maxSockets: kAtOnce });
    try {
        return await scene({ op, nginx, at, agent });
    } finally {
        agent.destroy();
        await stop(nginx, at.port());
        await op.stop();
        await api.stop();
    }
}

// A browser of its own for each.
export async function logins({ op, at, agent }, number, atOnce = kAtOnce) {
    let left = number;
    const one = async () => {
        while (left-- > 0) {
            await new Client(at.port(), agent).login(op);
        }
    };
    await Promise.all(Array.from({ length: atOnce }, one));
}

function measured(lib, { quick, ...options }) {
    const [rounds, number] = quick ? [3, 100] : [9, 400];

    return staged(lib, options, async (s) => {
        await logins(s, 50);
        await proveSession(s);
        s.op.requests = [];
        const [pid] = s.nginx.workers();
        const costs = [];
        const speeds = [];

        for (let i = 0; i < rounds; i++) {
            const [cpu, began] = [cpuOf([pid]), performance.now()];
            await logins(s, number);
            costs.push((cpuOf([pid]) - cpu) / number / 1000);
            speeds.push(number / (performance.now() - began) * 1000);
        }

        const cpuMicroseconds = median(costs);
        return { logins: rounds * number,
            cpuMicroseconds: rounded(cpuMicroseconds),
            // of a worker that has a processor for itself
            perSecondAndCore: Math.floor(1e6 / cpuMicroseconds),
            // with provider and browsers in one process beside it
            perSecondHere: Math.floor(median(speeds)),
            ...callsOf(s.op, rounds * number) };
    });
}

function callsOf(op, number) {
    const calls = {};

    for (const { endpoint } of op.requests) {
        calls[endpoint] = (calls[endpoint] ?? 0) + 1 / number;
    }
    return { providerCalls: op.requests.length / number, calls };
}

async function proveSession({ op, at, agent }) {
    const client = new Client(at.port(), agent);
    await client.login(op);
    const answer = expect(await client.get('/bff/session', kByScript), 200);

    if (JSON.parse(answer.body).authenticated !== true) {
        throw new Error(`no session after a login: ${answer.body}`);
    }
}

// In one process under callgrind, where each login costs the same, so that few
// are enough.
function counted(lib, options) {
    const number = 20;

    return staged(lib, { ...options, master: 'off', under: (at) =>
        [...kCallgrind, `--callgrind-out-file=${at.prefix}/callgrind`] },
    async (s) => {
        await logins(s, 5, 1);
        const all = await instructions(s.nginx.pid, s.at.prefix,
            () => logins(s, number, 1));
        keepProfile(s.at,
            `login-${options.alg}-${options.store.split('=')[0]}`);
        return { instructions: Math.round(all / number) };
    });
}

if (fileURLToPath(import.meta.url) === process.argv[1]) {
    console.log(JSON.stringify(
        await run({ quick: process.argv.includes('--quick') }), null, 4));
}
