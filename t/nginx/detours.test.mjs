// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A request that does not go straight: X-Accel-Redirect, error_page, named
// locations, try_files, "if", rewrite, index, limit_except and parts of pages.
// Wherever it ends, the token goes to the locations that ask for one, what
// the client sent of its own to those that do not, and nothing in between.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { KeepAlive } from '../lib/keep_alive.mjs';
import { stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }
    bff_provider other {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        endpoints_path /other/;
        session_key ${kKey};
    }

    limit_req_zone $http_authorization$http_dpop$http_cookie zone=seen:1m
        rate=10000r/s;

    server {
        listen ${at.tls()};
        root ${at.prefix}/www;
        ssi_types *;
        keepalive_requests 10000;
        client_max_body_size 1m;

        location / { return 200 home; }
        location /open/ { proxy_pass http://${api.address}; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /other-api/ { bff other; proxy_pass http://${api.address}; }
        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
        location /any/ {
            bff corp;
            satisfy any;
            allow all;
            proxy_pass http://${api.address};
        }
        location @open { proxy_pass http://${api.address}; }
        location @api { bff corp; proxy_pass http://${api.address}; }
        location /inner/ {
            internal;
            bff corp;
            proxy_pass http://${api.address};
        }

        location /try-out/ { bff corp; try_files /none @open; }
        location /try-out-uri/ { bff corp; try_files /none /open/tried; }
        location /try-in/ { try_files /none @api; }
        location /try-other/ { bff corp; try_files /none /other-api/tried; }

        location /fail-out/ {
            bff corp;
            proxy_intercept_errors on;
            error_page 404 /open/failed;
            proxy_pass http://${api.address};
        }
        location /fail-out-named/ {
            bff corp;
            proxy_intercept_errors on;
            error_page 404 = @open;
            proxy_pass http://${api.address};
        }
        location /fail-in/ {
            proxy_intercept_errors on;
            error_page 404 =200 /api/failed;
            proxy_pass http://${api.address};
        }
        location /fail-twice/ {
            bff corp;
            proxy_intercept_errors on;
            recursive_error_pages on;
            error_page 404 /fail-out/again;
            proxy_pass http://${api.address};
        }
        location /refused-open/ {
            bff corp;
            error_page 401 =200 /open/refused;
            proxy_pass http://${api.address};
        }
        location /refused-again/ {
            bff corp;
            recursive_error_pages on;
            error_page 401 /refused-again/;
            proxy_pass http://${api.address};
        }
        location /refused-pass/ {
            bff corp;
            error_page 401 =200 /pass/refused;
            proxy_pass http://${api.address};
        }

        location /rewrite-last/ { rewrite ^ /api/rewritten last; }
        location /rewrite-break/ {
            bff corp;
            rewrite ^ /open/broken break;
            proxy_pass http://${api.address};
        }
        location /rewrite-out/ { bff corp; rewrite ^ /open/rewritten last; }

        location /if-proxy/ {
            bff corp;
            if ($request_method = POST) { proxy_pass http://${api.address}; }
            proxy_pass http://${api.address};
        }
        location /except/ {
            bff corp;
            limit_except GET { deny all; }
            proxy_pass http://${api.address};
        }
        location /except-allow/ {
            bff corp;
            limit_except GET { allow all; }
            proxy_pass http://${api.address};
        }

        location /posted/ {
            bff corp;
            post_action /open/posted;
            proxy_pass http://${api.address};
        }
        location /posted-open/ {
            post_action /open/posted;
            proxy_pass http://${api.address};
        }
        location /posted-in/ {
            post_action /api/posted;
            proxy_pass http://${api.address};
        }

        # early looks at what is edited later
        location /looked/ {
            bff corp;
            limit_req zone=seen;
            if ($http_authorization$http_dpop$http_cookie = x) { return 418; }
            proxy_set_header Authorization $http_authorization;
            proxy_set_header DPoP $http_dpop;
            proxy_set_header Cookie $http_cookie;
            proxy_pass http://${api.address};
        }
        location /written/ {
            bff corp;
            set $http_dpop written;
            proxy_set_header DPoP $http_dpop;
            proxy_pass http://${api.address};
        }
        location /looked-mirrored/ {
            bff corp;
            mirror /looked-copy;
            mirror_request_body off;
            proxy_set_header Authorization $http_authorization;
            proxy_set_header Cookie $http_cookie;
            proxy_pass http://${api.address};
        }
        location = /looked-copy {
            internal;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Authorization $http_authorization;
            proxy_set_header Cookie $http_cookie;
            proxy_pass http://${api.address};
        }

        # endpoints are no checks
        location /by-user/ {
            auth_request /bff/user;
            proxy_pass http://${api.address};
        }
        location /by-other/ {
            auth_request /other/session;
            proxy_pass http://${api.address};
        }
        location /ssi-endpoint/ { ssi on; }
        location /other/ { bff_endpoints other; }
        location /refused-login/ {
            bff corp;
            error_page 401 =302 /bff/login;
            proxy_pass http://${api.address};
        }

        location /dir/ { bff corp; }
        location /dir-open/ { index page.html; }
        location = /dir-open/page.html { bff corp; }
        location /listed/ { bff corp; autoindex on; }
        location /random/ { bff corp; random_index on; }
        location /parts/ {
            add_before_body /api/before;
            add_after_body /open/after;
            addition_types *;
        }
        location /parts-closed/ {
            bff corp;
            add_before_body /api/before;
            add_after_body /open/after;
            addition_types *;
        }
        location /sub/ {
            bff corp;
            sub_filter_types *;
            sub_filter hello goodbye;
            sub_filter_once off;
            proxy_pass http://${api.address};
        }
        location /ssi-pass/ { ssi on; }
    }
`, { prepare: ({ at }) => {
    for (const folder of ['dir', 'dir-open', 'listed', 'random']) {
        fs.mkdirSync(`${at.prefix}/www/${folder}`, { recursive: true });
    }
    at.file('www/dir/index.html', 'the index');
    at.file('www/dir-open/page.html', 'the page');
    at.file('www/listed/secret.txt', 'secret');
    at.file('www/random/one.txt', 'one');
    at.file('www/parts/page.html', 'page');
    at.file('www/parts-closed/page.html', 'page');
    const include = (path) => `<!--# include virtual="${path}" -->`;
    at.file('www/ssi-endpoint/page.html', include('/bff/session'));
    at.file('www/ssi-pass/inner.html', include('/open/part'));
    at.file('www/ssi-pass/page.html', include('/pass/part')
        + include('/open/part') + include('/inner/part'));
} });

// What the API answers to these paths.
function answers(r) {
    const to = /[?&]to=([^&]*)/.exec(r.target)?.[1];
    const fails = /^\/fail-/.test(r.target);

    return to ? { headers: { 'X-Accel-Redirect': decodeURIComponent(to) } }
        : fails ? { status: 404 } : { body: 'hello' };
}

// What reached the API: [path, whose Authorization, whose DPoP].
// "mine" is what the client sent; "token" is ours.
const MINE = ['mine', 'mine'];
const TOKEN = ['token', ''];
const NONE = ['', ''];

// [request, status, what reaches the API with a session, status, without]
const kRows = [
    ['GET /api/x', 200, [['/api/x', TOKEN]], 401, []],
    ['GET /open/x', 200, [['/open/x', MINE]], 200, [['/open/x', MINE]]],
    ['GET /pass/x', 200, [['/pass/x', TOKEN]], 200, [['/pass/x', NONE]]],
    ['GET /inner/x', 404, [], 404, []],

    // X-Accel-Redirect: out of, into, through
    ['GET /api/x?to=/open/y', 200,
        [['/api/x?to=/open/y', TOKEN], ['/open/y', MINE]], 401, []],
    ['POST /api/x?to=/open/y', 200,
        [['/api/x?to=/open/y', TOKEN], ['/open/y', MINE]], 401, []],
    ['GET /open/x?to=/api/y', 200,
        [['/open/x?to=/api/y', MINE], ['/api/y', TOKEN]], 401,
        [['/open/x?to=/api/y', MINE]]],
    ['GET /open/x?to=/inner/y', 200,
        [['/open/x?to=/inner/y', MINE], ['/inner/y', TOKEN]], 401,
        [['/open/x?to=/inner/y', MINE]]],
    ['GET /open/x?to=@api', 200,
        [['/open/x?to=@api', MINE], ['/open/x?to=@api', TOKEN]], 401,
        [['/open/x?to=@api', MINE]], { once: true }],
    ['GET /api/x?to=/api/y', 200,
        [['/api/x?to=/api/y', TOKEN], ['/api/y', TOKEN]], 401, []],
    ['GET /api/x?to=/open/y?to=/api/z', 200, [['/api/x?to=/open/y?to=/api/z',
        TOKEN], ['/open/y?to=/api/z', MINE], ['/api/z', TOKEN]], 401, []],
    ['GET /api/x?to=/any/y?to=/open/z?to=/any/y', 200,
        [['/api/x?to=/any/y?to=/open/z?to=/any/y', TOKEN],
            ['/any/y?to=/open/z?to=/any/y', TOKEN],
            ['/open/z?to=/any/y', MINE], ['/any/y', TOKEN]], 401, []],
    ['GET /api/x?to=/other-api/y', 401,
        [['/api/x?to=/other-api/y', TOKEN]], 401, []],
    ['GET /api/x?to=/bff/session', 200,
        [['/api/x?to=/bff/session', TOKEN]], 401, []],
    ['GET /pass/x?to=/open/y', 200,
        [['/pass/x?to=/open/y', TOKEN], ['/open/y', MINE]], 200,
        [['/pass/x?to=/open/y', NONE], ['/open/y', MINE]]],

    ['GET /try-out/x', 200, [['/try-out/x', MINE]], 401, []],
    ['GET /try-out-uri/x', 200, [['/open/tried', MINE]], 401, []],
    ['GET /try-in/x', 200, [['/try-in/x', TOKEN]], 401, []],
    ['GET /try-other/x', 401, [], 401, []],

    ['GET /fail-out/x', 404,
        [['/fail-out/x', TOKEN], ['/open/failed', MINE]], 401, []],
    ['GET /fail-out-named/x', 404,
        [['/fail-out-named/x', TOKEN], ['/fail-out-named/x', MINE]], 401, []],
    ['GET /fail-in/x', 200,
        [['/fail-in/x', MINE], ['/api/failed', TOKEN]], 200,
        [['/fail-in/x', MINE]]],
    ['GET /fail-twice/x', 404, [['/fail-twice/x', TOKEN],
        ['/fail-out/again', TOKEN], ['/open/failed', MINE]], 401, []],
    ['GET /refused-open/x', 200, [['/refused-open/x', TOKEN]], 200,
        [['/open/refused', MINE]]],
    ['GET /refused-again/x', 200, [['/refused-again/x', TOKEN]], 401, []],
    ['GET /refused-pass/x', 200, [['/refused-pass/x', TOKEN]], 200,
        [['/pass/refused', NONE]]],

    ['GET /rewrite-last/x', 200, [['/api/rewritten', TOKEN]], 401, []],
    ['GET /rewrite-break/x', 200, [['/open/broken', TOKEN]], 401, []],
    ['GET /rewrite-out/x', 200, [['/open/rewritten', MINE]], 200,
        [['/open/rewritten', MINE]]],

    ['GET /if-proxy/x', 200, [['/if-proxy/x', TOKEN]], 401, []],
    ['POST /if-proxy/x', 200, [['/if-proxy/x', TOKEN]], 401, []],
    ['GET /except/x', 200, [['/except/x', TOKEN]], 401, []],
    ['HEAD /except/x', 200, [['/except/x', TOKEN]], 401, []],
    ['POST /except/x', 403, [], 403, []],
    ['FOO /except/x', 403, [], 403, []],
    ['POST /except-allow/x', 200, [['/except-allow/x', TOKEN]], 401, []],

    ['GET /posted/x', 200, [['/posted/x', TOKEN], ['/open/posted', MINE]],
        401, [['/open/posted', MINE]]],
    ['GET /posted-open/x', 200,
        [['/posted-open/x', MINE], ['/open/posted', MINE]], 200,
        [['/posted-open/x', MINE], ['/open/posted', MINE]]],
    ['GET /posted-in/x', 200, [['/posted-in/x', MINE], ['/api/posted', TOKEN]],
        200, [['/posted-in/x', MINE]]],

    ['GET /looked/x', 200, [['/looked/x', TOKEN]], 401, []],
    ['GET /written/x', 200, [['/written/x', ['token', 'written']]], 401, []],
    ['GET /looked-mirrored/x', 200, [['/looked-mirrored/x', TOKEN],
        ['/looked-copy', MINE]], 401, []],
    ['POST /looked-mirrored/x', 200, [['/looked-mirrored/x', TOKEN],
        ['/looked-copy', MINE]], 401, []],

    ['GET /by-user/x', 403, [], 403, []],
    ['GET /by-other/x', 403, [], 403, []],
    ['GET /ssi-endpoint/page.html', 200, [], 200, []],
    ['GET /refused-login/x', 200, [['/refused-login/x', TOKEN]], 302, []],

    ['GET /dir/', 200, [], 401, []],
    ['GET /dir-open/', 200, [], 401, []],
    ['GET /listed/', 200, [], 401, []],
    ['GET /random/', 200, [], 401, []],
    ['GET /parts/page.html', 200, [['/open/after', MINE]], 200,
        [['/open/after', MINE]]],
    ['GET /parts-closed/page.html', 200,
        [['/api/before', TOKEN], ['/open/after', MINE]], 401, []],
    ['GET /sub/x', 200, [['/sub/x', TOKEN]], 401, []],
    ['GET /ssi-pass/page.html', 200,
        [['/open/part', MINE], ['/pass/part', NONE]], 200,
        [['/open/part', MINE], ['/pass/part', NONE]]],
];

const kClient = ['X-CSRF: 1', 'Accept: */*', 'Authorization: Bearer mine',
    'DPoP: mine', 'X-After: 1'];

function whose(values, token) {
    return values.map((value) => value === `Bearer ${token}` ? 'token'
        : value.replace(/^Bearer /, '')).join('+');
}

async function ask(client, row, session) {
    const [method, path] = row[0].split(' ');
    const body = method === 'POST' ? ['Content-Length: 4'] : [];
    s.api.requests = [];

    client.write([`${method} ${path} HTTP/1.1`, 'Host: shop.test', ...kClient,
        `Cookie: a=1${session ? `; ${session.cookie}` : ''}`, ...body,
        '', body.length ? 'body' : ''].join('\r\n'));
    const answer = await client.answer({ method });
    // what goes on after the answer has come to its end before the next one
    await client.get('/');

    return { answer, got: { status: answer.status,
        api: s.api.requests.map((r) => [r.target, whose(r.all('authorization'),
            session?.token), whose(r.all('dpop'))]).sort(),
        cookies: new Set(s.api.requests.flatMap((r) => r.all('cookie'))),
    } };
}

async function loggedIn() {
    const b = s.browser();
    await b.login('/');
    return { cookie: b.jar.header(new URL(b.origin)),
        token: s.op.tokens.access_token };
}

test('BFF-14 BFF-15 BFF-17: however a request gets there, tokens go where one is '
    + 'asked for',
    async () => {
        const session = await loggedIn();
        const client = new KeepAlive(s.at.port(), 'shop.test');
        const failed = [];

        for (const row of kRows) {
            const [, status, api, statusWithout, apiWithout, how = {}] = row;
            for (const [who, want, reached] of [[session, status, api],
                [null, statusWithout, apiWithout]]) {
                let times = 0;
                s.api.answer = (r) => how.once && times++ ? {} : answers(r);
                const { got } = await ask(client, row, who)
                    .catch((e) => (client.close(), { got: e.message }));
                const wanted = { status: want, api: reached
                    .map(([path, headers]) => [path, ...headers]).sort(),
                cookies: new Set(reached.length ? ['a=1'] : []) };

                try {
                    assert.deepEqual(got, wanted);
                } catch {
                    failed.push(`${row[0]}, ${who ? 'with' : 'without'} session`
                        + `: ${JSON.stringify(got)}, not ${
                            JSON.stringify(wanted)}`);
                }
            }
        }

        s.api.answer = () => ({});
        client.close();
        assert.deepEqual(failed, []);
    });
