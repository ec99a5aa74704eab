// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What nginx -t warns of: directives of others that work against ours. A
// warning is never an error; what is well gets none.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { Nginx, Place } from '../lib/nginx.mjs';

const kProvider = `
    bff_provider corp {
        issuer https://id.example.com;
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }
`;

function server(content) {
    return `server { listen 127.0.0.1:18080; ${content} }\n`;
}

// The lines of warnings, and how NGINX ended.
async function warnings(http, options = {}) {
    const { code, output } = await Nginx.test({ http: kProvider + http,
        ...options });
    assert.equal(code, 0, output);
    return output.split('\n').filter((line) => /\[warn\]/.test(line));
}

// [directive, location, remedy]; all in one configuration.
const kTold = [
    [/"return" in location "\/return\/"/, /"bff off"/],
    [/"return" in location "= \/exact"/, /"bff off"/],
    [/"rewrite" in location "~ \^\/rewrite"/, /"bff off"/],
    [/"return" in location "\/if\/"/, /"bff off"/],
    [/"rewrite" in location "\/past\/".*"\/inside\/"/, /write "bff"/],
    [/"alias" in location "\/alias\/"/, /"add_header Cache-Control private"/],
    [/"alias" in location "\/slash" can be left/, /write both with "\/"/],
    [/"alias" in location "\/inner\/".*"\/data\/" of location "\/"/,
        /move them/],
    [/"~ .*css\$" is asked before location "\/if\/"/, /"bff off"/],
    [/"proxy_set_header Authorization" in location "\/set\/"/,
        /"bff_authorization off"/],
    [/"grpc_set_header authorization" in location "\/grpc\/"/,
        /"bff_authorization off"/],
    [/"fastcgi_param HTTP_AUTHORIZATION" in location "\/fastcgi\/"/,
        /"bff_authorization off"/],
    [/"uwsgi_param HTTP_AUTHORIZATION" in location "\/uwsgi\/"/,
        /"bff_authorization off"/],
    [/"proxy_pass" in location "\/chosen\/".*"\$arg_to"/, /"map"/],
    [/"bff_require" in location "\/nobody\/"/, /write "bff"/],
    [/"bff_require \$bff_sub-x" has text/, /write variables only/],
    [/"bff_accept_bearer" in location "\/both\/"/, /different locations/],
    [/"large_client_header_buffers" of 8k.*"corp"/,
        /"large_client_header_buffers 4 32k"/],
];

test('BFF-14: nginx -t names the directive, the location, the remedy and the place',
    async () => {
        const lines = await warnings(`
            large_client_header_buffers 4 8k;
            ${server(`
                root /srv/spa;
                location / { add_header Cache-Control private; }
                location /return/ { bff corp; return 200 hi; }
                location = /exact { bff corp; return 302 /; }
                location ~ ^/rewrite { bff corp; rewrite ^ /x permanent; }
                location /if/ { bff corp; if ($arg_a) { return 204; } }
                location /past/ { bff corp; rewrite ^ /inside/a last; }
                location /inside/ { internal; proxy_pass http://127.0.0.1:1; }
                location /alias/ { bff corp; alias /srv/other/; }
                location /slash { alias /srv/slash/; }
                location /inner/ {
                    bff corp;
                    alias /srv/spa/data/;
                    expires off;
                    add_header Cache-Control private;
                }
                location ~ [.]css$ { expires 1y; }
                location /set/ {
                    bff corp;
                    proxy_set_header Authorization "";
                    proxy_pass http://127.0.0.1:1;
                }
                location /grpc/ {
                    bff corp;
                    grpc_set_header authorization x;
                    grpc_pass grpc://127.0.0.1:1;
                }
                location /fastcgi/ {
                    bff corp;
                    fastcgi_param HTTP_AUTHORIZATION x;
                    fastcgi_pass 127.0.0.1:1;
                }
                location /uwsgi/ {
                    bff corp;
                    uwsgi_param HTTP_AUTHORIZATION x;
                    uwsgi_pass 127.0.0.1:1;
                }
                location /chosen/ { bff corp; proxy_pass http://$arg_to; }
                location /text/ { bff corp; bff_require $bff_sub-x; }
                location /nobody/ { bff_require $uri; }
                location /both/ {
                    bff corp;
                    bff_require $bff_sub;
                    bff_accept_bearer on;
                    proxy_pass http://127.0.0.1:1;
                }`)}`);

        for (const [what, remedy] of kTold) {
            const told = lines.filter((line) => what.test(line));
            assert.equal(told.length, 1, `${what}\n${lines.join('\n')}`);
            assert.match(told[0], remedy);
            assert.match(told[0], / in \/.*\/nginx\.conf:\d+$/);
        }
        assert.equal(lines.length, kTold.length, lines.join('\n'));
    });

test('what is included is looked at, with its own file and line', async () => {
    const at = await Place.make();
    at.file('more/a.conf', 'location /a/ {\n bff corp;\n return 200 a;\n}\n');
    at.file('more/b.conf', 'return 200 b;\n');
    const lines = await warnings(server('include more/*.conf;'
        + 'include none/*.conf; location /b/ { bff corp; include more/b.conf; }')
        .replace('include more/*.conf', 'include more/a.conf'), { place: at });
    at.remove();

    assert.equal(lines.length, 2, lines.join('\n'));
    assert.match(lines[0], /"\/a\/".*\/more\/a\.conf:3$/);
    assert.match(lines[1], /"\/b\/".*\/more\/b\.conf:1$/);
});

test('a usual configuration gets no warning', async () => {
    assert.deepEqual(await warnings(`
        map $arg_api $api { one 127.0.0.1:1; two 127.0.0.1:2; }
        server { listen 127.0.0.1:18081; return 301 https://shop.test; }
        ${server(`
            location / { root /srv/spa; }
            location /api/ { bff corp; proxy_pass http://127.0.0.1:1; }
            location = /health { return 200 ok; }
            location /list/ { bff corp; proxy_pass http://$api; }
            location /files/ {
                bff corp;
                add_header Cache-Control private;
                alias /srv/files/;
            }
            location /gone/ { bff corp; return 410; }
            location ~ [.](css|js)$ { root /srv/spa; expires 1y; }
            location /own/ {
                bff corp;
                bff_authorization off;
                proxy_set_header Authorization "Basic eDp5";
                proxy_pass http://127.0.0.1:1;
            }`)}`), []);
});

test('without a provider nothing is looked at', async () => {
    const { output } = await Nginx.test({ http: `
        large_client_header_buffers 1 1k;
        ${server('location / { return 200; }')}` });
    assert.doesNotMatch(output, /\[warn\]/);
});

test('a warning stops neither a start nor a reload', async () => {
    const nginx = await Nginx.start({ http: (at) => `${kProvider}
        server {
            listen ${at.plain()};
            location / { bff corp; return 200 hi; }
        }` });

    try {
        assert.match(nginx.log(), /\[warn\].*"return" in location "\/"/);
        const mark = nginx.mark();
        await nginx.reload();
        assert.match(nginx.log(mark), /\[warn\].*"return" in location "\/"/);
    } finally {
        await nginx.stop();
    }
});
