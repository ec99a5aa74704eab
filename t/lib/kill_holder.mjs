// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// node kill_holder.mjs MASTER: kills a worker while it holds the zone's lock,
// and prints its pid.
//
// It waits until somebody holds the lock, stops him, looks whether he holds it
// still, and only then kills him. Both are on one processor: so he cannot give
// it back while he is looked at. Who wakes up interrupts who is at work there,
// now and then where he has the lock.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

import { children, isAlive } from './nginx.mjs';
import { ZoneMemory } from './zone_memory.mjs';

const master = Number(process.argv[2]);
const zone = new ZoneMemory(master);

const nap = new Int32Array(new SharedArrayBuffer(4));
const kNap = 0.05; // milliseconds

for (const pid of [process.pid, ...children(master)]) {
    execFileSync('taskset', ['-pc', processor(), pid], { stdio: 'ignore' });
}

while (isAlive(master)) {
    Atomics.wait(nap, 0, 0, kNap);
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

// The first one that we may use.
function processor() {
    return /^Cpus_allowed_list:\s*(\d+)/m
        .exec(fs.readFileSync('/proc/self/status', 'utf8'))[1];
}

// He does not get any further once his state says so.
function stopped(pid) {
    process.kill(pid, 'SIGSTOP');

    while (!/^\d+ \(.*\) T/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))) {
        // until he has left what he does in the kernel
    }
    return true;
}
