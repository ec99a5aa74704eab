// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// System calls of a request, counted by strace on one connection: those of 2N
// requests less those of N, so that the connection's own drop out.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

import { load } from './load.mjs';
import { kOut } from './sessions.mjs';
import { until } from '../lib/wait.mjs';

const kRequests = 1000;

// As [{ name, calls: { read: 2, ... }, sum, more }]: more than the floor's.
export async function systemCalls(subjects, fleet) {
    const rows = [];

    for (const one of subjects) {
        const once = await counted(one, fleet, kRequests);
        const twice = await counted(one, fleet, 2 * kRequests);
        rows.push({ name: one.name, floor: one.floor,
            ...ofOneRequest(once, twice) });
    }
    return rows.map((row) => compared(row, rows));
}

async function counted(one, fleet, requests) {
    const { worker } = fleet[one.server].server;
    const file = path.join(kOut, 'strace');
    const child = spawn('strace', ['-c', '-f', '-p', String(worker), '-o', file],
        { stdio: 'ignore' });
    const ended = once(child, 'exit');

    await until('strace to attach', () => /^TracerPid:\s+[1-9]/m.test(
        fs.readFileSync(`/proc/${worker}/status`, 'utf8')));
    await load({ ...fleet.requests(one), limit: requests });
    fleet.advance(one, requests);
    child.kill('SIGINT');
    await ended;
    return parse(fs.readFileSync(file, 'utf8'));
}

// Lines of "% time  seconds  usecs/call  calls  [errors]  syscall".
function parse(text) {
    return Object.fromEntries(text.split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([percent]) => /^\d+\.\d+$/.test(percent))
        .map((words) => [words.at(-1), Number(words[3])])
        .filter(([name]) => name !== 'total'));
}

function ofOneRequest(once, twice) {
    const calls = Object.fromEntries(Object.entries(twice)
        .map(([name, n]) => [name, (n - (once[name] ?? 0)) / kRequests])
        .filter(([, n]) => Math.abs(n) > 0.01));

    return { calls, sum: Object.values(calls).reduce((a, b) => a + b, 0) };
}

function compared(row, rows) {
    const floor = rows.find((one) => one.name === row.floor);

    return !floor ? row : { ...row,
        more: Math.round((row.sum - floor.sum) * 10) / 10 || 0 };
}

export const kSystemCallColumns = [
    ['system calls of a request', (row) => row.name],
    ['all', (row) => row.sum, 2],
    ['more', (row) => row.more, 1],
    ['which', (row) => Object.entries(row.calls).map(([name, n]) =>
        `${name} ${n.toFixed(2)}`).join(', ')],
];
