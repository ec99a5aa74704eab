// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// HTTP/3, where NGINX was built with it and curl can speak it; Debian 12 has
// neither, so there this only says so.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { kKey } from '../lib/checks.mjs';
import { kBinary } from '../lib/nginx.mjs';
import { authority } from '../lib/pki.mjs';
import { play } from '../lib/stage.mjs';

const run = promisify(execFile);

function isWithout() {
    const nginx = spawnSync(kBinary, ['-V']).stderr.toString();
    const curl = spawnSync('curl', ['-V']).stdout?.toString() ?? '';

    return !nginx.includes('--with-http_v3_module')
        ? 'this NGINX was built without HTTP/3'
        : !/^Features:.* HTTP3\b/m.test(curl) && 'curl has no HTTP/3';
}

const configuration = ({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls()};
        listen 127.0.0.1:${at.port()} quic reuseport;
        server_name shop.test;
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }
`;

// { status, body } of one request over QUIC.
async function ask(s, path, ...options) {
    const origin = `https://shop.test:${s.at.port()}`;
    const { stdout } = await run('curl', ['-s', '--http3-only', '--cacert',
        s.at.file('ca.pem', authority().text), '--resolve',
        `shop.test:${s.at.port()}:127.0.0.1`, '-w', '\\n%{http_code}',
        ...options, `${origin}${path}`]);
    const [body, status] = stdout.split(/\n(?=\d+$)/);

    return { status: Number(status), body };
}

test('HTTP/3: a session gives its token, without one there is none',
    { skip: isWithout() }, () => play(configuration, {}, async (s) => {
        const b = s.browser();
        await b.login('/');
        const mine = ['-H', 'X-CSRF: 1', '-H', 'Authorization: Bearer mine',
            '-b', b.jar.header(new URL(b.origin))];

        assert.equal((await ask(s, '/api/x', '-H', 'X-CSRF: 1')).status, 401);
        assert.deepEqual(s.api.requests, []);
        assert.equal((await ask(s, '/api/x', ...mine)).status, 200);
        const body = 'x'.repeat(100000);
        assert.equal((await ask(s, '/api/y', ...mine, '-d', body)).status, 200);
        assert.equal(s.api.last.body, body);
        s.api.requests.forEach((r) => assert.deepEqual(r.all('authorization'),
            [`Bearer ${s.op.tokens.access_token}`]));
        assert.match((await ask(s, '/bff/session', ...mine)).body,
            /"authenticated": ?true/);
    }));
