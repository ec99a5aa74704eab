// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What an upstream gets, octet by octet, in every protocol that NGINX speaks
// to it. The oracle is an NGINX without the module: it is sent the request
// that the client should have sent, and both upstream requests must be equal.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { Http2 } from '../lib/browser.mjs';
import { kKey } from '../lib/checks.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { Kept, request } from '../lib/kept.mjs';
import { Nginx, Place } from '../lib/nginx.mjs';
import { stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const kName = '__Host-Http-bff-corp';
const kGateways = ['grpc', 'fastcgi', 'uwsgi', 'scgi'];
const kProtocols = ['proxy', ...kGateways];

function pass(s, protocol) {
    const to = protocol === 'proxy' ? `http://${s.api.address}`
        : `${protocol === 'grpc' ? 'grpc://' : ''}${s[protocol].address}`;
    const param = (name, variable) => ['grpc', 'proxy'].includes(protocol)
        ? '' : `${protocol}_param ${name} ${variable};`;

    return `${protocol}_pass ${to};
        ${param('REQUEST_METHOD', '$request_method')}
        ${param('REQUEST_URI', '$request_uri')}
        ${param('CONTENT_LENGTH', '$content_length')}`;
}

// One server, with the module or (as = none) as it would be without.
function server(s, listen, bff) {
    return `server {
        ${listen}
        server_name shop.test;
        ${kProtocols.map((p) => `
            location /${p}/open/ { ${pass(s, p)} }
            location /${p}/closed/ { ${bff('')} ${pass(s, p)} }
            location /${p}/pass/ {
                ${bff('bff_unauthenticated pass;')}
                ${pass(s, p)}
            }
            location /${p}/out/ {
                ${bff('bff_unauthenticated pass;')}
                try_files /none @${p};
            }
            location @${p} { ${pass(s, p)} }
            location /${p}/in/ { try_files /none @${p}_closed; }
            location @${p}_closed { ${bff('')} ${pass(s, p)} }
        `).join('')}
        location /proxy/via/ {
            ${bff('')}
            ${pass(s, 'proxy')}
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Real-IP $remote_addr;
        }
        location /proxy/twice/ {
            ${bff('')}
            if ($http_cookie ~ nothing) { return 403; }
            if ($http_authorization ~ nothing) { return 403; }
            ${pass(s, 'proxy')}
            proxy_set_header Cookie $http_cookie;
            proxy_set_header Authorization $http_authorization;
            proxy_set_header DPoP $http_dpop;
        }
        location /proxy/asked/ { auth_request /check; ${pass(s, 'proxy')} }
        location /proxy/guarded/ {
            ${bff('')}
            auth_request /check;
            mirror /mirror;
            ${pass(s, 'proxy')}
        }
        location /proxy/mirrored/ { mirror /mirror; ${pass(s, 'proxy')} }
        location = /check { internal; ${pass(s, 'proxy')} }
        location = /mirror { internal; ${pass(s, 'proxy')} }
        location / { return 200 home; }
    }`;
}

const kBuffers = `large_client_header_buffers 16 32k; keepalive_requests 100000;
    client_header_buffer_size 8k;
    proxy_headers_hash_max_size 2048; uwsgi_buffer_size 8k;`;
const kOdd = 'underscores_in_headers on; ignore_invalid_headers off;';

const s = stage((s) => `
    ${kBuffers}

    bff_provider corp {
        issuer ${s.op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    ${server(s, `listen ${s.at.tls('main', 'http2')};
        listen ${s.at.plain('http')};`, (more) => `bff corp; ${more}`)}
    ${server(s, `listen ${s.at.plain('odd')}; ${kOdd}`,
        (more) => `bff corp; ${more}`)}
`, { prepare, ready, finish });

async function prepare(s) {
    for (const kind of kGateways) {
        s[kind] = await Gateway.start(kind);
    }
}

async function ready(s) {
    const at = await Place.make();
    const plain = () => '';

    s.bare = await Nginx.start({ place: at, module: false, http: `${kBuffers}
        ${server(s, `listen ${at.tls('main', 'http2')};
            listen ${at.plain('http')};`, plain)}
        ${server(s, `listen ${at.plain('odd')}; ${kOdd}`, plain)}` });
    s.lines = Object.fromEntries(['http', 'odd'].map((name) => [name,
        { with: new Kept(s.at.port(name)), without: new Kept(at.port(name)) }]));

    const b = s.browser();
    await b.login('/');
    s.cookie = b.jar.header(new URL(b.origin));
    s.bearer = `Bearer ${s.op.tokens.access_token}`;
}

async function finish(s) {
    Object.values(s.lines ?? {}).flatMap(Object.values)
        .forEach((line) => line.close());
    await s.bare?.stop();
    await Promise.all(kGateways.map((kind) => s[kind]?.stop()));
}

// All that one of the upstreams got while it was asked.
async function got(protocol, ask) {
    const requests = (s[protocol] ?? s.api).requests;
    const from = requests.length;
    const answer = await ask();

    return { answer, requests: requests.slice(from)
        .map((r) => r.raw ? { head: r.raw, body: r.body } : r) };
}

function words(text) {
    return text.replaceAll('OURS', s.cookie).replaceAll('NAME', kName)
        .replaceAll('BEARER', s.bearer);
}

// All that this upstream gets for these rows, by the row's number: an NGINX
// has no second request of a connection under way before the first is done.
async function asked(rows, side, linesFor) {
    const upstreams = [s.api, ...kGateways.map((kind) => s[kind])];
    upstreams.forEach((one) => { one.requests = []; });

    const answers = await Promise.all(rows.map((row, i) => {
        const [target, , , { door = 'http', ...options } = {}] = row;
        const lines = linesFor(row);

        return lines && s.lines[door][side].ask(request(`${target}?row=${i}`,
            ['X-CSRF: 1', ...lines].map(words), options));
    }));
    const found = rows.map((_, i) => ({ answer: answers[i], requests: [] }));

    for (const r of upstreams.flatMap((one) => one.requests)) {
        const target = r.target ?? r.fields.find(([n]) =>
            n === ':path' || n === 'REQUEST_URI')[1];
        found[target.split('?row=')[1]].requests.push(
            r.raw ? { head: r.raw, body: r.body } : r);
    }
    return found;
}

// rows: [target, lines, left, options]; the upstream gets what it would get
// from `left`, or with null nothing.
async function check(rows) {
    const ours = await asked(rows, 'with', ([, lines]) => lines);
    const bare = await asked(rows, 'without', ([, , left]) => left);
    const wrong = rows.flatMap(([target, lines, left], i) => {
        const status = left === null ? 401 : 200;
        const isRight = ours[i].answer.status === status
            && ours[i].requests.length === (left === null ? 0 : 1)
            && isDeepStrictEqual(ours[i].requests, bare[i].requests);

        return isRight ? [] : [[target, lines, 'gave', ours[i].answer.status,
            ours[i].requests, 'not', status, bare[i].requests].map((part) =>
            JSON.stringify(part).slice(0, 600)).join(' ')];
    });

    assert.notEqual(rows.length, 0);
    assert.equal(wrong.length, 0, wrong.slice(0, 20).join('\n'));
}

const kNumbers = (n) => Array.from({ length: n }, (_, i) => i);
const kAuthorization = /^authorization:/i;
const kDpop = /^dpop:/i;

// The lines that a closed place passes on: the client's Authorization is
// replaced where it stands.
function closed(lines) {
    const left = lines.filter((l) => !kDpop.test(l)).map((l) =>
        kAuthorization.test(l) ? `${l.split(':')[0]}: BEARER` : l);

    return left.some((l) => kAuthorization.test(l)) ? left
        : [...left, 'Authorization: BEARER'];
}

function passed(lines) {
    return lines.filter((l) => !kDpop.test(l) && !kAuthorization.test(l));
}

// Where no bff stands any more the client has its Authorization and its DPoP
// back: at the end, where they were taken out.
function out(lines, isGranted) {
    const back = (pattern, name) => lines.filter((l) => pattern.test(l))
        .map((l) => l.replace(pattern, name));
    const proofs = back(kDpop, 'DPoP:');

    return isGranted ? [...lines.filter((l) => !kDpop.test(l)), ...proofs]
        : [...passed(lines), ...back(kAuthorization, 'Authorization:'),
            ...proofs];
}

// --- Authorization, DPoP and what looks like them ---

const kCredentials = [
    [],
    ...['Basic YWRhOmFkYQ==', 'Bearer mine', 'bearer mine', 'DPoP mine',
        'Digest username="ada", uri="/"', 'Negotiate abc', 'x', '', '   ', '\t',
        'Basic a, Bearer b', `Bearer ${'x'.repeat(6000)}`, '\x01\x7f\x80\xff',
    ].map((value) => [`Authorization: ${value}`]),
    ...['authorization', 'AUTHORIZATION', 'aUTHORIZATIOn'].map((name) =>
        [`${name}: Bearer mine`]),
    ['Authorization:Bearer mine'],
    ['Proxy-Authorization: Basic mine'],
    ['X-Authorization: Bearer mine', 'Authorization-: Bearer mine',
        'Authorizatio: x', 'Authorizations: x', 'HTTP-Authorization: x'],
    ['DPoP: proof'], ['dpop: proof'], ['DPOP: a', 'Dpop: b', 'dPoP: c'],
    ['DPoP:'], ['D-PoP: x', 'DPoP-Nonce: x', 'X-DPoP: x', 'DPo: x', 'DPoPe: x'],
    [`DPoP${'x'.repeat(64)}: x`, `Origin${'x'.repeat(64)}: https://evil.test`,
        `${'x'.repeat(64)}: x`, `${'x'.repeat(300)}: x`],
    ['X-First: 1', 'DPoP: proof'], ['DPoP: proof', 'X-Last: 1'],
    ['DPoP: proof', 'Authorization: DPoP mine', 'DPoP: proof'],
    ['Authorization: Bearer mine', 'X-Last: 1'],
    ['X-First: 1', 'Authorization: Bearer mine', 'DPoP: p', 'X-Last: 1'],
];

for (const protocol of kProtocols) {
    test(`BFF-20: credentials of the client, by ${protocol}_pass`, () => check(
        kCredentials.flatMap((lines) => [
            [`/${protocol}/closed/x`, ['Cookie: OURS', ...lines], closed(lines)],
            [`/${protocol}/in/x`, ['Cookie: OURS', ...lines], closed(lines)],
            [`/${protocol}/closed/x`, lines, null],
            [`/${protocol}/in/x`, lines, null],
            [`/${protocol}/pass/x`, lines, passed(lines)],
            [`/${protocol}/pass/x`, ['Cookie: NAME=x', ...lines], passed(lines)],
            [`/${protocol}/open/x`, lines, lines],
            [`/${protocol}/open/x`, ['Cookie: OURS', ...lines], lines],
            [`/${protocol}/out/x`, lines, out(lines, false)],
            [`/${protocol}/out/x`, [...lines, 'Cookie: OURS'], out(lines, true)],
        ])));
}

// Names that CGI could take for another's: a hyphen becomes an underscore.
const kOddNames = ['Authorization_: x', 'Authorization_Bearer: x',
    '_Authorization: x', 'X_Forwarded_For: 1.2.3.4', 'DPoP_: x', 'D_PoP: x',
    'Cookie_: NAME=x', 'HTTP_AUTHORIZATION: x', 'HTTP_COOKIE: NAME=x',
    'Authorization\x80: x', 'Authorization": x', 'Authorization,: x',
    'Coo\x81kie: NAME=x', 'Auth/orization: x', 'Author\xefzation: x'];

for (const protocol of kProtocols) {
    test(`BFF-20: odd names that NGINX lets through, by ${protocol}_pass`, () =>
        check(['odd', 'http'].flatMap((door) => kOddNames.flatMap((line) => [
            [`/${protocol}/closed/x`, [line, 'Cookie: OURS'],
                closed([line]), { door }],
            [`/${protocol}/closed/x`, [line, 'Authorization: x', 'Cookie: OURS',
                line], closed([line, 'Authorization: x', line]), { door }],
            [`/${protocol}/pass/x`, [line], [line], { door }],
            [`/${protocol}/closed/x`, [line], null, { door }],
        ]))));
}

// --- Cookie ---

// [the client's line, what is left of it; is there a session]
const kCookies = [
    ['OURS', '', true],
    ['OURS; a=1', 'a=1', true],
    ['a=1; OURS', 'a=1', true],
    ['a=1; OURS; b=2', 'a=1; b=2', true],
    ['a=1;OURS;b=2', 'a=1;b=2', true],
    ['a=1;OURS', 'a=1', true],
    ['OURS;a=1', 'a=1', true],
    ['OURS;', '', true],
    [';OURS', '', true],
    ['OURS;;', ';', true],
    [';;OURS', ';', true],
    [';a=1;OURS', ';a=1', true],
    [';;a=1; OURS', ';;a=1', true],
    ['a=1;;OURS;;b=2', 'a=1;;;b=2', true],
    ['; ; OURS; ; ', '; ; ; ', true],
    ['=;OURS;=', '=;=', true],
    ['=x; OURS; =NAME', '=x; =NAME', true],
    ['a; OURS; b', 'a; b', true],
    ['NAME; OURS', 'NAME', true],
    ['OURS; NAME; NAME', 'NAME; NAME', true],
    ['a="x; OURS; y"', 'a="x; y"', true],
    ['a=NAME=1; OURS', 'a=NAME=1', true],
    ['a= NAME=1; OURS', 'a= NAME=1', true],
    ['a=1,NAME=2; OURS', 'a=1,NAME=2', true],
    ['$Version=1; OURS; $Path=/', '$Version=1; $Path=/', true],
    ['a=1;\tOURS;\tb=2', 'a=1;\tb=2', true],
    ['a=1 ; OURS; b = 2 ', 'a=1 ; b = 2 ', true],
    ['a=1 ; OURS ; b = 2', 'a=1 ; b = 2', false],
    ['\x80=\xff; OURS; \x01=\x1f', '\x80=\xff; \x01=\x1f', true],
    [`a=${'x'.repeat(8000)}; OURS; b=${'y'.repeat(8000)}`,
        `a=${'x'.repeat(8000)}; b=${'y'.repeat(8000)}`, true],
    [`${'a=1; '.repeat(400)}OURS${'; b=2'.repeat(400)}`,
        `${'a=1; '.repeat(400)}b=2${'; b=2'.repeat(399)}`, true],
    // names like ours
    ['OURS; __HOST-HTTP-BFF-CORP=x', '__HOST-HTTP-BFF-CORP=x', true],
    ['__host-http-bff-corp=x; OURS', '__host-http-bff-corp=x', true],
    ['NAMEx=1; OURS; xNAME=2', 'NAMEx=1; xNAME=2', true],
    ['NAME.=1; NAME.0=2; NAME.3=3; NAME.01=4; NAME.11=5; NAME.a=6; OURS',
        'NAME.=1; NAME.0=2; NAME.3=3; NAME.01=4; NAME.11=5; NAME.a=6', true],
    ['NAME-=1; OURS; NAME-login=2', 'NAME-=1; NAME-login=2', true],
    ['NAME-login-=1; OURS; NAME-login-abc=2; NAME-login-0123456789abcdef=3',
        '', true],
    ['NAME-LOGIN-abc=1; OURS', 'NAME-LOGIN-abc=1', true],
    ['NAME%2e1=1; OURS; NAME\\.1=2', 'NAME%2e1=1; NAME\\.1=2', true],
    ['\x0bNAME=1; OURS', '\x0bNAME=1', true],
    // ours, and no good
    ['NAME=', '', false],
    ['NAME="OURS"', '', false],
    ['a=1; NAME =x; b=2', 'a=1; b=2', false],
    ['a=1; NAME\t=x', 'a=1', false],
    ['a=1;  \t NAME=x', 'a=1', false],
    ['OURS; OURS', '', false],
    ['OURS; a=1; OURS', 'a=1', false],
    ['OURS; NAME=', '', false],
    ['NAME=; OURS', '', false],
    ['OURS; NAME =x', '', false],
    ['a=1; NAME.1=x; b=2', 'a=1; b=2', false],
    ['NAME.1=x; NAME.2=y', '', false],
    [`${'NAME=x; '.repeat(49)}a=1`, 'a=1', false],
    [`NAME=${'x'.repeat(8192)}; a=1`, 'a=1', false],
    ['NAME==; a=1', 'a=1', false],
];

for (const protocol of kProtocols) {
    test(`BFF-20 CK-8: cookies of others and ours, by ${protocol}_pass`, () =>
        check(kCookies.flatMap(([cookie, left, isSession]) => {
            const lines = [`Cookie: ${cookie}`, 'X-Last: 1'];
            const rest = [...left ? [`Cookie: ${left}`] : [], 'X-Last: 1'];

            return [
                [`/${protocol}/closed/x`, lines, isSession ? closed(rest) : null],
                [`/${protocol}/pass/x`, lines, isSession ? closed(rest) : rest],
                [`/${protocol}/open/x`, lines, rest],
                [`/${protocol}/out/x`, lines, rest],
            ];
        })));
}

// Several lines are one (CK-12), whichever of them are ours.
const kSeveral = [
    [['OURS', 'a=1'], ['a=1']],
    [['a=1', 'OURS'], ['a=1']],
    [['a=1', 'OURS', 'b=2'], ['a=1', 'b=2']],
    [['OURS', 'a=1', 'NAME-login-abc=2', 'b=2'], ['a=1', 'b=2']],
    [['', 'OURS', ';'], ['', ';']],
    [['a=1', 'b=2; OURS', 'c=3; NAME-login-abc=1'], ['a=1', 'b=2', 'c=3']],
    [['NAME-login-a=1', 'NAME-login-b=1', 'OURS', 'NAME-login-c=1'], []],
    [[...Array(30).fill('a=1'), 'OURS', ...Array(30).fill('b=1')],
        [...Array(30).fill('a=1'), ...Array(30).fill('b=1')]],
    [['OURS', 'OURS'], [], 'none'],
    [['OURS', 'a=1', 'NAME=x'], ['a=1'], 'none'],
    [['NAME=x', 'OURS', 'b=1'], ['b=1'], 'none'],
];

function cookieLines(values) {
    return values.map((value) => `Cookie: ${value}`);
}

for (const protocol of kProtocols) {
    test(`CK-12: several Cookie lines, by ${protocol}_pass`, () => check(
        kSeveral.flatMap(([sent, left, none]) => {
            const lines = [...cookieLines(sent), 'X-Last: 1'];
            const rest = [...cookieLines(left), 'X-Last: 1'];

            return [
                [`/${protocol}/closed/x`, lines, none ? null : closed(rest)],
                [`/${protocol}/in/x`, lines, none ? null : closed(rest)],
                [`/${protocol}/pass/x`, lines, none ? rest : closed(rest)],
                [`/${protocol}/open/x`, lines, rest],
                [`/${protocol}/out/x`, lines, rest],
            ];
        })));
}

// A subrequest shares the list of its main request. As many requests as there
// are copies, and which comes first is nobody's business.
const kCopies = [['/proxy/asked/x', 2], ['/proxy/mirrored/x', 2],
    ['/proxy/guarded/x', 3]];

// The lines of each, without those that NGINX makes itself.
function linesOf(requests) {
    return requests.map((r) => r.lines.map((l) => l.trimEnd()).filter((l) =>
        !/^(Host|Connection|X-CSRF):/.test(l)).join('\n')).sort();
}

// What the first one that asks for leave gets, the mirror, and the API.
function copies(open, isClosed) {
    return [open, open, isClosed ? closed(open) : open];
}

for (const [target, count] of kCopies) {
    test(`BFF-20: what auth_request and mirror repeat, at ${target}`,
        async () => {
            const isClosed = target.includes('guarded');
            const rows = [...kSeveral.map(([sent, left, none]) =>
                [sent, left, !none]), ...kCookies.map(([cookie, left, is]) =>
                [[cookie], left ? [left] : [], is])];

            for (const [sent, left, is] of rows.filter((row) =>
                !isClosed || row[2])) {
                const lines = (cookies) => ['Authorization: Basic x',
                    ...cookies.map((c) => `Cookie: ${c}`), 'DPoP: x'];

                s.api.requests = [];
                await s.lines.http.with.ask(request(target, ['X-CSRF: 1',
                    ...lines(sent)].map(words)));
                await until('the copies', () => s.api.requests.length >= count);

                assert.deepEqual(linesOf(s.api.requests),
                    copies(lines(left), isClosed).slice(3 - count)
                        .map((l) => words(l.map((v) => v.trimEnd())
                            .join('\n'))).sort(), String(sent));
            }
        });
}

// --- lists of any length: NGINX keeps them in parts of twenty ---

const kEdits = [
    ['Cookie: OURS'], ['Cookie: OURS', 'Authorization: Basic x'],
    ['Authorization: Basic x', 'Cookie: a=1; OURS'],
    ['DPoP: x', 'Cookie: OURS', 'DPoP: y', 'Authorization: Basic x'],
    ['Cookie: NAME-login-a=1', 'Cookie: OURS', 'DPoP: x'],
    ['Cookie: a=1', 'Cookie: OURS', 'Cookie: b=2'],
];

function withEdits(count, at, edits) {
    const lines = kNumbers(count).map((i) => `X-${i}: ${'v'.repeat(i % 7)}`);
    lines.splice(at, 0, ...edits);
    return lines;
}

function withoutOurs(lines) {
    return lines.flatMap((l) => {
        const left = l.replace(/(; )?(OURS|NAME-login-a=1)/, '');
        return left === 'Cookie: ' ? [] : [left];
    });
}

function edited(path, count, at) {
    return kEdits.map((edits) => {
        const lines = withEdits(count, at, edits);
        return [path, lines, closed(withoutOurs(lines))];
    });
}

test('0 to 200 headers, edited at either end and in the middle', () => check(
    [0, 1, 2, ...kNumbers(9).map((i) => i + 14), 37, 38, 39, 40, 41, 58, 59, 60,
        100, 199, 200].flatMap((count) =>
        [...new Set([0, count >> 1, count])].flatMap((at) =>
            edited('/proxy/closed/x', count, at)))));

test('a list of three parts, edited at every position', () => check(
    kNumbers(46).flatMap((at) => edited('/proxy/closed/x', 45, at))));

for (const protocol of kGateways) {
    test(`long lists by ${protocol}_pass`, () => check([0, 16, 17, 18, 45, 199]
        .flatMap((count) => [...new Set([0, 17, 18, 19, 20, 21, count])]
            .filter((at) => at <= count).flatMap((at) =>
                edited(`/${protocol}/closed/x`, count, at)))));
}

// --- what is the operator's own ---

const kForwarded = [
    [], ['X-Forwarded-For: 1.2.3.4'],
    ['X-Forwarded-For: 1.2.3.4', 'X-Forwarded-For: 5.6.7.8'],
    ['X-Forwarded-For: 1.2.3.4, 5.6.7.8', 'X-Real-IP: 9.9.9.9'],
    ['X-Forwarded-For:'], ['x-forwarded-for: "evil"'],
    ['X-Forwarded-Host: evil.test', 'X-Forwarded-Proto: http',
        'X-Forwarded-Port: 1', 'X-Forwarded-Prefix: /x', 'X-Forwarded-Server: e',
        'Forwarded: for=1.2.3.4;host=evil.test', 'Via: 1.1 x',
        'X-Original-URL: /x', 'X-Rewrite-URL: /x', 'X-HTTP-Method-Override: PUT'],
];

test('BFF-31: the API can be told the client\'s address', async () => {
    await check(kForwarded.flatMap((lines) => [
        ['/proxy/via/x', [...lines, 'Cookie: OURS'], closed(lines)],
        ['/proxy/closed/x', [...lines, 'Cookie: OURS'], closed(lines)],
        ['/fastcgi/closed/x', ['DPoP: x', ...lines, 'Cookie: OURS'],
            closed(lines)],
        ['/proxy/via/x', lines, null],
    ]));
    assert.equal(s.api.last.header('x-forwarded-for'), undefined);

    await check([['/proxy/via/x', ['Cookie: OURS'], closed([])]]);
    assert.equal(s.api.last.header('x-forwarded-for'), '127.0.0.1');
    assert.equal(s.api.last.header('x-real-ip'), '127.0.0.1');
});

test('BFF-20: variables that were read before have no cookie of ours', () =>
    check([
        ['/proxy/twice/x', ['Cookie: a=1; OURS'], closed(['Cookie: a=1'])],
        ['/proxy/twice/x', ['Cookie: OURS'], closed([])],
        ['/proxy/twice/x', ['Cookie: OURS', 'Authorization: Basic x',
            'DPoP: x'], closed([])],
    ].map(([target, lines, left]) => [target, lines, left])));

// --- HTTP/2: each cookie may have a field of its own ---

const kCrumbs = [
    ['OURS'], ['OURS', 'a=1'], ['a=1', 'OURS'], ['a=1', 'OURS', 'b=2'],
    ['a=1', 'b=2; OURS; c=3', 'd=4'], ['', 'OURS'],
    [...Array(60).fill('a=1'), 'OURS', ...Array(60).fill('b=2')],
];

async function overHttp2(port, target, headers) {
    const h2 = new Http2(`https://shop.test:${port}`);

    try {
        return await h2.ask(target, { ':authority': 'shop.test', ...headers });
    } finally {
        await h2.close();
    }
}

for (const protocol of kProtocols) {
    test(`HTTP/2, cookies in crumbs, by ${protocol}_pass`, async () => {
        const target = `/${protocol}/closed/x`;

        for (const crumbs of kCrumbs) {
            const sent = { 'x-csrf': '1', 'x-last': '1', dpop: 'x',
                cookie: crumbs.map(words) };
            const left = crumbs.map((c) => c.replace(/(OURS; |OURS)/, ''))
                .filter((c, i) => c !== '' || crumbs[i] === '').join('; ');

            const ours = await got(protocol, () => overHttp2(
                s.at.port('main'), target, { ...sent, authorization: 'x' }));
            const bare = await got(protocol, () => overHttp2(
                s.bare.port('main'), target, { 'x-csrf': '1', 'x-last': '1',
                    authorization: s.bearer, ...left ? { cookie: left } : {} }));

            assert.equal(ours.answer.status, 200);
            assert.deepEqual(ours.requests, bare.requests, String(crumbs));
        }
    });
}
