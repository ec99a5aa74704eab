// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Instructions of a request for each subject, and what functions were called
// that a live session's request has no business with.

import { count, kCallgrind } from './callgrind.mjs';
import { startZone, withRequests } from './fleet.mjs';
import { load } from './load.mjs';
import { startFloor, startModule } from './servers.mjs';

// Of more than a thousand sessions the oldest must go, as of more than ten
// thousand without callgrind.
export const kUnder = { command: kCallgrind, remembers: '2m' };
export const kForgotten = 2000;

const kWarmUp = 100;

// JSON, JOSE, inflate, and the locks of who shares memory.
const kUnwanted = /^(inflate|json_|jsonp_|cjose_|ngx_shmtx_|ngx_rwlock_|ngx_slab_|sem_|pthread_(mutex|spin)_)/;
// These are OpenSSL's own, of a process with one thread.
const kOpensslLocks = /^(pthread_rwlock_|CRYPTO_THREAD_(read|write)_lock)/;

// subjects; sessions: { one, two } of mint(). options: n, requests to count;
// stored, sessions in the zone; warmUp, requests before those that are counted,
// where each is of another session
export async function instructions(subjects, upstream, sessions, options) {
    const starts = {
        floor: () => startFloor(upstream, { one: sessions.one.token,
            two: sessions.two.token }, kUnder),
        module: () => startModule(upstream, '', kUnder),
        'zone of one': () => startZone(upstream, 1, kUnder),
        // all of them are remembered, as they are by default
        zone: () => startZone(upstream, options.stored,
            { ...kUnder, remembers: '128m' }),
    };
    const rows = [];

    for (const [name, start] of Object.entries(starts)) {
        const wanted = subjects.filter((one) => one.server === name);
        if (wanted.length > 0) {
            rows.push(...await ofServer(name, await start(), wanted, sessions,
                options));
        }
    }
    return subjects.map(({ name }) => compared(
        rows.find((row) => row.name === name), rows)).filter(Boolean);
}

async function ofServer(name, started, subjects, sessions,
    { n, warmUp, stored }) {
    const fleet = withRequests({ [name]: started.server ? started
        : { server: started, sessions } });
    const rows = [];

    try {
        for (const one of subjects) {
            rows.push(await ofSubject(one, fleet, n,
                { warmUp: one.of === 'first' ? undefined
                    : name === 'zone' ? stored : warmUp }));
        }
    } finally {
        await fleet.stop();
    }
    return rows;
}

// options.headers: so many more; warmUp: so many requests, of one session after
// the other
export async function ofSubject(one, fleet, n, { headers, warmUp } = {}) {
    const requests = async (limit) => {
        await load({ ...fleet.requests(one), limit, headers });
        fleet.advance(one, limit);
    };

    await load({ ...fleet.requests(one), limit: warmUp ?? kWarmUp, headers,
        order: one.among ? `next:${one.among}` : 'next' });
    fleet.advance(one, warmUp ?? kWarmUp);
    const found = await count(fleet[one.server].server, n, requests);
    const called = (pattern) => found.functions
        .filter(({ name }) => pattern.test(name)).map(rounded);

    return { name: one.name, floor: one.floor,
        instructions: Math.round(found.instructions),
        unwanted: called(kUnwanted), opensslLocks: called(kOpensslLocks),
        functions: found.functions.slice(0, 40).map(rounded) };
}

function rounded({ name, cost, calls }) {
    return { name: name.replace(/@@.*/, ''), cost: Math.round(cost),
        calls: Number(calls.toFixed(2)) };
}

export function compared(row, rows) {
    const floor = rows.find((one) => one.name === row?.floor);

    return !floor ? row : { ...row,
        added: row.instructions - floor.instructions,
        ratio: row.instructions / floor.instructions };
}

const calls = (functions) => functions.reduce((sum, one) => sum + one.calls, 0);

export const kInstructionColumns = [
    ['instructions of a request', (row) => row.name],
    ['count', (row) => row.instructions],
    ['added', (row) => row.added],
    ['ratio', (row) => row.ratio, 3],
    ['JSON, JOSE, inflate, locks', (row) => row.floor && calls(row.unwanted)],
    ['OpenSSL\'s locks', (row) => row.floor && calls(row.opensslLocks)],
    ['against', (row) => row.floor],
];
