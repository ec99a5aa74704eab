// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// CR, LF and NUL, other control octets and what means something in HTML come
// in by every door there is: the browser, the provider, the API. None of them
// makes a header, a line of the log, markup or JSON of its own: all answers
// are read as bytes, and so is all that goes upstream or is written down.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, afterEach, test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { Kept, request, valuesOf } from '../lib/kept.mjs';
import { attempt, stage } from '../lib/stage.mjs';

// Nothing but the test's own says X-Evil or <x-evil>.
const kPayloads = ['\r\nX-Evil: 1\r\n\r\n', '\nX-Evil: 1', '\rX-Evil: 1', '\0',
    'a\0b', '\u2028', '\u2029', '\u0085', '<x-evil>', '"><x-evil a="',
    "'><x-evil a='", '</script><x-evil>', '&lt;x-evil&gt;', '\\', '"', '{"a":1}',
    '%0d%0aX-Evil:%201', '%00', '\t', '\x1b[31m', '\x7f', '\x01\x02\x1f',
    '2026/01/01 00:00:00 [error] 1#1: X-Evil', ' ', '\uffff\u{10ffff}'];

// Where each costs a login.
const kFew = ['\r\nX-Evil: 1\r\n\r\n', '\nX-Evil: 1', '\0', 'a\u2028"><x-evil>',
    '\x01\x1b\x7f', '2026/01/01 00:00:00 [error] 1#1: X-Evil'];

// As a JSON text it is what it says; as a query it is percent-encoded.
const encoded = encodeURIComponent;

const s = stage(({ op, api, at }) => `
    large_client_header_buffers 8 32k;
    keepalive_requests 10000;

    ${[...kPayloads.keys(), 'corp'].map((name) => `
    bff_provider ${name === 'corp' ? name : `p${name}`} {
        issuer ${op.issuer};
        config_url ${op.issuer}/.well-known/openid-configuration?row=${name};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        ${name === 'corp' ? 'session_claims sub sid name odd roles;'
        : `endpoints_path /bff-${name}/;`}
    }`).join('')}

    log_format line escape=none '$bff_action $bff_error $bff_sub';

    server {
        listen ${at.tls()};
        listen ${at.plain('http')};
        server_name shop.test;
        access_log access.log line;
        bff_trusted_origin https://trusted.test;

        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /told/ {
            bff corp;
            proxy_pass http://${api.address};
            proxy_set_header X-Sub $bff_sub;
            proxy_set_header X-Name $bff_claim_name;
            proxy_set_header X-Odd $bff_claim_odd;
            proxy_set_header X-Roles $bff_claim_roles;
            add_header X-Told-Sub $bff_sub;
            add_header X-Told-Name $bff_claim_name;
            add_header X-Told-Odd $bff_claim_odd;
            add_header X-Told-Roles $bff_claim_roles;
        }
        ${[...kPayloads.keys()].map((i) =>
        `location /api-${i}/ { bff p${i}; return 204; }`).join('\n')}
    }
`, { level: 'info', ready, finish: (s) => s.line?.close() });

let mark = { log: 0, access: 0 };

function ready(s) {
    s.line = new Kept(s.at.port('http'));
}

function bytesOf(name) {
    return fs.readFileSync(path.join(s.at.prefix, name));
}

beforeEach(() => {
    mark = { log: s.nginx.mark(), access: bytesOf('access.log').length };
    s.api.requests = [];
});

// What NGINX itself adds to a line is its own affair.
const kOwnPart = /, (client|server|request|upstream|host|referrer): .*$/;
const kLogLine = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[[a-z]+\] \d+#\d+: /;

afterEach(() => {
    const log = bytesOf('error.log').subarray(mark.log).toString('latin1');

    for (const line of log.split('\n').filter(Boolean)) {
        assert.match(line, kLogLine);
        if (/ bff: /.test(line)) {
            assert.doesNotMatch(line.replace(kOwnPart, ''), /[^\x20-\x7e]/);
        }
    }

    const access = bytesOf('access.log').subarray(mark.access);
    assert.doesNotMatch(access.toString('latin1'), /[\x00-\x09\x0b-\x1f\x7f]/);
    assert.doesNotMatch(access.toString('latin1'), /^X-Evil/im);
    s.api.requests.forEach(assertRequest);
});

