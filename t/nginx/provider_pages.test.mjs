// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Every block in docs/providers/ is loaded as it stands there, so it can be
// copied. Only paths of secrets and keys are changed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { load } from '../lib/examples.mjs';

const kFolder = fileURLToPath(new URL('../../docs/providers', import.meta.url));
const kIndex = read('README.md');

const pages = fs.readdirSync(kFolder).filter((name) => name !== 'README.md');

for (const page of pages) {
    const blocks = [...read(page).matchAll(/^```nginx\n([^]*?)^```$/mg)]
        .map(([, block]) => block);

    test(`docs/providers/${page} has a block, and the index has the page`, () => {
        assert.notEqual(blocks.length, 0);
        assert.ok(kIndex.includes(`(${page})`));
    });

    for (const [i, block] of blocks.entries()) {
        test(`docs/providers/${page}: block ${i + 1} is accepted`, async () => {
            const { code, output } = await load(block);
            assert.equal(code, 0, output);
        });
    }
}

function read(name) {
    return fs.readFileSync(path.join(kFolder, name), 'utf8');
}
