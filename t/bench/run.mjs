// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// make bench: what a request costs with the module, and without it.
//
//   node t/bench/run.mjs [quick] [only=REGEXP] [top=N]
//
// quick   counts instructions, and nothing else: in a minute, on a machine
//         that need not be quiet; only=warm for subjects whose name matches,
//         top=20 for the dearest functions of each

import fs from 'node:fs';
import path from 'node:path';

import { instructions, kInstructionColumns } from './instructions.mjs';
import { startUpstream } from './servers.mjs';
import { kOneChunk, kOut, kTwoChunks, mint } from './sessions.mjs';
import { table } from './table.mjs';

const words = process.argv.slice(2);
const option = (name) => words.find((word) => word.startsWith(`${name}=`))
    ?.slice(name.length + 1);

await quick();

async function quick() {
    const upstream = await startUpstream();
    const rows = await instructions(upstream, { one: mint('one', 5000, kOneChunk),
        two: mint('two', 5000, kTwoChunks) },
    { only: new RegExp(option('only') ?? '.') });

    await upstream.stop();
    fs.writeFileSync(path.join(kOut, 'quick.json'),
        JSON.stringify(rows, null, 1));
    console.log(table(rows, kInstructionColumns));
    rows.filter((row) => row.floor)
        .forEach((row) => functions(`${row.name}: unwanted`, row.unwanted));
    rows.forEach((row) => functions(row.name,
        row.functions.slice(0, Number(option('top') ?? 0))));
}

function functions(title, some) {
    if (some.length > 0) {
        console.log('\n' + table(some, [
            [title, ({ name }) => name.slice(0, 120)],
            ['calls', ({ calls }) => calls, 2],
            ['instructions', ({ cost }) => cost]]));
    }
}
