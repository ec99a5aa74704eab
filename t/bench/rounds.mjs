// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a request costs, of all subjects, one after the other, several times (A B
// C, A B C). What changes on the machine meanwhile meets all of them; each ratio
// is of two neighbours, and the median of the rounds is told.
//
// At a fixed rate: CPU time, p50 and p99. In a closed loop, as fast as it goes:
// requests/s, and CPU time once more; who is slower there finds the others
// asleep more often, and waking them is its own CPU time, so that the loop
// makes differences larger than they are.

import { load, loadByWrk } from './load.mjs';

const kConnections = 32;

// subjects: as of subjects.mjs; fleet: of startFleet(). options: rounds,
// seconds, rate, asFastAsItGoes: false, for the fixed rate alone.
export async function rounds(subjects, fleet,
    { rounds: n, seconds, rate, asFastAsItGoes = true }) {
    const found = new Map(subjects.map(({ name }) => [name, []]));

    await each(subjects, (one) => closed(one, fleet, seconds / 4)); // warm-up
    for (let i = 0; i < n; i++) {
        await each(subjects, async (one) => found.get(one.name).push({
            ...await fixed(one, fleet, seconds, rate),
            ...asFastAsItGoes ? { ...await closed(one, fleet, seconds),
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
        loop: cpu / done.requests / 1000, busy: cpu / 1e9 / done.seconds };
}

async function fixed(one, fleet, seconds, rate) {
    const { server } = fleet[one.server];
    const before = server.cpu();
    const done = await load({ ...fleet.requests(one), limit: `${seconds}s`,
        connections: kConnections, rate: one.rate ?? rate });
    const cpu = server.cpu() - before;

    fleet.advance(one, done.requests);
    return { p50: done.p50, p99: done.p99,
        cpu: cpu / done.requests / 1000 };
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

    for (const what of ['rps', 'wrk', 'cpu', 'p50', 'p99', 'loop', 'busy']) {
        row[what] = median(own.map((round) => round[what]));
    }
    return !floor ? row : { ...row, rpsRatio: its(floor, 'rps'),
        cpuRatio: its(floor, 'cpu'), p50Ratio: its(floor, 'p50'),
        p99Ratio: its(floor, 'p99'), wrkRatio: its(floor, 'wrk'),
        loopRatio: its(floor, 'loop') };
}

export function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const half = sorted.length >> 1;

    return sorted.length % 2 === 1 ? sorted[half]
        : (sorted[half - 1] + sorted[half]) / 2;
}

export const kRoundColumns = [
    ['at a fixed rate, and as fast as it goes', (row) => row.name],
    ['CPU µs', (row) => row.cpu, 2],
    ['ratio', (row) => row.cpuRatio, 3],
    ['p50 µs', (row) => row.p50],
    ['ratio', (row) => row.p50Ratio, 2],
    ['p99 µs', (row) => row.p99],
    ['ratio', (row) => row.p99Ratio, 2],
    ['requests/s', (row) => row.rps],
    ['ratio', (row) => row.rpsRatio, 3],
    ['by wrk', (row) => row.wrk],
    ['ratio', (row) => row.wrkRatio, 3],
    ['CPU µs', (row) => row.loop, 2],
    ['ratio', (row) => row.loopRatio, 3],
    ['busy', (row) => row.busy, 2],
    ['against', (row) => row.floor],
];