// One line each, of a name and printable octets.
const kHeaderLine = /^[A-Za-z][A-Za-z0-9-]*: ?[\x20-\x7e\x80-\xff]*$/;

function assertRequest({ lines, raw }) {
    assert.doesNotMatch(raw, /\0|\r(?!\n)|(?<!\r)\n/);
    lines.forEach((line) => assert.match(line, /^[A-Za-z][A-Za-z0-9-]*: /));
    assert.equal(lines.filter((line) => /^x-evil/i.test(line)).length, 0, raw);
}

// An answer on the plain connection, as it came.
function assertAnswer({ status, head, body }, what) {
    const lines = head.slice(0, -4).split('\r\n').slice(1);

    assert.ok(status < 500 || status === 502 || status === 503,
        `${status} ${what}`);
    assert.doesNotMatch(head, /\0|\r(?!\n)|(?<!\r)\n/, what);
    lines.forEach((line) => assert.match(line, kHeaderLine, what));
    assert.ok(!lines.some((line) => /^x-evil/i.test(line)), `${what} ${head}`);
    assertBody(/^content-type: (.*)$/im.exec(head)?.[1] ?? '', body, what);
}

function assertBody(type, body, what) {
    if (/json/.test(type)) {
        JSON.parse(body);
    }
    if (/<center>nginx/.test(body)) {
        return; // NGINX's own page, which repeats nothing
    }
    assert.doesNotMatch(body, /[\x00-\x09\x0b-\x1f]/, what);
    if (/html/.test(type)) {
        assert.doesNotMatch(body, /<\/?x-evil|^X-Evil/im, what);
    }
}

const kPage = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Site: same-origin',
    'Sec-Fetch-Dest: document', 'Accept: text/html'];
const kScript = ['X-CSRF: 1', 'Accept: application/json'];

// Everything at once, on one connection; each of them gets its answer.
async function askAll(requests) {
    const answers = await s.line.askAll(requests);

    answers.forEach((answer, i) => assertAnswer(answer,
        JSON.stringify(requests[i].slice(0, 200))));
    return answers;
}

// --- from the browser ---

// [path, names of parameters that it may know]
const kEndpoints = [
    ['/bff/login', ['returnUrl', 'prompt', 'login_hint', 'odd']],
    ['/bff/callback', ['error', 'error_description', 'error_uri', 'code',
        'state', 'iss', 'session_state', 'response']],
    ['/bff/logout', ['sid', 'returnUrl', 'state']],
    ['/bff/frontchannel', ['iss', 'sid']],
    ['/bff/session', ['slide']], ['/bff/user', ['slide']],
    ['/bff/userinfo', ['x']], ['/bff/jwks', ['x']], ['/bff/token', ['x']],
    ['/api/x', ['x']],
];

function eachQuery() {
    return kEndpoints.flatMap(([target, names]) => names.flatMap((name) =>
        kPayloads.flatMap((payload) => [payload, `/${payload}`].flatMap((value) =>
            [kPage, kScript].map((lines) => request(
                `${target}?${name}=${encoded(value)}`, lines))))));
}

test('queries of every endpoint', async () => {
    await askAll(eachQuery());
});

test('queries of a callback that says no', async () => {
    await askAll(kPayloads.flatMap((payload) => [
        `error=${encoded(payload)}&state=${encoded(payload)}`,
        `error=x${encoded(payload)}&error_description=${encoded(payload)}`
            + `&state=x&iss=${encoded(payload)}`,
        `${encoded(payload)}=1&error=x&state=x`,
    ].flatMap((query) => [kPage, kScript].map((lines) =>
        request(`/bff/callback?${query}`, lines)))));
});

