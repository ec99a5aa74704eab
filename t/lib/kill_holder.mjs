// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// node kill_holder.mjs MASTER: kills a worker while it holds the zone's lock,
// and prints its pid.
//
// It waits until somebody holds the lock, stops him, looks whether he holds it
// still, and only then kills him.

import fs from 'node:fs';

import { isAlive } from './nginx.mjs';
import { ZoneMemory } from './zone_memory.mjs';

const master = Number(process.argv[2]);
const zone = new ZoneMemory(master);

while (isAlive(master)) {
    const pid = zone.holder;

    if (pid && stopped(pid)) {
        if (zone.holder === pid) {
            process.kill(pid, 'SIGKILL');
            console.log(pid);
            break;
        }
        process.kill(pid, 'SIGCONT');
    }
}

// He does not get any further once his state says so.
function stopped(pid) {
    process.kill(pid, 'SIGSTOP');

    while (!/^\d+ \(.*\) T/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))) {
        // until he has left what he does in the kernel
    }
    return true;
}
