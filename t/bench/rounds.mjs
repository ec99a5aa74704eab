// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Requests/s and CPU time of a request in a closed loop, and how long requests
// take at a fixed rate, of all subjects, one after the other, several times
// (A B C, A B C). What changes on the machine meanwhile meets all of them; each
// ratio is of two neighbours, and the median of the rounds is told.

import { load, loadByWrk } from './load.mjs';

const kConnections = 32;

// subjects: as of subjects.mjs; fleet: of startFleet(). options: rounds,
// seconds, rate (without it there is no p50, no p99 and no wrk).
export async function rounds(subjects, fleet, { rounds: n, seconds, rate }) {
    const found = new Map(subjects.map(({ name }) => [name, []]));

    await each(subjects, (one) => closed(one, fleet, seconds / 4)); // warm-up
    for (let i = 0; i < n; i++) {
        await each(subjects, async (one) => found.get(one.name).push({
            ...await closed(one, fleet, seconds),
            ...rate ? { ...await fixed(one, fleet, seconds, rate),
                wrk: await byWrk(one, fleet, seconds / 2) } : {} }));
    }
    return subjects.map((one) => summary(one, found));
}

async function each(subjects, action) {
    for (const one of subjects) {
        await action(one);
    }
}

async function closed(one, fleet, seconds) {
    const { server } = fleet[one.server];
    const before = server.cpu();
    const done = await load({ ...fleet.requests(one), limit: `${seconds}s`,
        connections: kConnections });
    const cpu = server.cpu() - before;

    fleet.advance(one, done.requests);
    return { rps: done.requests / done.seconds,
        cpu: cpu / done.requests / 1000, busy: cpu / 1e9 / done.seconds };
}

async function fixed(one, fleet, seconds, rate) {
    const { server } = fleet[one.server];
    const before = server.cpu();
    const done = await load({ ...fleet.requests(one), limit: `${seconds}s`,
        connections: kConnections, rate });
    const cpu = server.cpu() - before;

    fleet.advance(one, done.requests);
    return { p50: done.p50, p99: done.p99,
        steady: cpu / done.requests / 1000 };
}

// Another client, so that nobody need believe ours.
async function byWrk(one, fleet, seconds) {
    const { of, ...request } = { ...fleet.requests(one), of: one.of ?? 'first' };

    return of === 'first' ? await loadByWrk({ ...request, seconds,
        connections: kConnections }) : undefined;
}

function summary(one, found) {
    const own = found.get(one.name);
    const its = (floor, what) => median(own.map((round, i) =>
        round[what] / floor[i][what]));
    const floor = found.get(one.floor);
    const row = { name: one.name, floor: one.floor };

    for (const what of ['rps', 'wrk', 'cpu', 'busy', 'p50', 'p99', 'steady']) {
        row[what] = median(own.map((round) => round[what]));
    }
    return !floor ? row : { ...row, rpsRatio: its(floor, 'rps'),
        cpuRatio: its(floor, 'cpu'), p50Ratio: its(floor, 'p50'),
        p99Ratio: its(floor, 'p99'), wrkRatio: its(floor, 'wrk'),
        steadyRatio: its(floor, 'steady') };
}

export function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const half = sorted.length >> 1;

    return sorted.length % 2 === 1 ? sorted[half]
        : (sorted[half - 1] + sorted[half]) / 2;
}

export const kRoundColumns = [
    ['a closed loop, and a fixed rate', (row) => row.name],
    ['requests/s', (row) => row.rps],
    ['ratio', (row) => row.rpsRatio, 3],
    ['by wrk', (row) => row.wrk],
    ['ratio', (row) => row.wrkRatio, 3],
    ['CPU µs', (row) => row.cpu, 2],
    ['ratio', (row) => row.cpuRatio, 3],
    ['busy', (row) => row.busy, 2],
    ['CPU µs at the rate', (row) => row.steady, 2],
    ['ratio', (row) => row.steadyRatio, 3],
    ['p50 µs', (row) => row.p50],
    ['ratio', (row) => row.p50Ratio, 2],
    ['p99 µs', (row) => row.p99],
    ['ratio', (row) => row.p99Ratio, 2],
    ['against', (row) => row.floor],
];