test('paths, below the endpoints and where a page is protected', async () => {
    await askAll(kPayloads.flatMap((payload) => [
        `/bff/${encoded(payload)}`, `/bff/login/${encoded(payload)}`,
        `/api/${encoded(payload)}`, `/api/${encoded(payload)}?${encoded(payload)}`,
    ].flatMap((target) => [kPage, kScript].map((lines) =>
        request(target, lines)))));
});

// What NGINX lets through of it; what it does not ends the connection.
test('octets as they are, in the target', async () => {
    await askAll(['"', '<x-evil>', '\'', '\\', '{', '`', '|', '^', '\x80',
        '\xff\xfe', '\xe2\x80\xa8'].flatMap((octets) =>
        [`/api/${octets}`, `/api/?${octets}`, `/bff/${octets}`,
            `/bff/login?returnUrl=/${octets}`, `/bff/callback?error=${octets}`,
            `/bff/callback?state=${octets}&code=${octets}`,
            `/bff/logout?sid=${octets}`].flatMap((target) =>
            [kPage, kScript].map((lines) => request(target, lines)))));
});

const kBodies = [
    ['/bff/login', 'application/json', (p) => JSON.stringify({ returnUrl: p })],
    ['/bff/login', 'application/json', (p) => JSON.stringify(
        { returnUrl: `/${p}`, params: { prompt: p, login_hint: p, [p]: p } })],
    ['/bff/login', 'application/json', (p) => `{"returnUrl": "${p}"}`],
    ['/bff/callback', 'application/json', (p) => JSON.stringify({ url: p })],
    ['/bff/callback', 'application/json', (p) => JSON.stringify(
        { url: `http://shop.test/?error=${encoded(p)}&state=${encoded(p)}` })],
    ['/bff/callback', 'application/x-www-form-urlencoded',
        (p) => `error=${encoded(p)}&state=${encoded(p)}`],
    ['/bff/callback', 'application/x-www-form-urlencoded',
        (p) => `error=${p}&error_description=${p}&state=x`],
    ['/bff/logout', 'application/x-www-form-urlencoded',
        (p) => `returnUrl=${encoded(p)}`],
    ['/bff/backchannel', 'application/x-www-form-urlencoded',
        (p) => `logout_token=${encoded(p)}`],
    ['/bff/backchannel', 'application/x-www-form-urlencoded', (p) =>
        `logout_token=${Buffer.from(JSON.stringify({ alg: p, typ: p, kid: p }))
            .toString('base64url')}.e30.AAAA`],
    ['/bff/refresh', 'text/plain', (p) => p],
];

test('bodies', async () => {
    await askAll(kBodies.flatMap(([target, type, make]) =>
        kPayloads.flatMap((payload) => [kPage, kScript].map((lines) => request(
            target, [...lines, `Content-Type: ${type}`], { method: 'POST',
                body: Buffer.from(make(payload)).toString('latin1') })))));
});

const kNames = ['Origin', 'Referer', 'Accept', 'Content-Type', 'Cookie', 'DPoP',
    'Sec-Fetch-Site', 'Sec-Fetch-Mode', 'Sec-Fetch-Dest', 'X-CSRF',
    'X-Request-ID', 'X-Forwarded-Host', 'Authorization', 'Upgrade', 'Purpose',
    'Access-Control-Request-Method', 'Access-Control-Request-Headers',
    'User-Agent'];
const kOctets = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1))
    .filter((c) => !'\r\n'.includes(c)).join('');

test('headers of the client with every octet that NGINX lets through',
    async () => {
        await askAll(kNames.flatMap((name) => [kOctets, `x${kOctets}x`,
            '<x-evil>"\'&', 'https://<x-evil>', 'https://trusted.test<x-evil>',
            'https://trusted.test\x01', '\xe2\x80\xa8'].flatMap((value) =>
            ['/api/x', '/bff/login', '/bff/session', '/bff/callback?code=a&state=b',
                '/bff/nothing'].flatMap((target) =>
                ['GET', 'POST', 'OPTIONS'].map((method) => request(target,
                    [`${name}: ${value}`, ...method === 'OPTIONS'
                        ? ['Access-Control-Request-Method: GET'] : []]
                        .concat(method === 'OPTIONS' && name !== 'Origin'
                            ? ['Origin: https://trusted.test'] : []),
                    { method, body: method === 'POST' ? 'x' : '' }))))));
    });

