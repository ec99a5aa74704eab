// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a request may cost. A bar that was missed is told as missed, and does
// not fail the bench: that is for who reads it.

const row = (part, name) => (found) =>
    found[part]?.find((one) => one.name === name);
const of = (part, name, what) => (found) => row(part, name)(found)?.[what];
const sum = (part, names, what) => (found) => found[part] && names.reduce(
    (n, name) => n + row(part, name)(found)[what].reduce(
        (calls, one) => calls + one.calls, 0), 0);
// The dearest against the cheapest.
const spread = (part, names, what) => (found) => {
    const costs = found[part] && names.map((name) =>
        row(part, name)(found)[what]);
    return costs && Math.max(...costs) / Math.min(...costs);
};

const kLive = ['warm', 'warm two chunks', 'cold', 'zone 1', 'zone many'];

export const kBars = [
    ['warm: CPU against the floor', of('rounds', 'warm', 'cpuRatio'),
        { most: 1.02 }],
    ['warm: requests/s against the floor', of('rounds', 'warm', 'rpsRatio'),
        { least: 0.99 }],
    ['warm, two chunks: CPU against the floor',
        of('rounds', 'warm two chunks', 'cpuRatio'), { most: 1.02 }],
    ['warm, two chunks: requests/s against the floor',
        of('rounds', 'warm two chunks', 'rpsRatio'), { least: 0.99 }],
    ['cold: CPU against the floor', of('rounds', 'cold', 'cpuRatio'),
        { most: 1.15 }],
    ['zone, 1 session: CPU against the bare floor',
        of('rounds', 'zone 1', 'cpuRatio'), { most: 1.03 }],
    ['zone, 50,000 sessions: CPU against the bare floor',
        of('rounds', 'zone many', 'cpuRatio'), { most: 1.05 }],
    ['zone, 1 session: instructions added',
        of('instructions', 'zone 1', 'added'), { most: 5000 }],
    ['zone, 50,000 sessions: instructions added',
        of('instructions', 'zone many', 'added'), { most: 5000 }],

    ...kLive.map((name) => [`${name}: system calls more than the floor`,
        of('calls', name, 'more'), { most: 0 }]),
    ['live sessions: calls of JSON, JOSE, inflate and locks',
        sum('instructions', kLive, 'unwanted'), { most: 0 }],
    ['live sessions: calls of OpenSSL\'s own locks',
        sum('instructions', kLive, 'opensslLocks'), { most: 0 }],

    ['10 to 1,000,000 sessions in a zone: instructions, most by least',
        spread('sessions', [10, 1000, 100_000, 1_000_000].map((n) =>
            `zone of ${n}`), 'instructions'), { most: 1.02 }],
    ['100,000 to 1,000,000 in cookies: instructions, most by least',
        spread('sessions', [100_000, 1_000_000].map((n) => `cookie of ${n}`),
            'instructions'), { most: 1.02 }],
    ['1,000,000 sessions in cookies: CPU against the floor',
        of('sessions', 'cookie of 1000000', 'cpuRatio'), { most: 1.15 }],
    ['1,000,000 sessions in a zone: CPU against the bare floor',
        of('sessions', 'zone of 1000000', 'cpuRatio'), { most: 1.05 }],
    ['0 to 200 further headers: ratio to the floor, most by least',
        (found) => found.headers && Math.max(...found.headers.map(
            ({ ratio }) => ratio)) / found.headers[0].ratio, { most: 1.01 }],

    ['memory of a worker before traffic, KiB added',
        (found) => found.memory?.perWorker, { most: 64 }],
    ['memory of each session opened, KiB',
        (found) => found.memory?.perSession, { most: 3 }],
];

// found: what each part has found, by its name; bars of parts that did not run
// are left out.
export function verdicts(found, bars = kBars) {
    return bars.map(([name, measure, bar]) => {
        const value = measure(found);
        const isMet = value <= (bar.most ?? Infinity)
            && value >= (bar.least ?? -Infinity);

        return { name, value, ...bar, verdict: isMet ? 'met' : 'MISSED' };
    }).filter(({ value }) => value !== undefined);
}

export const kBarColumns = [
    ['bars', (one) => one.name],
    ['measured', (one) => one.value, 3],
    ['bar', (one) => one.most !== undefined ? `<= ${one.most}`
        : `>= ${one.least}`],
    ['', (one) => one.verdict],
];
