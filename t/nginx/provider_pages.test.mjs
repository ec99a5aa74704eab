// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Every block in docs/providers/ is loaded as it stands there, so it can be
// copied. Only paths of secrets and keys are changed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { load } from '../lib/examples.mjs';
import { needs } from '../lib/needs.mjs';

const kFolder = fileURLToPath(new URL('../../docs/providers', import.meta.url));
const kIndex = read('README.md');
const kLater = ['userinfo', 'client_key'];
const kNeeds = Object.fromEntries(await Promise.all(kLater.map(
    async (directive) => [directive, await needs(directive)])));

const pages = fs.readdirSync(kFolder).filter((name) => name !== 'README.md');

for (const page of pages) {
    const blocks = [...read(page).matchAll(/^```nginx\n([^]*?)^```$/mg)]
        .map(([, block]) => block);

    test(`docs/providers/${page} has a block, and the index has the page`, () => {
        assert.notEqual(blocks.length, 0);
        assert.ok(kIndex.includes(`(${page})`));
    });

    for (const [i, block] of blocks.entries()) {
        const later = kLater.filter((directive) =>
            new RegExp(`^ *${directive} `, 'm').test(block));

        test(`docs/providers/${page}: block ${i + 1} is accepted`,
            Object.assign({}, ...later.map((directive) => kNeeds[directive])),
            async () => {
                const { code, output } = await load(block);
                assert.equal(code, 0, output);
            });
    }
}

function read(name) {
    return fs.readFileSync(path.join(kFolder, name), 'utf8');
}
