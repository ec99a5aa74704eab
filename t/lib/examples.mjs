// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What the documentation shows, loaded as it stands there: nginx -t of an
// example whose paths of certificates, secrets and the module are changed.

import { generateKeyPairSync } from 'node:crypto';

import { Nginx, Place, kModule } from './nginx.mjs';
import { authority, serverCertificate } from './pki.mjs';

export async function load(text) {
    const at = await Place.make();

    try {
        return await Nginx.test({ place: at,
            ...loadable(withOwnFiles(text, at)) });
    } finally {
        at.remove();
    }
}

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
        .replace(/(client_certificate_key)\s+[^;]+;/g, `$1 ${key};`)
        .replace(/(\w*ssl_trusted_certificate)\s+[^;]+;/g,
            `$1 ${authority().certificate};`)
        .replace(/(session_key)\s+file:[^;]+;/g,
            `$1 file:${file('keys', `${'ab'.repeat(32)}\n`)};`)
        .replace(/(client_key)\s+\/[^;\s]+/g,
            `$1 ${file('client.key', privateKey())}`)
        .replace(/file:\/(?!tmp)[^;\s]+/g,
            `file:${file('secret', 'secret\n')}`)
        .replace(/listen\s+((\[::\]|\*|[\d.]+):)?\d+/g, 'listen 127.0.0.1:18080')
        .replace(/(access_log|error_log)\s+\/[^;]+;/g, '')
        .replace(/include\s+mime\.types;/g, 'include /etc/nginx/mime.types;');
}

function privateKey() {
    return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
        .export({ type: 'pkcs8', format: 'pem' });
}
