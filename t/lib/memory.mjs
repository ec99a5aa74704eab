// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What stands in the memory that a process shares with others.

import fs from 'node:fs';

const kShared = /^([0-9a-f]+)-([0-9a-f]+) r.-s /;

// what: a text, or octets
export function sharedMemoryHas(pid, what) {
    const memory = fs.openSync(`/proc/${pid}/mem`, 'r');

    try {
        return fs.readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')
            .map((line) => kShared.exec(line)).filter(Boolean)
            .some(([, from, to]) => read(memory, parseInt(from, 16),
                parseInt(to, 16)).includes(what));
    } finally {
        fs.closeSync(memory);
    }
}

function read(memory, from, to) {
    const octets = Buffer.alloc(to - from);

    fs.readSync(memory, octets, 0, octets.length, from);
    return octets;
}
