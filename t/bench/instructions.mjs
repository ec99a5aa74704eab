// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Instructions of a request for each subject, and what functions were called
// that a live session's request has no business with.

import { count, kCallgrind } from './callgrind.mjs';
import { load } from './load.mjs';
import { startFloor, startModule, zoneOf } from './servers.mjs';
import { kOneChunk, mint } from './sessions.mjs';
import { kSubjects } from './subjects.mjs';

const kWarmUp = 100;

// JSON, JOSE, inflate, locks. OpenSSL's own locks are told apart by who calls.
const kUnwanted = /^(inflate|json_|jsonp_|cjose_|ngx_shmtx_|ngx_rwlock_|ngx_slab_|sem_|pthread_(mutex|rwlock|spin)_|CRYPTO_THREAD_(read|write)_lock)/;

// sessions: { one, two } of mint(). options: n, requests to count; stored,
// sessions in the zone; only, a RegExp of names.
export async function instructions(upstream, sessions, options) {
    const counted = { n: 500, stored: 1000, only: /./, ...options };
    const rows = [];

    for (const kind of ['floor', 'module', 'zone']) {
        const wanted = kSubjects.filter((one) => one.server === kind
            && counted.only.test(one.name));
        if (wanted.length > 0) {
            rows.push(...await ofServer(kind, wanted, upstream, sessions,
                counted));
        }
    }
    return rows.map((row) => compared(row, rows));
}

async function ofServer(kind, subjects, upstream, sessions, options) {
    const server = await started(kind, upstream, sessions, options);
    const known = kind !== 'zone' ? sessions : { zone: mint('callgrind-zone',
        options.stored, kOneChunk, zoneOf(server, 'sessions')) };
    const rows = [];

    try {
        for (const one of subjects) {
            rows.push(await ofSubject(server, one, known, options.n));
        }
    } finally {
        await server.stop();
    }
    return rows;
}

function started(kind, upstream, { one, two }, { stored }) {
    const under = { command: kCallgrind };
    const room = Math.ceil(stored * 2.5 / 1024) + 4;

    return kind === 'floor'
        ? startFloor(upstream, { one: one.token, two: two.token }, under)
        : startModule(upstream, kind === 'zone'
            ? `session_store zone=sessions:${room}m;` : '', under);
}

async function ofSubject(server, one, sessions, n) {
    const { cookies, first } = sessions[one.cookies] ?? {};
    let next = 0;
    const requests = async (limit) => {
        await load({ port: server.ports[one.port ?? 'main'], limit,
            cookies: one.of === 'first' ? first : cookies,
            order: one.of === 'random' ? 'random' : 'next', first: next });
        next += limit;
    };

    await requests(kWarmUp);
    const found = await count(server, n, requests);
    return { name: one.name, floor: one.floor,
        instructions: Math.round(found.instructions),
        unwanted: found.functions.filter(({ name }) => kUnwanted.test(name))
            .map(rounded),
        functions: found.functions.slice(0, 40).map(rounded) };
}

function rounded({ name, cost, calls }) {
    return { name: name.replace(/@@.*/, ''), cost: Math.round(cost),
        calls: Number(calls.toFixed(2)) };
}

function compared(row, rows) {
    const floor = rows.find((one) => one.name === row.floor);

    return !floor ? row : { ...row,
        added: row.instructions - floor.instructions,
        ratio: row.instructions / floor.instructions };
}

export const kInstructionColumns = [
    ['instructions a request', (row) => row.name],
    ['count', (row) => row.instructions],
    ['against', (row) => row.floor],
    ['added', (row) => row.added],
    ['ratio', (row) => row.ratio, 3],
    ['unwanted calls', (row) => row.floor && row.unwanted.reduce(
        (sum, { calls }) => sum + calls, 0), 1],
];
