// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// make bench: what a request costs with the module, and without it.
//
//   node t/bench/run.mjs [quick] [PART ...] [only=REGEXP] [top=N]
//
// quick   counts instructions, and nothing else: in a minute or two, on a
//         machine that need not be quiet
// PART    instructions, rounds, calls, memory, headers, sessions, logins or
//         storms; all of them when none is named
// only    subjects whose name matches, of instructions and rounds
// top     lists the dearest functions of each subject
//
// BENCH_ROUNDS (5), BENCH_SECONDS (2) of one measurement, BENCH_RATE (20000
// requests a second at the fixed rate).

import fs from 'node:fs';
import path from 'node:path';

import { kBarColumns, verdicts } from './bars.mjs';
import { headers, kHeaderColumns, kSessionColumns, sessions }
    from './flatness.mjs';
import { startFleet } from './fleet.mjs';
import { instructions, kForgotten, kInstructionColumns }
    from './instructions.mjs';
import { kMachineColumns, machine } from './machine.mjs';
import { kMemoryColumns, memory, memoryRows } from './memory.mjs';
import { kRoundColumns, rounds } from './rounds.mjs';
import { startUpstream } from './servers.mjs';
import { kOneChunk, kOut, kTwoChunks, mint } from './sessions.mjs';
import { kSubjects } from './subjects.mjs';
import { kSystemCallColumns, systemCalls } from './system_calls.mjs';
import { table } from './table.mjs';

const kCold = 100_000;
const kStored = 50_000;

process.setMaxListeners(0); // each server ends with this process

const words = process.argv.slice(2);
const option = (name) => words.find((word) => word.startsWith(`${name}=`))
    ?.slice(name.length + 1);
const number = (name, usual) => Number(process.env[name] ?? usual);

const rate = number('BENCH_RATE', 20_000);

const isQuick = words.includes('quick');
const only = new RegExp(option('only') ?? '.');
const subjects = kSubjects.filter(({ name }) => only.test(name));

const kParts = {
    instructions: async ({ upstream, sessions }) => {
        const rows = await instructions(subjects, upstream, sessions,
            isQuick ? { n: 500, stored: 5000 }
                : { n: 500, stored: kStored, warmUp: kForgotten });
        show(rows, kInstructionColumns);
        rows.forEach((row) => {
            functions(`${row.name}: unwanted`, row.floor ? row.unwanted : []);
            functions(row.name,
                row.functions.slice(0, Number(option('top') ?? 0)));
        });
        return rows;
    },
    rounds: async (stage) => {
        const rows = await rounds(subjects, await theFleet(stage), {
            rounds: number('BENCH_ROUNDS', 5),
            seconds: number('BENCH_SECONDS', 2),
            rate });
        show(rows, kRoundColumns);
        return rows;
    },
    calls: async (stage) => {
        const rows = await systemCalls(subjects, await theFleet(stage));
        show(rows, kSystemCallColumns);
        return rows;
    },
    memory: async ({ upstream, sessions }) => {
        const found = await memory(upstream, sessions);
        show(memoryRows(found), kMemoryColumns);
        return found;
    },
    headers: async ({ upstream, sessions: minted }) => {
        const rows = await headers(upstream, minted);
        show(rows, kHeaderColumns);
        return rows;
    },
    sessions: async ({ upstream }) => {
        const rows = await sessions(upstream, {
            rounds: number('BENCH_ROUNDS', 5),
            seconds: number('BENCH_SECONDS', 2) / 2, rate });
        show(rows, kSessionColumns);
        return rows;
    },
};

// What a login costs, and the end of a token under load.
for (const part of ['logins', 'storms']) {
    if (fs.existsSync(new URL(`${part}.mjs`, import.meta.url))) {
        kParts[part] = async () => {
            const found = await (await import(`./${part}.mjs`)).run();
            show(found.rows, Object.keys(found.rows[0]).map((name) =>
                [name, (row) => typeof row[name] === 'object'
                    ? JSON.stringify(row[name]) : row[name], 1]));
            return found;
        };
    }
}

const named = Object.keys(kParts).filter((part) => words.includes(part));
await run(isQuick ? ['instructions'] : named.length > 0 ? named
    : Object.keys(kParts));

async function run(parts) {
    const upstream = await startUpstream();
    const many = isQuick ? 5000 : kCold;
    const stage = { upstream, sessions: { one: mint('one', many, kOneChunk),
        two: mint('two', 1000, kTwoChunks) } };
    const found = { machine: machine(), seconds: {} };

    show(Object.entries(found.machine), kMachineColumns);
    for (const part of parts) {
        const began = Date.now();
        found[part] = await kParts[part](stage);
        found.seconds[part] = Math.round((Date.now() - began) / 1000);
    }
    await stage.fleet?.stop();
    await upstream.stop();

    found.bars = verdicts(found);
    show(found.bars, kBarColumns);
    keep(isQuick ? 'quick' : parts.length === Object.keys(kParts).length
        ? 'all' : parts.join('-'), found);
}

function keep(name, found) {
    fs.writeFileSync(path.join(kOut, `${name}.json`),
        JSON.stringify(found, null, 1));
}

async function theFleet(stage) {
    return stage.fleet ??= await startFleet(stage.upstream, stage.sessions,
        kStored);
}

function show(rows, columns) {
    console.log(`${table(rows, columns)}\n`);
}

function functions(title, some) {
    if (some.length > 0) {
        show(some, [[title, ({ name }) => name.slice(0, 120)],
            ['calls', ({ calls }) => calls, 2],
            ['instructions', ({ cost }) => cost]]);
    }
}
