// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The tables of a run as Markdown, for docs/performance.md:
//
//   node t/bench/markdown.mjs build/bench/all.json

import fs from 'node:fs';

import { kBarColumns } from './bars.mjs';
import { kHeaderColumns, kSessionColumns } from './flatness.mjs';
import { kInstructionColumns } from './instructions.mjs';
import { kMachineColumns } from './machine.mjs';
import { kMemoryColumns, memoryRows } from './memory.mjs';
import { kRoundColumns } from './rounds.mjs';
import { kSystemCallColumns } from './system_calls.mjs';
import { markdown } from './table.mjs';

const kTables = {
    machine: [kMachineColumns, Object.entries],
    rounds: [kRoundColumns],
    instructions: [kInstructionColumns],
    calls: [kSystemCallColumns],
    memory: [kMemoryColumns, memoryRows],
    headers: [kHeaderColumns],
    sessions: [kSessionColumns],
    bars: [kBarColumns],
};

const found = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

for (const [part, [columns, rows = (some) => some]] of Object.entries(kTables)) {
    if (found[part]) {
        console.log(`${markdown(rows(found[part]), columns)}\n`);
    }
}
