// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How a request can be written: paths with dots, doubled and encoded slashes,
// absolute targets, odd hosts, methods and framings. What is protected stays
// so in every spelling, and the token goes to the one API of its location.

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
        listen ${at.tls()};
        server_name shop.test;
        location / { proxy_pass http://${api.address}; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location = /exact { bff corp; proxy_pass http://${api.address}; }
        location ~ ^/re/\\d+$ { bff corp; proxy_pass http://${api.address}; }
        location /mapped/ { bff corp; proxy_pass http://${api.address}/to/; }
    }
    server {
        listen ${at.tls('unmerged')};
        server_name shop.test;
        merge_slashes off;
        location / { proxy_pass http://${api.address}; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }
`);

async function loggedIn(name) {
    const b = s.browser(name);
    await b.login('/');
    return { cookie: b.jar.header(new URL(b.origin)),
        bearer: `Bearer ${s.op.tokens.access_token}` };
}

function bytes(text) {
    return Buffer.from(text, 'latin1');
}

// Everything in one: { statuses, api: [[line, Authorization]] }.
async function send(text, name = 'main') {
    s.api.requests = [];
    const answer = await exchange(s.at.port(name), bytes(text), 'shop.test');

    return { answer, statuses: [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)]
        .map((m) => Number(m[1])), requests: s.api.requests };
}

// Three kinds of places: where a token goes, where everybody may go, and none.
// [target, kind, what the API sees of it]
const kTargets = [
    ['/api/x', 'api'],
    ['/api/', 'api'],
    ['/api', 'moved'],           // NGINX's own redirect to /api/
    ['/API/x', 'open'],
    ['//api/x', 'api'],
    ['/api//x', 'api'],
    ['///api///x', 'api'],
    ['/./api/x', 'api'],
    ['/api/./x', 'api'],
    ['/open/../api/x', 'api'],
    ['/open/%2e%2e/api/x', 'api'],
    ['/open/%2E./api/x', 'api'],
    ['/open/..%2fapi/x', 'api'],
    ['/open%2f../api/x', 'api'],
    ['/%61pi/x', 'api'],
    ['/api%2fx', 'api'],
    ['/api%2Fx', 'api'],
    ['/%2fapi/x', 'api'],
    ['/api/..%2fx', 'open'],
    ['/api/../x', 'open'],
    ['/api/%2e%2e/x', 'open'],
    ['/api/..;/x', 'api'],
    ['/api\\x', 'open'],
    ['/open\\..\\api/x', 'open'],
    ['/api%5cx', 'open'],
    ['/%252e%252e/api/x', 'open'],
    ['/api/%252e%252e/x', 'api'],
    ['/api/x%00y', 'none'],
    ['/api/%', 'none'],
    ['/api/%zz', 'none'],
    ['/../api/x', 'none'],
    ['/api/../../x', 'none'],
    ['/api/x?to=//evil.test', 'api'],
    ['/api/x?', 'api'],
    ['/api/x#y', 'api'],
    ['/api/@evil.test/', 'api'],
    ['/api/http://evil.test/', 'api'],
    ['/exact', 'api'],
    ['//exact', 'api'],
    ['/exact/', 'open'],
    ['/exact?x', 'api'],
    ['/%65xact', 'api'],
    ['/re/1', 'api'],
    ['/re/%31', 'api'],
    ['/re/1/../1', 'api'],
    ['/re/1%0a', 'api'],       // "$" matches before a last newline
    ['/re/x', 'open'],
    ['/mapped/x', 'api', '/to/x'],
    ['/mapped/../mapped/x', 'api', '/to/x'],
    ['/mapped/%2e%2e/%2e%2e/x', 'none'],
    ['/mapped/..%2f..%2fx', 'none'],
    ['/mapped//evil.test', 'api', '/to/evil.test'],
    ['http://shop.test/api/x', 'api', '/api/x'],
    ['https://shop.test/api/x', 'api', '/api/x'],
    ['https://evil.test/api/x', 'api', '/api/x'],
    ['https://user:word@evil.test/api/x', 'none'],
    ['HTTPS://shop.test/api/x', 'api', '/api/x'],
    ['https://shop.test:1/api/x', 'api', '/api/x'],
    ['https://shop.test//api/x', 'api', '//api/x'],
    ['ftp://shop.test/api/x', 'api', '/api/x'],
    ['//evil.test/api/x', 'open'],
    ['*', 'none'],
    ['api/x', 'none'],
    ['evil.test:80', 'none'],
    ['', 'none'],
];

for (const name of ['main', 'unmerged']) {
    test(`BFF-15: what is in a target, with merge_slashes of ${name}`,
        async () => {
            const { cookie, bearer } = await loggedIn(name);
            const failed = [];

            for (const row of kTargets) {
                const [target, kind, seen = target] = row;
                if (name === 'unmerged' && (/\/(\/|%2f)/.test(target)
                    || /^\/(exact|%65x|re|mapped)/.test(target))) {
                    continue; // rows of their own, below
                }
                for (const mine of [cookie, '']) {
                    const { statuses, requests } = await send(
                        `GET ${target} HTTP/1.1\r\nHost: shop.test\r\n`
                        + 'X-Forwarded-Host: evil.test\r\nX-CSRF: 1\r\n'
                        + `Cookie: a=1${mine && `; ${mine}`}\r\nConnection: close\r\n\r\n`,
                        name);
                    const got = { status: statuses[0],
                        api: requests.map((r) => [r.target, r.header('host'),
                            r.all('authorization'), r.all('cookie')]) };
                    const want = wanted(kind, seen, mine && bearer, got);
                    try {
                        assert.deepEqual(got, want);
                    } catch {
                        failed.push(`${target}: ${JSON.stringify(got)
                        }, not ${JSON.stringify(want)}`);
                    }
                }
            }

            assert.deepEqual(failed, []);
        });
}

function wanted(kind, target, bearer, { status }) {
    const api = (tokens) => [[target, s.api.address, tokens, ['a=1']]];

    return {
        api: bearer ? { status: 200, api: api([bearer]) }
            : { status: 401, api: [] },
        open: { status: 200, api: api([]) },
        moved: { status: 301, api: [] },
        none: { status: status >= 400 && status < 500 ? status : '4xx',
            api: [] },
    }[kind];
}

// With merge_slashes off NGINX takes a doubled slash for another place.
test('BFF-15: merge_slashes off: another place gets no token', async () => {
    const { cookie } = await loggedIn('unmerged');

    for (const target of ['//api/x', '///api/x', '/%2fapi/x']) {
        const { requests } = await send(`GET ${target} HTTP/1.1\r\n`
            + `Host: shop.test\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\n`
            + 'Connection: close\r\n\r\n', 'unmerged');
        assert.deepEqual(requests.map((r) => [r.target, r.all('authorization'),
            r.all('cookie')]), [[target, [], []]]);
    }
});

// [method, status with a session, whether the API sees it]
const kMethods = [
    ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND',
        'MKCOL', 'LOCK', 'FOO', 'TRACK', 'DEBUG', 'M-SEARCH', 'GE_T', 'QUERY']
        .map((method) => [method, 200, true]),
    ['TRACE', 405, false],
    ['CONNECT', 405, false],
    ['get', 400, false],
    ['Get', 400, false],
    ['G=T', 400, false],
];

test('BFF-15: methods, known and unknown', async () => {
    const { cookie, bearer } = await loggedIn();
    const failed = [];

    for (const [method, status, isSeen] of kMethods) {
        for (const [lines, want, token] of [
            [`X-CSRF: 1\r\nCookie: ${cookie}\r\n`, status, isSeen],
            ['X-CSRF: 1\r\n', isSeen ? 401 : status, false],
            // a foreign page, whatever the method
            [`Origin: https://evil.test\r\nCookie: ${cookie}\r\n`,
                isSeen ? 403 : status, false]]) {
            const { statuses, requests } = await send(
                `${method} /api/x HTTP/1.1\r\nHost: shop.test\r\n${lines}`
                + 'Connection: close\r\n\r\n');
            const got = [statuses, requests.map((r) =>
                [r.method, r.all('authorization')])];
            try {
                assert.deepEqual(got, [[want],
                    token ? [[method, [bearer]]] : []]);
            } catch {
                failed.push(`${method} ${lines}: ${JSON.stringify(got)}`);
            }
        }
    }
    assert.deepEqual(failed, []);
});