// NGINX's own 400 is the end of the connection.
test('CR, LF and NUL in a header or a target are refused', async () => {
    for (const bytes of [
        request('/api/x', ['Origin: a\0b']), request('/api/x', ['Origin: a\rb']),
        request('/bff/login?returnUrl=/\0'), request('/bff/login?returnUrl=/\r'),
        request('/bff/login?returnUrl=/\x01'), request('/api/\x7f'),
        request('/bff/login', [], { host: 'shop.test\0' }),
        request('/bff/login', [], { host: 'shop.test\r' }),
        request('/bff/login', ['Authorization : x']),
        request('/bff/login', [' folded: x']),
        request('/bff/login', ['Origin: https://shop.test', ' folded']),
        request('/bff/login', ['Authorization: x', 'Authorization: y'])]) {
        const line = new Kept(s.at.port('http'));
        const answer = await line.ask(bytes);
        line.close();
        assert.equal(answer.status, 400, JSON.stringify(bytes));
        assertAnswer(answer, JSON.stringify(bytes));
    }
});

test('Host headers', async () => {
    for (const host of ['shop.test"', 'shop.test<x-evil>', '<x-evil>', 'a\x01b',
        'shop.test:1"', '\xe2\x80\xa8', 'a b', 'shop.test\x80', '[::1]<', "'",
        '&', 'shop.test:99999', 'user@shop.test', '', 'shop.test\\evil.test']) {
        for (const target of ['/bff/login', '/bff/callback?code=a&state=b',
            '/api/x', '/bff/logout', '/bff/session']) {
            const line = new Kept(s.at.port('http'));
            assertAnswer(await line.ask(request(target, kPage, { host })),
                `${JSON.stringify(host)} ${target}`);
            line.close();
        }
    }
});

// --- from the provider ---

function headOf(raw) {
    const lines = raw.flatMap((name, i) =>
        i % 2 ? [] : [`${name}: ${raw[i + 1]}\r\n`]);

    return `HTTP/1.1 200 OK\r\n${lines.join('')}\r\n`;
}

// A login with this provider, to its end and what can be seen of it.
async function login(what) {
    const { answer, browser } = await attempt(s);
    assertAnswer({ status: answer.status, body: answer.body,
        head: headOf(answer.rawHeaders) }, what);

    const cookie = browser.jar.header(new URL(browser.origin));
    if (!cookie) {
        return answer;
    }
    await askAll(['/bff/session', '/bff/user', '/bff/userinfo', '/told/x',
        '/api/x', '/bff/token', '/bff/logout'].map((target) => request(target,
        [...kScript, `Cookie: ${cookie}`])));
    return answer;
}

test('claims of the ID token', async () => {
    for (const payload of kFew) {
        s.op.claims = (usual) => ({ ...usual, name: payload,
            odd: { [payload]: payload }, roles: [payload, payload],
            [payload]: payload });
        await login(`name ${JSON.stringify(payload)}`);

        const told = s.api.requests.findLast((r) => r.target === '/told/x');
        for (const name of ['x-sub', 'x-name', 'x-odd', 'x-roles']) {
            assert.equal(told.all(name).length, 1);
        }

        s.op.claims = (usual) => ({ ...usual, sub: `u${payload}` });
        await login(`sub ${JSON.stringify(payload)}`);

        s.op.claims = (usual) => ({ ...usual, iss: payload, aud: payload });
        await login(`iss ${JSON.stringify(payload)}`);

        s.op.claims = (usual) => ({ ...usual, nonce: payload, azp: payload });
        await login(`nonce ${JSON.stringify(payload)}`);
    }
});

