// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// stalls.mjs MODULE FILE...: runs test files with a module that was built with
// BFF_STALLS, and tells how long each of its callbacks kept the event loop.
//
// Each file has the module under a path of its own, beside which its workers
// leave what they have counted (see src/ngx/stalls.hpp). Ends with 1 when a
// callback took more than 1 ms. AT_ONCE says how many files run at once.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

const kBarNs = 1e6;
const kToldNs = kBarNs / 5;
const kAtOnce = Number(process.env.AT_ONCE || 2);

const [module, ...files] = process.argv.slice(2);
const out = path.dirname(path.resolve(module));

// "... [with auto f = bff::module::{anonymous}::on_access; ...]" and the like
function nameOf(signature) {
    const given = /\[with (?:auto f|T) = (.*?)(?:; bool is_start = \w+)?\]$/
        .exec(signature)?.[1] ?? signature;

    let name = given.replaceAll(/(\{anonymous\}|<unnamed>|<lambda[^>]*>)::/g, '')
        .replaceAll('bff::', '');
    while (/<[^<>]*>/.test(name)) {
        name = name.replaceAll(/<[^<>]*>/g, '');
    }
    return name.replace(/^&/, '');
}

async function run(file) {
    const name = path.basename(file, '.test.mjs');
    const own = path.join(out, 'runs', name);

    fs.rmSync(own, { recursive: true, force: true });
    fs.mkdirSync(own, { recursive: true });
    fs.symlinkSync(path.resolve(module), path.join(own, path.basename(module)));

    const log = fs.openSync(path.join(own, 'test.log'), 'w');
    const test = spawn(process.execPath, ['--test', file], {
        env: { ...process.env,
            BFF_MODULE: path.join(own, path.basename(module)) },
        stdio: ['ignore', log, log],
    });
    const [code] = await once(test, 'exit');
    fs.closeSync(log);

    console.error(`${code === 0 ? 'ok' : 'not ok'} ${name}`);
    return { name, passed: code === 0, workers: linesOf(own) };
}

function linesOf(folder) {
    const file = path.join(folder, 'stalls.jsonl');

    return fs.existsSync(file)
        ? fs.readFileSync(file, 'utf8').trim().split('\n').map(JSON.parse)
        : [];
}

async function runAll() {
    const left = [...files];
    const done = [];
    const lane = async () => {
        while (left.length > 0) {
            done.push(await run(left.shift()));
        }
    };

    await Promise.all(Array.from({ length: kAtOnce }, lane));
    return done;
}

function sumUp(runs) {
    const all = new Map();

    for (const { name: test, workers } of runs) {
        for (const one of workers.flatMap((worker) => worker.callbacks)) {
            add(all, one, test);
        }
    }

    return [...all.values()].sort((a, b) => b.worst - a.worst);
}

function add(all, one, test) {
    const name = nameOf(one.name);
    const sum = all.get(name) ?? { name, start: one.start, count: 0, sum: 0,
        worst: 0, worst_passed: 0, over: 0, test: '',
        buckets: one.buckets.map(() => 0) };

    all.set(name, sum);
    sum.count += one.count;
    sum.sum += one.sum;
    sum.worst_passed = Math.max(sum.worst_passed, one.worst_passed);
    one.buckets.forEach((n, i) => { sum.buckets[i] += n; });
    if (one.worst > sum.worst) {
        Object.assign(sum, { worst: one.worst, test, longest: one.longest });
    }
}

// Bucket n ends at 2^n us; the worst is known better.
function quantile({ buckets, count, worst }, part) {
    let seen = 0;
    const at = buckets.findIndex((n) => (seen += n) >= part * count);

    return Math.min(2 ** at, worst / 1000);
}

function isMeasured({ name, start }) {
    return !start && name !== 'signature';
}

const us = (value) => value.toFixed(value < 10 ? 1 : 0).padStart(9);

function table(title, rows) {
    const lines = rows.map((row) => [row.name.slice(0, 44).padEnd(44),
        String(row.count).padStart(9), us(quantile(row, 0.5)),
        us(quantile(row, 0.99)), us(row.worst / 1000),
        us(row.worst_passed / 1000), ` ${row.test}`].join(' '));

    return [`${title.padEnd(44)} ${['count', 'p50 us', 'p99 us', 'max us',
        'max wall'].map((word) => word.padStart(9)).join(' ')}  worst in`,
    ...lines, ''].join('\n');
}

// What the longest was made of.
function story({ name, worst, test, longest: { path: of, pages, ...parts } }) {
    const made = Object.entries(parts).filter(([, { ns }]) => ns > 0)
        .map(([part, { ns, octets }]) =>
            `${part} ${us(ns / 1000).trim()} us of ${octets} octets`);

    return `${us(worst / 1000).trim()} us: ${name}${of && ` of ${of}`}`
        + ` (${test}): ${[...made, `${pages} new pages`].join(', ')}`;
}

const runs = await runAll();
const rows = sumUp(runs);
const over = rows.filter((row) => isMeasured(row) && row.worst > kBarNs);
const failed = runs.filter((run) => !run.passed).map((run) => run.name);
const counted = runs.flatMap((run) => run.workers).length;

const text = [
    table('callback', rows.filter(isMeasured)),
    table('apart', rows.filter(({ name }) => name === 'signature')),
    table('before a worker serves', rows.filter(({ start }) => start)),
    'The longest of each that took more than 0.2 ms:',
    ...rows.filter((row) => isMeasured(row) && row.worst > kToldNs).map(story),
    '',
    `${counted} workers of ${runs.length} files`,
    ...failed.map((name) => `failed: ${name}`),
    ...over.map((row) => `over 1 ms: ${row.name} (${row.test})`),
    '',
].join('\n');

fs.writeFileSync(path.join(out, 'stalls.txt'), text);
fs.writeFileSync(path.join(out, 'stalls.json'),
    `${JSON.stringify({ workers: counted, failed, callbacks: rows }, null, 1)}\n`);
process.stdout.write(text);
process.exitCode = over.length > 0 || counted === 0 ? 1 : 0;