// [Host lines, what redirect_uri begins with, or null: refused]
const kHosts = [
    ['Host: shop.test', 'https://shop.test/'],
    ['Host: SHOP.TEST', 'https://shop.test/'],
    ['Host: shop.test:8443', 'https://shop.test:8443/'],
    ['Host: shop.test:443', 'https://shop.test/'],
    ['Host: [::1]:8443', 'https://[::1]:8443/'],
    ['X-Forwarded-Host: evil.test\r\nHost: shop.test', 'https://shop.test/'],
    ['Forwarded: host=evil.test\r\nHost: shop.test', 'https://shop.test/'],
    ['X-Host: evil.test\r\nX-Original-Host: evil.test\r\nHost: shop.test',
        'https://shop.test/'],
    ['X: 1', null],
    ['Host:', null],
    ['Host: shop.test.', null],
    ['Host: shop.test\r\nHost: evil.test', null],
    ['Host: shop.test, evil.test', null],
    ['Host: shop.test@evil.test', null],
    ['Host: evil.test#shop.test', null],
    ['Host: evil.test?shop.test', null],
    ['Host: evil.test/shop.test', null],
    ['Host: evil.test\\shop.test', null],
    ['Host: shop.test:', null],
    ['Host: shop.test:x', null],
    ['Host: shop.test:99999', null],
    ['Host: shop.test:0', null],
    ['Host: shop.test:1:2', null],
    ['Host: shop..test', null],
    ['Host: sh\xf6p.test', null],
    ['Host: shop%2etest', null],
    ['Host: shop.test"', null],
    ['Host: <b>', null],
    ['Host: \'', null],
    ['Host: a;b', null],
    ['Host: [', null],
    ['Host: [::1', null],
    ['Host: .', null],
    ['Host: :443', null],
    ['Host : shop.test', null],
];

