// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Every file in conf-examples/ is loaded as it stands there, so an example
// always works. Only paths of certificates, secrets and the module are changed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Nginx, Place, kModule } from '../lib/nginx.mjs';
import { authority, serverCertificate } from '../lib/pki.mjs';

const kFolder = fileURLToPath(new URL('../../conf-examples', import.meta.url));
const examples = fs.existsSync(kFolder)
    ? fs.readdirSync(kFolder).filter((name) => name.endsWith('.conf')) : [];

for (const name of examples) {
    test(`conf-examples/${name} is accepted`, async () => {
        const at = await Place.make();
        const text = fs.readFileSync(path.join(kFolder, name), 'utf8');
        const { code, output } = await Nginx.test({ place: at,
            ...loadable(withOwnFiles(text, at)) });
        at.remove();
        assert.equal(code, 0, output);
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
        const at = await Place.make();
        const { code, output } = await Nginx.test({ place: at,
            ...loadable(withOwnFiles(text, at)) });
        at.remove();
        assert.equal(code, 0, output);
    }
});

// A whole file has http{}; what has none stands in http{}.
function loadable(text) {
    return /^\s*http\s*\{/m.test(text)
        ? { conf: `pid nginx.pid;\n${text.replace(/^\s*(user|pid)\s.*;/mg, '')
            .replace(/load_module\s+\S*ngx_http_bff_module\.so;/,
                `load_module ${kModule};`)}` }
        : { http: text };
}

function withOwnFiles(text, at) {
    const { certificate, key } = serverCertificate();
    const file = (name, content) => at.file(name, content);

    return text
        .replace(/(ssl_certificate)\s+[^;]+;/g, `$1 ${certificate};`)
        .replace(/(ssl_certificate_key)\s+[^;]+;/g, `$1 ${key};`)
        .replace(/(client_certificate)\s+[^;]+;/g, `$1 ${certificate};`)
        .replace(/(client_certificate_key|client_key)\s+[^;]+;/g, `$1 ${key};`)
        .replace(/(\w*ssl_trusted_certificate)\s+[^;]+;/g,
            `$1 ${authority().certificate};`)
        .replace(/(session_key)\s+file:[^;]+;/g,
            `$1 file:${file('keys', `${'ab'.repeat(32)}\n`)};`)
        .replace(/file:\/(?!tmp)[^;\s]+/g,
            `file:${file('secret', 'secret\n')}`)
        .replace(/listen\s+((\[::\]|\*|[\d.]+):)?\d+/g, 'listen 127.0.0.1:18080')
        .replace(/(access_log|error_log)\s+\/[^;]+;/g, '')
        .replace(/include\s+mime\.types;/g, 'include /etc/nginx/mime.types;');
}
