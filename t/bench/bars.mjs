// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a request may cost. A bar that was missed is told as missed, and does
// not fail the bench: that is for who reads it.

const of = (part, name, what) => (found) =>
    found[part]?.find((one) => one.name === name)?.[what];
const all = (part, names, what) => (found) => {
    const values = names.map((name) => of(part, name, what)(found));
    return values.includes(undefined) ? undefined : values;
};

const calls = (names, what) => (found) => all('instructions', names, what)(found)
    ?.flat().reduce((sum, one) => sum + one.calls, 0);

// The dearest against the cheapest.
const spread = (part, names, what) => (found) => {
    const costs = all(part, names, what)(found);
    return costs && Math.max(...costs) / Math.min(...costs);
};

// What a further header costs, against what it costs plain NGINX.
const header = ({ headers }) => headers
    && (headers.at(-1).warm - headers[0].warm)
        / (headers.at(-1).floor - headers[0].floor);

const most = (rows, what) => rows && Math.max(...rows.map(what));
// Requests at the end of a token, as many as the bar is about.
const fifty = ({ storms }) => storms?.rows.filter(
    ({ requests }) => requests === storms.bar.requests);

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
        calls(kLive, 'unwanted'), { most: 0 }],
    ['live sessions: calls of OpenSSL\'s own locks',
        calls(kLive, 'opensslLocks'), { most: 0 }],

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
    ['0 to 200 further headers: instructions of one, against the floor\'s',
        header, { most: 1.02 }],

    ['memory of a worker before traffic, KiB added',
        (found) => found.memory?.perWorker, { most: 64 }],
    ['memory of a worker that has opened one session, KiB added',
        (found) => found.memory?.perWorkerUsed, { most: 64 + 3 }],
    ['memory of each session opened, KiB',
        (found) => found.memory?.perSession, { most: 3 }],

    ['login: calls to the provider',
        ({ logins }) => most(logins?.rows, (one) => one.providerCalls),
        { most: 1 }],
    ['login: CPU, microseconds',
        ({ logins }) => most(logins?.rows, (one) => one.cpuMicroseconds),
        { most: 400 }],
    ['50 requests at a token\'s end: calls to the provider',
        (found) => most(fifty(found), (one) => one.providerCalls),
        { most: 1 }],
    ['50 requests at a token\'s end: the last goes on, ms after the answer',
        (found) => most(fifty(found), (one) => one.lastOnMs.median),
        { most: 20 }],
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
