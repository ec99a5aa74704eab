// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Instructions of a worker in user space, counted one by one: they are the same
// on a busy machine and on a quiet one.
//
// N requests are counted, then 2N; the difference has neither the start nor the
// connection in it.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export const kCallgrind = ['valgrind', '--tool=callgrind', '-q',
    '--callgrind-out-file=%prefix/callgrind.%p'];

// requests: (count) => a promise. { instructions, functions }: of one request.
export async function count(server, n, requests) {
    const once = await counted(server, () => requests(n));
    const twice = await counted(server, () => requests(2 * n));

    return { instructions: (twice.total - once.total) / n,
        functions: difference(once.functions, twice.functions, n) };
}

async function counted(server, action) {
    control('--zero', server.worker);
    await action();
    control('--dump', server.worker);

    const file = newest(server);
    const text = fs.readFileSync(file, 'utf8');
    fs.rmSync(file);
    return { total: Number(/^(?:totals|summary): (\d+)/m.exec(text)[1]),
        functions: selfCosts(text) };
}

function control(what, pid) {
    execFileSync('callgrind_control', [what, String(pid)],
        { stdio: ['ignore', 'ignore', 'pipe'] });
}

function newest(server) {
    const { prefix } = server.place;
    const start = `callgrind.${server.worker}.`;
    const number = (name) => Number(name.slice(start.length));
    const [name] = fs.readdirSync(prefix).filter((one) => one.startsWith(start))
        .sort((a, b) => number(b) - number(a));

    return path.join(prefix, name);
}

// What each function itself has cost, and how often it was called:
// Map of name: { cost, calls }. Lines of its cost follow its "fn="; the one
// line behind "calls=" is the cost of who was called.
function selfCosts(text) {
    const names = new Map();
    const found = new Map();
    const of = (name) => found.get(name)
        ?? found.set(name, { cost: 0, calls: 0 }).get(name);
    let current;
    let called;
    let skip = false;

    for (const line of text.split('\n')) {
        const fn = /^(c?)fn=\((\d+)\)(?: (.*))?$/.exec(line);
        if (fn) {
            fn[3] && names.set(fn[2], fn[3]);
            fn[1] ? called = of(names.get(fn[2])) : current = of(names.get(fn[2]));
        } else if (line.startsWith('calls=')) {
            called.calls += Number(line.slice(6).split(' ')[0]);
            skip = true;
        } else if (/^[+*\d-]/.test(line)) {
            current.cost += skip ? 0 : Number(line.split(' ')[1] ?? 0);
            skip = false;
        }
    }
    return found;
}

// [{ name, cost, calls }] of one request, the dearest first.
function difference(once, twice, n) {
    const none = { cost: 0, calls: 0 };

    return [...twice].map(([name, { cost, calls }]) => {
        const less = once.get(name) ?? none;
        return { name, cost: (cost - less.cost) / n,
            calls: (calls - less.calls) / n };
    }).filter(({ cost }) => cost > 0).sort((a, b) => b.cost - a.cost);
}