test('the ID token\'s header', async () => {
    const { signJwt } = await import('../lib/jose.mjs');

    for (const payload of kFew) {
        for (const name of ['alg', 'typ', 'kid']) {
            s.op.idToken = ({ claims, header, key }) =>
                signJwt({ ...header, [name]: payload }, claims, key);
            await login(`${name} ${JSON.stringify(payload)}`);
        }
    }
});

test('the token endpoint\'s answer', async () => {
    for (const payload of kFew) {
        for (const change of [
            { access_token: `a${payload}` }, { refresh_token: `r${payload}` },
            { token_type: payload }, { scope: payload }, { expires_in: payload },
            { id_token: payload }, { error: payload, error_description: payload },
            { access_token: undefined, error: payload, error_uri: payload }]) {
            s.op.tokenAnswer = (usual) => ({ ...usual, ...change });
            await login(JSON.stringify(change));
        }
    }
});

test('what the callback brings along', async () => {
    for (const payload of kFew) {
        for (const change of [{ session_state: payload }, { iss: payload },
            { code: payload }, { error: payload, code: undefined },
            { error: 'access_denied', error_description: payload,
                code: undefined }, { state: payload }, { odd: payload }]) {
            s.op.callback = (usual) => ({ ...usual, ...change });
            await login(JSON.stringify(change));
        }
    }
});

test('the provider\'s status lines and headers', async () => {
    const statuses = ['200 OK', '302 <x-evil>\x01', '401 \x80\x1b[0m', '503 \x01',
        '<x-evil>', '400 a\rb'];
    const lines = ['WWW-Authenticate: Basic realm="<x-evil>\x01"',
        'Location: http://evil.test/\x01<x-evil>', 'Retry-After: <x-evil>\x01',
        'Content-Type: \x01<x-evil>', 'X-\x01: 1', 'DPoP-Nonce: \x01',
        'Content-Encoding: <x-evil>\x01', 'Transfer-Encoding: \x01<x-evil>',
        'Content-Length: <x-evil>\x01', 'X: \0', 'X: a\rb', 'Set-Cookie: a=1'];

    for (const [i, line] of lines.entries()) {
        const status = statuses[i % statuses.length];
        s.op.wire.token = (socket) => socket.end(Buffer.from(`HTTP/1.1 ${status}`
            + `\r\n${line}\r\nConnection: close\r\n\r\n{}`, 'latin1'));
        await login(`${status} ${line}`);
    }
});

// Each provider of the configuration is told another metadata document.
const kMembers = ['issuer', 'authorization_endpoint', 'token_endpoint',
    'jwks_uri', 'end_session_endpoint', 'response_types_supported'];

test('the provider\'s metadata', async () => {
    s.op.metadata = (usual) => {
        const row = s.op.requests.at(-1)?.query.get('row');
        const payload = kPayloads[row];
        const name = kMembers[row % kMembers.length];

        return payload === undefined ? usual : { ...usual, [payload]: payload,
            [name]: row % 2 ? payload : `${usual[name]}${payload}` };
    };

    await askAll([...kPayloads.keys()].flatMap((i) =>
        [`/bff-${i}/login`, `/bff-${i}/session`, `/api-${i}/x`].map((target) =>
            request(target, kPage, { host: 'localhost' }))));
    assert.ok(s.op.calls('metadata').length >= kPayloads.length);
});

// --- from the API ---

test('an API that says no in many words', async () => {
    const b = s.browser();
    await b.login('/');
    const cookie = b.jar.header(new URL(b.origin));

    for (const value of ['Bearer error="invalid_token"\x01, error="<x-evil>"',
        'Bearer error="invalid_token', `Bearer ${'x,'.repeat(1000)}`,
        'Bearer \x01error="insufficient_scope"\x7f', ',,,=,"', '"\\']) {
        s.api.answer = () => ({ status: 401,
            headers: { 'WWW-Authenticate': value } });
        const [answer] = await s.line.askAll([request('/api/x',
            [...kScript, `Cookie: ${cookie}`])]);

        assert.equal(answer.status, 401);
        assert.deepEqual(valuesOf(answer, 'www-authenticate'), [value]);
    }
    s.api.answer = () => ({});
});
