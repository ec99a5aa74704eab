// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Looks into the shared memory of a running NGINX, as no module could: by the
// descriptor that its master holds.
//
// It begins with NGINX's slab pool; on 64-bit Linux:
//
//   0   lock: pid of the worker that holds it     16  min_size
//   8   how many wait                             24  min_shift
//   32  pages, last; free: slab, next, prev       72  stats
//   80  pfree: pages that are free

import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

import { heirlooms } from './nginx.mjs';

export class ZoneMemory {
    #fd;

    // pid: the master's
    constructor(pid, name = 'bff') {
        this.path = heirlooms(pid).find((h) => h.name === name).file;
        this.#fd = fs.openSync(this.path, 'r');
    }

    get holder() {
        return this.#number(0);
    }

    get freePages() {
        return this.#number(80);
    }

    close() {
        fs.closeSync(this.#fd);
    }

    #number(at) {
        const octets = Buffer.alloc(8);
        fs.readSync(this.#fd, octets, 0, 8, at);
        return Number(octets.readBigUInt64LE());
    }
}

// To be run as a program, since it must look all the time.
export const kKillHolder = fileURLToPath(
    new URL('./kill_holder.mjs', import.meta.url));
