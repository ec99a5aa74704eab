// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Memory of a worker that no other process has: what the module adds to it
// before any traffic, and what each session adds that was opened recently.

import fs from 'node:fs';

import { load } from './load.mjs';
import { startFloor, startModule } from './servers.mjs';

const kSome = 1000;    // sessions, fewer than a worker remembers
const kMore = 50_000;  // and more than that

// KiB, of plain NGINX and of NGINX with the module, which get the same
// requests: connections that last long take memory, too.
export async function memory(upstream, { one, two }) {
    const floor = await startFloor(upstream, { one: one.token,
        two: two.token });
    const module = await startModule(upstream);
    const servers = { floor, module };

    try {
        const idle = look(servers);
        await ask(servers, one.first, kSome);
        const used = look(servers);
        await ask(servers, one.cookies, kSome);
        const some = look(servers);
        await ask(servers, one.cookies, kMore, kSome);
        const all = look(servers);

        return { idle, used, some, all, perWorker: more(idle),
            perWorkerUsed: more(used),
            perSession: (more(some) - more(used)) / kSome,
            allSessions: more(all) - more(used) };
    } finally {
        await floor.stop();
        await module.stop();
    }
}

async function ask(servers, cookies, limit, first = 0) {
    for (const { ports } of Object.values(servers)) {
        await load({ port: ports.one ?? ports.main, cookies, limit, first });
    }
}

const look = ({ floor, module }) => ({ floor: of(floor), module: of(module) });
const more = ({ floor, module }) => module.own - floor.own;

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
    ['51,000 sessions opened, all together', found.allSessions],
    ['proportional set, plain NGINX', found.idle.floor.pss],
    ['proportional set, with the module', found.idle.module.pss],
];