test('BFF-15: redirect_uri comes of one good Host, or there is no login',
    async () => {
        const failed = [];

        for (const [lines, start] of kHosts) {
            for (const [target, version] of [['/bff/login', '1.1'],
                ['/bff/login', '1.0'], ['/api/x', '1.1']]) {
                const { answer, statuses: [status] } = await send(
                    `GET ${target} HTTP/${version}\r\n${lines}\r\n`
                    + 'Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n'
                    + 'Sec-Fetch-Site: same-origin\r\nConnection: close\r\n\r\n');
                const there = /^Location: (.*)\r$/m.exec(answer)?.[1];
                const back = there
                    && new URL(there).searchParams.get('redirect_uri');
                const fits = start === null
                    ? status === 400 && !there && !answer.includes('evil')
                    : status === 302 && back === `${start}bff/callback`;
                if (!fits) {
                    failed.push(`${lines} ${target}: ${status} ${back}`);
                }
            }
        }
        assert.deepEqual(failed, []);
    });

// What a second reader could take for another request. [what, bytes after the
// request line and Host, the answers, what the API gets: [method, body]]
const kFramings = [
    ['Content-Length and Transfer-Encoding',
        'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET ',
        [400], []],
    ['Transfer-Encoding before Content-Length',
        'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET ',
        [400], []],
    ['Transfer-Encoding twice',
        'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n'
        + '0\r\n\r\n', [400], []],
    ['Transfer-Encoding: identity', 'Transfer-Encoding: identity\r\n\r\n',
        [501], []],
    ['Transfer-Encoding: gzip, chunked',
        'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', [501], []],
    ['Transfer-Encoding: xchunked',
        'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n', [501], []],
    ['Transfer-Encoding, with a space', 'Transfer-Encoding : chunked\r\n\r\n'
        + '0\r\n\r\n', [400], []],
    ['Transfer-Encoding with a vertical tab',
        'Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n', [501], []],
    ['Content-Length twice', 'Content-Length: 4\r\nContent-Length: 4\r\n\r\n'
        + 'body', [400], []],
    ['Content-Length twice, differing',
        'Content-Length: 4\r\nContent-Length: 0\r\n\r\nbody', [400], []],
    ['Content-Length: 4, 4', 'Content-Length: 4, 4\r\n\r\nbody', [400], []],
    ['Content-Length: -1', 'Content-Length: -1\r\n\r\n', [400], []],
    ['Content-Length: +4', 'Content-Length: +4\r\n\r\nbody', [400], []],
    ['Content-Length: 0x4', 'Content-Length: 0x4\r\n\r\nbody', [400], []],
    ['Content-Length: 4 4', 'Content-Length: 4 4\r\n\r\nbody', [400], []],
    ['Content-Length too large',
        'Content-Length: 99999999999999999999\r\n\r\n', [400], []],
    ['a chunk size too large', 'Transfer-Encoding: chunked\r\n\r\n'
        + 'ffffffffffffffffff\r\nbody\r\n0\r\n\r\n', [400], []],
    ['a negative chunk', 'Transfer-Encoding: chunked\r\n\r\n-4\r\nbody\r\n'
        + '0\r\n\r\n', [400], []],
    ['a chunk longer than its size', 'Transfer-Encoding: chunked\r\n\r\n'
        + '3\r\nbody\r\n0\r\n\r\n', [400], []],
    ['chunks with extensions and a trailer', 'Transfer-Encoding: chunked\r\n'
        + 'Connection: close\r\n\r\n4;a="b"\r\nbody\r\n0;x\r\n'
        + 'Authorization: Bearer mine\r\nCookie: t=1\r\n\r\n', [200],
    [['POST', 'body']]],
    ['an upper-case coding', 'Transfer-Encoding: CHUNKED\r\n'
        + 'Connection: close\r\n\r\n4\r\nbody\r\n0\r\n\r\n', [200],
    [['POST', 'body']]],
    ['a folded line', 'X-Fold: a\r\n Authorization: Bearer mine\r\n'
        + 'Content-Length: 4\r\nConnection: close\r\n\r\nbody', [400], []],
    ['a line without name', ': x\r\nContent-Length: 4\r\n'
        + 'Connection: close\r\n\r\nbody', [400], []],
    ['a NUL in a line', 'X: a\0b\r\nContent-Length: 4\r\n\r\nbody', [400], []],
    ['a CR in a line', 'X: a\rAuthorization: Bearer mine\r\n'
        + 'Content-Length: 4\r\nConnection: close\r\n\r\nbody', null, []],
    ['LF line ends', 'Content-Length: 4\nConnection: close\n\nbody', [200],
        [['POST', 'body']]],
];

