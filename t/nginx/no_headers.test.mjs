// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Requests that come without a list of headers: HTTP/0.9 has none, and where
// NGINX refuses the request line, it has not begun one when an error_page leads
// to a location of ours.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { exchange } from '../lib/raw.mjs';
import { stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.plain()};
        root ${at.prefix}/www;
        error_page 400 /oops.html;
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /who/ { set $who $bff_session; try_files /oops.html =404; }
        location /sub/ { set $who $bff_sub; try_files /oops.html =404; }
    }

    server {
        listen ${at.plain('all')};
        root ${at.prefix}/www;
        bff corp;
        error_page 400 414 /oops.html;
    }

    server {
        listen ${at.plain('pass')};
        root ${at.prefix}/www;
        bff corp;
        bff_unauthenticated pass;
        error_page 400 414 /oops.html;
    }
`, { prepare: ({ at }) => at.file('www/oops.html', 'oops file') });

for (const path of ['/bff/session', '/bff/logout', '/api/cart', '/who/am/i',
    '/sub/ject']) {
    test(`HTTP/0.9 GET ${path} gets the file of its error_page`, async () => {
        assert.match(await exchange(s.at.port(), `GET ${path}\r\n`),
            /oops file/);
    });
}

for (const which of ['all', 'pass']) {
    for (const line of ['GET /../x HTTP/1.1', 'OPTIONS /../x HTTP/1.1',
        'GET /../ HTTP/1.0', 'GET http://a..b/ HTTP/1.1', 'GET / HTTP/1.1x',
        `GET /${'x'.repeat(9000)} HTTP/1.1`]) {
        test(`${which}: ${line.slice(0, 30)} is refused with an answer`,
            async () => {
                const answer = await exchange(s.at.port(which),
                    `${line}\r\nHost: shop.test\r\nConnection: close\r\n\r\n`);
                assert.match(answer, /^HTTP\/1\.1 4\d\d /);
            });
    }
}
