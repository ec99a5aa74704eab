// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Does a request cost more where there are more sessions, or where it has more
// headers?

import fs from 'node:fs';

import { startZone, withRequests } from './fleet.mjs';
import { compared, kForgotten, kUnder, ofSubject } from './instructions.mjs';
import { load } from './load.mjs';
import { rounds } from './rounds.mjs';
import { startFloor, startModule } from './servers.mjs';
import { kOneChunk, mint } from './sessions.mjs';

export const kSessions = [10, 1000, 100_000, 1_000_000];
export const kHeaders = [0, 10, 50, 100, 200];

const kRequests = 500;
const kStep = 16; // sessions of a zone that the kernel maps at once

// --- headers ---

// Of plain NGINX and of a session that is asked for again and again.
export async function headers(upstream, { one, two }) {
    const floor = await counted('floor', await startFloor(upstream,
        { one: one.token, two: two.token }, kUnder), { one });
    const warm = await counted('warm', await startModule(upstream, '', kUnder),
        { one });

    return kHeaders.map((n, i) => ({ headers: n, floor: floor[i],
        warm: warm[i], added: warm[i] - floor[i], ratio: warm[i] / floor[i] }));
}

async function counted(name, server, sessions) {
    const fleet = withRequests({ [name]: { server, sessions } });
    const one = { name, server: name, cookies: 'one', of: 'first',
        port: name === 'floor' ? 'one' : 'main' };
    const found = [];

    try {
        for (const n of kHeaders) {
            found.push((await ofSubject(one, fleet, kRequests,
                { headers: n })).instructions);
        }
    } finally {
        await fleet.stop();
    }
    return found;
}

export const kHeaderColumns = [
    ['further headers, instructions', (row) => String(row.headers)],
    ['floor', (row) => row.floor],
    ['warm', (row) => row.warm],
    ['added', (row) => row.added],
    ['ratio', (row) => row.ratio, 3],
];

// --- sessions ---

// One of so many sessions, chosen at random.
const subjects = [
    { name: 'floor bare', server: 'floor', port: 'one' },
    ...kSessions.flatMap((n) => [
        { name: `floor of ${n}`, server: 'floor', port: 'one', cookies: 'many',
            of: 'random', among: n },
        { name: `cookie of ${n}`, server: 'module', cookies: 'many',
            of: 'random', among: n, floor: `floor of ${n}` },
        { name: `zone of ${n}`, server: `zone of ${n}`, cookies: 'zone',
            of: 'random', floor: 'floor bare' }]),
];

// CPU time at a fixed rate, and instructions. options: as of rounds()
export async function sessions(upstream, options) {
    const many = mint('many', Math.max(...kSessions), kOneChunk);
    const times = await timesOf(upstream, many, options);
    const rows = [];

    for (const [server, start] of Object.entries(starts(upstream, many))) {
        const some = subjects.filter((one) => one.server === server);
        rows.push(...await instructionsOf(server, some, await start(kUnder)));
    }
    clean(many);

    return times.map((row) => ({ ...row, ...compared(
        rows.find(({ name }) => name === row.name), rows) }));
}

async function timesOf(upstream, many, options) {
    const fleet = {};

    for (const [name, start] of Object.entries(starts(upstream, many))) {
        fleet[name] = await start();
    }
    const ready = withRequests(fleet);
    try {
        await touch(fleet);
        return await rounds(subjects, ready,
            { ...options, asFastAsItGoes: false });
    } finally {
        await ready.stop();
    }
}

// A worker meets each page of a zone for the first time once, some at a time;
// that is not what is asked here.
async function touch(fleet) {
    for (const { server, sessions } of Object.values(fleet)) {
        if (sessions.zone) {
            await load({ port: server.ports.main, connections: 32,
                cookies: sessions.zone.cookies, order: `step:${kStep}`,
                limit: Math.ceil(sessions.zone.count / kStep) });
        }
    }
}

const starts = (upstream, many) => ({
    floor: async (options) => ({ sessions: { many }, server: await startFloor(
        upstream, { one: many.token }, options) }),
    module: async (options) => ({ sessions: { many },
        server: await startModule(upstream, '', options) }),
    ...Object.fromEntries(kSessions.map((n) => [`zone of ${n}`,
        (options) => startZone(upstream, n, options)])),
});

async function instructionsOf(name, some, started) {
    const fleet = withRequests({ [name]: started });
    const rows = [];

    try {
        for (const one of some) {
            rows.push(await ofSubject(one, fleet, kRequests,
                { warmUp: Math.min(one.among ?? 100, kForgotten) }));
        }
    } finally {
        await fleet.stop();
    }
    return rows;
}

// They are gigabytes.
function clean(many) {
    fs.rmSync(many.cookies);
    kSessions.forEach((n) =>
        fs.rmSync(many.cookies.replace('many', `zone-${n}`), { force: true }));
}

export const kSessionColumns = [
    ['one of so many sessions', (row) => row.name],
    ['CPU µs', (row) => row.cpu, 2],
    ['ratio', (row) => row.cpuRatio, 3],
    ['instructions', (row) => row.instructions],
    ['added', (row) => row.added],
    ['ratio', (row) => row.ratio, 3],
    ['against', (row) => row.floor],
];