test('BFF-15: what can be framed in two ways reaches nobody', async () => {
    const { cookie, bearer } = await loggedIn();
    const failed = [];

    for (const [what, text, statuses, api] of kFramings) {
        for (const mine of [true, false]) {
            const { statuses: answers, requests } = await send(
                'POST /api/x HTTP/1.1\r\nHost: shop.test\r\nX-CSRF: 1\r\n'
                + (mine ? `Cookie: ${cookie}\r\n` : '') + text);
            const got = { answers, api: requests.map((r) => [r.method, r.body,
                r.all('authorization'), r.all('cookie')]) };
            const want = { answers: (statuses ?? answers)
                .map((n) => n === 200 && !mine ? 401 : n),
            api: mine ? api.map((one) => [...one, [bearer], []]) : [] };
            try {
                assert.deepEqual(got, want);
            } catch {
                failed.push(`${what}: ${JSON.stringify(got)}`);
            }
        }
    }
    assert.deepEqual(failed, []);
});

// A request within the body of another stays there, at endpoints too.
const kCarriers = ['/api/x', '/bff/login', '/bff/logout', '/bff/refresh',
    '/bff/callback', '/bff/backchannel', '/bff/session', '/bff/nothing'];

test('BFF-15: a request in a body is not run, wherever it is sent',
    async () => {
        const { cookie } = await loggedIn();
        const inner = 'GET /api/smuggled HTTP/1.1\r\nHost: shop.test\r\n'
            + `X-CSRF: 1\r\nCookie: ${cookie}\r\n\r\n`;
        const framings = [
            [`Content-Length: ${inner.length}\r\n\r\n`, inner],
            ['Transfer-Encoding: chunked\r\n\r\n',
                `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`],
            [`Expect: 100-continue\r\nContent-Length: ${inner.length}\r\n\r\n`,
                inner],
        ];
        const failed = [];

        for (const path of kCarriers) {
            for (const [head, body] of framings) {
                for (const mine of [`Cookie: ${cookie}\r\n`, '']) {
                    const { answer, requests } = await send(
                        `POST ${path} HTTP/1.1\r\nHost: shop.test\r\n`
                        + `X-CSRF: 1\r\n${path === '/bff/logout' ? '' : mine}`
                        + `${head}${body}`
                        + 'GET /last HTTP/1.1\r\nHost: shop.test\r\n'
                        + 'Connection: close\r\n\r\n');
                    const targets = requests.map((r) => r.target);
                    if (targets.includes('/api/smuggled')
                        || targets.at(-1) !== '/last'
                        || /HTTP\/1\.1 50/.test(answer)) {
                        failed.push(`${path} ${head}: ${targets} ${answer}`);
                    }
                }
            }
        }
        assert.deepEqual(failed, []);
    });

test('HTTP/1.0 with keep-alive: each request stands alone', async () => {
    const [one, two] = [await loggedIn(), await loggedIn()];
    const request = (person) => 'GET /api/x HTTP/1.0\r\nHost: shop.test\r\n'
        + `X-CSRF: 1\r\nConnection: keep-alive\r\n${person
            ? `Cookie: ${person.cookie}\r\n` : ''}\r\n`;
    const { statuses, requests } = await send(request(one) + request(two)
        + request() + request(one)
        + request(two).replace('keep-alive', 'close'));

    assert.deepEqual(statuses, [200, 200, 401, 200, 200]);
    assert.deepEqual(requests.map((r) => r.all('authorization')),
        [one, two, one, two].map((person) => [person.bearer]));
});

test('HTTP/0.9 reaches nothing that is protected, in any spelling', async () => {
    const { cookie } = await loggedIn();

    for (const target of ['/api/x', '//api/x', '/exact', '/re/1',
        '/bff/session', '/bff/login', '/bff/logout']) {
        const { answer, requests } = await send(`GET ${target}\r\n`
            + `Cookie: ${cookie}\r\n\r\n`);
        assert.deepEqual(requests, [], target);
        assert.doesNotMatch(answer, /authenticated|authorization_url/);
    }
});
