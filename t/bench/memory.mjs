// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Memory of a worker that no other process has: what the module adds to it
// before any traffic, and what each session adds that was opened recently.

import fs from 'node:fs';

import { load } from './load.mjs';
import { startFloor, startModule } from './servers.mjs';

const kSome = 1000;    // sessions, fewer than a worker remembers
const kMore = 20_000;  // and more than that

// KiB: { floor, module } of { idle, pss }, and perWorker; perSession, what
// each of kSome sessions has added; most, what kMore have added in all.
export async function memory(upstream, { one, two }) {
    const floor = await startFloor(upstream, { one: one.token,
        two: two.token });
    const module = await startModule(upstream);
    const ask = (server, cookies, limit, first = 0) => load({ cookies, limit,
        port: server.ports.one ?? server.ports.main, first });

    try {
        const idle = { floor: of(floor), module: of(module) };
        await ask(floor, one.first, kSome);
        await ask(module, one.first, kSome);
        const used = { floor: of(floor), module: of(module) };

        await ask(module, one.cookies, kSome);
        const some = of(module);
        await ask(module, one.cookies, kMore, kSome);
        const most = of(module);

        return { idle, used, some, most,
            perWorker: idle.module.own - idle.floor.own,
            perWorkerUsed: used.module.own - used.floor.own,
            perSession: (some.own - used.module.own) / kSome,
            allSessions: most.own - used.module.own };
    } finally {
        await floor.stop();
        await module.stop();
    }
}

// Pages that it has written itself, and its share of all.
function of({ worker }) {
    const text = fs.readFileSync(`/proc/${worker}/smaps_rollup`, 'utf8');
    const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm')
        .exec(text)[1]);

    return { own: kib('Private_Dirty'), clean: kib('Private_Clean'),
        pss: kib('Pss') };
}

export const kMemoryColumns = [
    ['memory of a worker, KiB', ([name]) => name],
    ['', ([, kib]) => kib, 1],
];

export const memoryRows = (found) => [
    ['plain NGINX, its own, before traffic', found.idle.floor.own],
    ['with the module, before traffic', found.idle.module.own],
    ['added before traffic', found.perWorker],
    ['added after 1,000 requests of one session', found.perWorkerUsed],
    ['each of 1,000 sessions opened', found.perSession],
    ['21,000 sessions opened, all together', found.allSessions],
    ['proportional set, plain NGINX', found.idle.floor.pss],
    ['proportional set, with the module', found.idle.module.pss],
];
