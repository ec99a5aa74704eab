// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Every file in conf-examples/ is loaded as it stands there, so an example
// always works. Only paths of certificates, secrets and the module are changed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { load } from '../lib/examples.mjs';

const kFolder = fileURLToPath(new URL('../../conf-examples', import.meta.url));
const examples = fs.existsSync(kFolder)
    ? fs.readdirSync(kFolder).filter((name) => name.endsWith('.conf')) : [];

for (const name of examples) {
    test(`conf-examples/${name} is accepted`, async () => {
        const text = fs.readFileSync(path.join(kFolder, name), 'utf8');
        const { code, output } = await load(text);
        assert.equal(code, 0, output);
        assert.doesNotMatch(output, /\[warn\].* in location /);
        assert.doesNotMatch(output, /\[warn\].*large_client_header_buffers/);
    });
}

// The folder may come later; what this file does with an example holds anyway.
test('an example is loaded whole, as http{} or as a part of it', async () => {
    for (const text of [
        'bff_provider p { issuer https://id.example.com; client_id a;\n'
        + 'client_secret file:/etc/nginx/secrets/a; }\n'
        + 'server { listen 443 ssl; ssl_certificate /etc/a.crt;\n'
        + 'ssl_certificate_key /etc/a.key; location /api/ { bff p; } }',
        'load_module modules/ngx_http_bff_module.so;\nevents {}\nhttp {\n'
        + 'server { listen 80; location / { return 200; } }\n}\n']) {
        const { code, output } = await load(text);
        assert.equal(code, 0, output);
    }
});
