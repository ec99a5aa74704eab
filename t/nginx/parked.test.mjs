// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A request that waits for new tokens: what its client does meanwhile (sends
// the body, sends the next request, leaves, half leaves), what NGINX does (a
// reload), and that each request goes on with its own person's token, whole,
// once, or not at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, kKey } from '../lib/checks.mjs';
import { KeepAlive } from '../lib/keep_alive.mjs';
import { connect, exchange, readUntil } from '../lib/raw.mjs';
import { RawHttp2 } from '../lib/raw_http2.mjs';
import { stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        refresh_before 0s;
    }

    server {
        listen ${at.tls('main', 'http2')};
        listen ${at.plain('plain')};
        server_name shop.test;
        client_max_body_size 4m;
        client_body_buffer_size 1k;
        keepalive_requests 10000;

        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /file/ {
            bff corp;
            client_body_in_file_only clean;
            proxy_pass http://${api.address};
        }
        location /unbuffered/ {
            bff corp;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_pass http://${api.address};
        }
        location /socket/ {
            bff corp;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_pass http://${api.address};
        }
        location /checked-all/ {
            bff corp;
            auth_request /check-200;
            proxy_pass http://${api.address};
        }
        location /checked-any/ {
            bff corp;
            satisfy any;
            auth_request /check-401;
            auth_basic realm;
            auth_basic_user_file ${at.file('users', '')};
            deny all;
            proxy_pass http://${api.address};
        }
        location = /check-200 { internal; return 200; }
        location = /check-401 { internal; return 401; }
        location /bff/ {
            bff_endpoints corp;
            client_body_in_file_only clean;
        }
    }
`);

// Somebody whose access token lives so long; those after it live an hour.
async function loggedIn(seconds = 3600) {
    s.op.expiresIn = seconds;
    const b = s.browser();
    await b.login('/');
    s.op.expiresIn = 3600;
    s.op.requests = [];
    return { b, bearer: `Bearer ${s.op.tokens.access_token}`,
        cookie: b.jar.header(new URL(b.origin)) };
}

// Runs while() as soon as the request that begin() sends waits for its tokens.
async function parked(begin, meanwhile) {
    const waiting = [];
    s.api.requests = [];
    s.op.wire.token = (...args) => waiting.push(args);
    const begun = begin();
    await until('the refresh', () => waiting.length === 1);
    assert.deepEqual(s.api.requests, [], 'went on before its token came');

    try {
        await meanwhile?.();
    } finally {
        s.op.wire.token = wire.plain;
        waiting.forEach((args) => wire.plain(...args));
    }
    return begun;
}

const newBearer = () => `Bearer ${s.op.tokens.access_token}`;

const head = (path, person, ...lines) => [`GET ${path} HTTP/1.1`,
    'Host: shop.test', 'X-CSRF: 1', ...(person ? [`Cookie: ${person.cookie}`]
        : []), ...lines, '', ''].join('\r\n');

const post = (...args) => head(...args).replace(/^GET/, 'POST');

test('a pipeline: who comes behind one that waits gets his own token',
    async () => {
        const [one, two] = [await loggedIn(0), await loggedIn()];
        const text = await parked(() => exchange(s.at.port(),
            head('/api/1', one) + head('/api/2', two) + head('/api/3')
            + head('/api/4', one) + head('/bff/session', two)
            + head('/api/5', two, 'Connection: close'), 'shop.test'));

        assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)/g)]
            .map((m) => m[1]), ['200', '200', '401', '200', '200', '200']);
        assert.deepEqual(s.api.requests.map((r) =>
            [r.target, r.all('authorization')]), [
            ['/api/1', [newBearer()]], ['/api/2', [two.bearer]],
            ['/api/4', [newBearer()]], ['/api/5', [two.bearer]]]);
        assert.notEqual(newBearer(), one.bearer);
        assert.equal(s.op.calls('token').length, 1);
    });

// [what, where, framing, what is sent before and while it waits]
const kBody = 'x'.repeat(1 << 20);
const chunked = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;
const kBodies = ['/api/x', '/file/x', '/unbuffered/x'].flatMap((path) => [
    [`${path}: a body that was there before`, path,
        [`Content-Length: ${kBody.length}`], kBody, ''],
    [`${path}: a body that comes meanwhile`, path,
        [`Content-Length: ${kBody.length}`], kBody.slice(0, 5), kBody.slice(5)],
    [`${path}: chunks`, path, ['Transfer-Encoding: chunked'],
        chunked(kBody.slice(0, 5)), `${chunked(kBody.slice(5))}0\r\n\r\n`],
]);

for (const [what, path, framing, before, meanwhile] of kBodies) {
    test(`while a request waits, ${what}`, async () => {
        const person = await loggedIn(0);
        const client = new KeepAlive(s.at.port(), 'shop.test');
        const answer = await parked(() => client.ask(
            post(path, person, ...framing) + before),
        () => { client.write(meanwhile); });

        assert.equal(answer.status, 200);
        assert.deepEqual(s.api.requests.map((r) => [r.all('authorization'),
            r.body === kBody, r.all('cookie')]), [[[newBearer()], true, []]]);
        assert.equal((await client.get('/')).body, 'home');
        client.close();
    });
}

test('while a request waits, its client waits for 100 Continue', async () => {
    const person = await loggedIn(0);
    const socket = connect(s.at.port(), 'shop.test');
    const text = parked(() => readUntil(socket, /"target"/), () => {});
    socket.write(post('/api/x', person, 'Expect: 100-continue',
        'Content-Length: 4'));
    await readUntil(socket, /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    socket.write('body');

    assert.match(await text, /HTTP\/1\.1 200 /);
    assert.deepEqual(s.api.requests.map((r) => [r.all('authorization'), r.body]),
        [[[newBearer()], 'body']]);
    socket.destroy();
});

// [how, what the client does]
const kLeaves = [
    ['with a reset', (socket) => socket.resetAndDestroy()],
    ['in good order', (socket) => socket.destroy()],
    ['half', (socket) => socket.end()],
];

for (const [how, leave] of kLeaves) {
    test(`RT-5: a client that leaves ${how} costs nobody the new tokens`,
        async () => {
            const person = await loggedIn(0);
            const socket = connect(s.at.port('plain'));
            const gone = new Promise((resolve) => socket.on('close', resolve));
            socket.on('error', () => {});
            socket.resume();
            await parked(() => socket.write(head('/api/left', person)),
                async () => {
                    leave(socket);
                    await gone;
                });

            // without another refresh: it was used by then
            const answer = await person.b.api('/api/next');
            assert.equal(answer.status, 200, answer.body);
            assert.deepEqual(s.api.requests.map((r) => [r.target,
                r.all('authorization')]), [['/api/next', [newBearer()]]]);
            assert.equal(s.op.calls('token').length, 1);
        });
}

for (const path of ['/checked-all/x', '/checked-any/x']) {
    test(`${path}: other checks before, and one wait`, async () => {
        const person = await loggedIn(0);
        const answer = await parked(() => person.b.api(path));

        assert.equal(answer.status, 200, answer.body);
        assert.deepEqual(s.api.requests.map((r) => r.all('authorization')),
            [[newBearer()]]);
        assert.equal((await s.browser().api(path)).status, 401);
    });
}

test('an upgrade that waits keeps what was sent behind it', async () => {
    const person = await loggedIn(0);
    const socket = connect(s.at.port(), 'shop.test');
    const text = await parked(() => {
        const answer = readUntil(socket, /first second third/);
        socket.write(head('/socket/x', person, `Origin: ${person.b.origin}`,
            'Upgrade: echo', 'Connection: Upgrade')
            .replace('Host: shop.test', `Host: ${new URL(person.b.origin).host}`)
            + 'first ');
        return answer;
    }, () => { socket.write('second '); socket.write('third'); });
    socket.destroy();

    assert.match(text, /^HTTP\/1\.1 101 /);
    assert.match(text, /Set-Cookie: __Host-Http-bff-corp=/);
    assert.deepEqual(s.api.requests.map((r) => r.all('authorization')),
        [[newBearer()]]);
});

test('a reload while a request waits: it ends as if there were none',
    async () => {
        const person = await loggedIn(0);
        const client = new KeepAlive(s.at.port(), 'shop.test');
        const before = s.nginx.workers();
        let reloaded;
        const answer = await parked(() => client.get('/api/x',
            ['X-CSRF: 1', `Cookie: ${person.cookie}`]), async () => {
            reloaded = s.nginx.reload();
            await until('the new worker', () => s.nginx.workers()
                .some((pid) => !before.includes(pid)));
            assert.equal((await s.browser().request('/')).body, 'home');
        });

        assert.equal(answer.status, 200, answer.body);
        assert.deepEqual(s.api.requests.map((r) => r.all('authorization')),
            [[newBearer()]]);
        await reloaded;
        const next = await person.b.api('/api/next');
        assert.equal(next.status, 200);
        assert.deepEqual(s.api.last.all('authorization'), [newBearer()]);
        assert.equal(s.op.calls('token').length, 1);
    });

// --- what the API says of caches, when new cookies ride on its answer ---

// [what it says, what the browser is told]
const kSaid = [
    [null, 'private'],
    ['public', 'private, private'],
    ['public, max-age=60', 'max-age=60, private'],
    ['max-age=60, PUBLIC, s-maxage=90', 'max-age=60, private'],
    ['no-store', 'no-store, private'],
    ['no-cache="set-cookie, public"', 'no-cache="set-cookie, public", private'],
];

for (const [said, told] of kSaid) {
    test(`RT-8: new cookies are for one browser, with ${said}`, async () => {
        const [one, two] = [await loggedIn(0), await loggedIn()];
        s.api.answer = () => ({ headers: said ? { 'Cache-Control': said } : {} });
        const answers = [await one.b.api('/api/x'), await two.b.api('/api/x')];
        s.api.answer = () => ({});

        assert.ok(answers[0].setCookies.length > 0);
        assert.equal(answers[0].headers['cache-control'], told);
        // and without new cookies it is the API's own affair
        assert.deepEqual(answers[1].setCookies, []);
        assert.equal(answers[1].headers['cache-control'], said ?? undefined);
    });
}

// --- HTTP/2 by hand ---

const fields = (path, person, ...more) => [[':method', 'GET'],
    [':scheme', 'https'], [':path', path], [':authority', 'shop.test'],
    ['x-csrf', '1'], ...(person ? [['cookie', person.cookie]] : []), ...more];

const posting = (...args) => [[':method', 'POST'], ...fields(...args).slice(1)];

async function overHttp2(act) {
    const h2 = new RawHttp2(s.at.port(), 'shop.test');
    try {
        await act(h2);
    } finally {
        h2.close();
    }
}

test('HTTP/2: header and body in frames of one octet', () =>
    overHttp2(async (h2) => {
        const person = await loggedIn();
        s.api.requests = [];
        const stream = h2.begin(posting('/api/x', person,
            ['authorization', 'Bearer mine'], ['dpop', 'mine']),
        { size: 1, more: true });
        await h2.body(stream, 'body of some octets', { size: 1 });
        const answer = await h2.answer(stream);

        assert.equal(answer.status, 200, answer.body);
        assert.deepEqual(s.api.requests.map((r) => [r.body,
            r.all('authorization'), r.all('dpop'), r.all('cookie')]),
        [['body of some octets', [person.bearer], [], []]]);
    }));

test('HTTP/2: a cookie in pieces, each a field of its own', () =>
    overHttp2(async (h2) => {
        const person = await loggedIn();
        s.api.requests = [];
        const pieces = ['a=1', ...person.cookie.split('; '), 'b=2']
            .map((piece) => ['cookie', piece]);
        const answer = await h2.answer(h2.begin(
            [...fields('/api/x'), ...pieces], { size: 1 }));

        assert.equal(answer.status, 200, answer.body);
        assert.deepEqual(s.api.requests.map((r) => r.all('cookie')),
            [['a=1; b=2']]);
    }));

test('HTTP/2: what comes as a trailer is no header', () =>
    overHttp2(async (h2) => {
        const person = await loggedIn();
        s.api.requests = [];
        const stream = h2.begin(posting('/api/x'), { more: true });
        await h2.body(stream, 'body', { more: true });
        h2.headers(stream, [['cookie', person.cookie], ['x-csrf', '1'],
            ['authorization', 'Bearer mine']]);
        await h2.answer(stream);

        assert.deepEqual(s.api.requests.map((r) => r.all('authorization')), []);
        assert.equal((await person.b.api('/api/y')).status, 200);
    }));

// Pseudo-headers and names that HTTP/2 forbids: [what, fields, reaches the API]
const kForbidden = [
    ['an upper-case name', (f) => [...f, ['Authorization', 'Bearer mine']]],
    ['a doubled :path', (f) => [...f.slice(0, 3), [':path', '/open'],
        ...f.slice(3)]],
    ['a doubled :authority', (f) => [...f.slice(0, 4),
        [':authority', 'evil.test'], ...f.slice(4)]],
    ['a :path behind the header', (f) => [...f, [':path', '/open']]],
    ['an unknown pseudo-header', (f) => [[':x', '1'], ...f]],
    ['a :method with a space', (f) => [[':method', 'GET /x'], ...f.slice(1)]],
    ['a :path with a line end', (f) => [...f.slice(0, 2),
        [':path', '/api/x\r\nAuthorization: Bearer mine'], ...f.slice(3)]],
    ['a value with a line end', (f) => [...f,
        ['x-a', '1\r\nAuthorization: Bearer mine']]],
    ['a value with NUL', (f) => [...f, ['x-a', '1\0']]],
    ['a name with a line end', (f) => [...f,
        ['x-a: 1\r\nauthorization', 'Bearer mine']]],
    ['a :path of another host', (f) => [...f.slice(0, 2),
        [':path', 'https://evil.test/api/x'], ...f.slice(3)]],
    ['no :path', (f) => [...f.slice(0, 2), ...f.slice(3)]],
    ['an empty :path', (f) => [...f.slice(0, 2), [':path', ''],
        ...f.slice(3)]],
];

for (const [what, change] of kForbidden) {
    test(`BFF-15: HTTP/2: ${what} adds nothing to what is sent`, () =>
        overHttp2(async (h2) => {
            const person = await loggedIn();
            s.api.requests = [];
            await h2.answer(h2.begin(change(fields('/api/x', person))));

            s.api.requests.forEach((r) => {
                assert.equal(r.target, '/api/x');
                assert.deepEqual(r.all('authorization'), [person.bearer]);
                assert.equal(r.header('host'), s.api.address);
            });
        }));
}

test('HTTP/2: Transfer-Encoding, Connection and Upgrade frame nothing', () =>
    overHttp2(async (h2) => {
        const person = await loggedIn();
        s.api.requests = [];
        const stream = h2.begin(posting('/api/x', person,
            ['transfer-encoding', 'chunked'], ['connection', 'keep-alive'],
            ['content-length', '4']), { more: true });
        await h2.body(stream, '0\r\n\r\nGET /api/smuggled HTTP/1.1\r\n\r\n');
        await h2.answer(stream);

        assert.ok(s.api.requests.every((r) => r.target === '/api/x'));
    }));

test('HTTP/2: streams of one connection, one of them waiting', () =>
    overHttp2(async (h2) => {
        const [one, two] = [await loggedIn(0), await loggedIn()];
        const answers = [];
        await parked(() => answers.push(h2.answer(
            h2.begin(posting('/api/one', one, ['x-a', '1']), { more: true }))),
        async () => {
            await h2.body(1, kBody.slice(0, 1000), { more: true, size: 100 });
            for (let i = 0; i < 60; i++) {
                const person = [two, undefined][i % 2];
                answers.push(h2.answer(
                    h2.begin(fields(`/api/${i}`, person), { size: 7 })));
            }
            await Promise.all(answers.slice(1));
            s.api.requests.forEach((r) =>
                assert.deepEqual(r.all('authorization'), [two.bearer]));
        });
        await h2.body(1, kBody.slice(1000));
        const statuses = (await Promise.all(answers)).map((a) => a.status);

        assert.deepEqual(statuses, [200,
            ...Array.from({ length: 60 }, (_, i) => [200, 401][i % 2])]);
        assert.deepEqual(s.api.last.all('authorization'), [newBearer()]);
        assert.equal(s.api.last.body, kBody);
        assert.equal(s.api.requests.length, 31);
    }));

test('RT-5: HTTP/2: a stream that is reset while it waits', () =>
    overHttp2(async (h2) => {
        const person = await loggedIn(0);
        await parked(() => h2.begin(posting('/api/left', person),
            { more: true }), async () => {
            h2.reset(1);
            // behind it in the same connection, so it is read by then
            assert.equal((await h2.answer(h2.begin(fields('/')))).body, 'home');
        });

        const answer = await h2.answer(h2.begin(fields('/api/next', person)));
        assert.equal(answer.status, 200);
        assert.deepEqual(s.api.requests.map((r) => [r.target,
            r.all('authorization')]), [['/api/next', [newBearer()]]]);
        assert.equal(s.op.calls('token').length, 1);
    }));

// --- bodies of endpoints ---

const kLarge = JSON.stringify({ returnUrl: `/${'x'.repeat(20000)}` });
const kSmall = JSON.stringify({ returnUrl: '/small' });
const kJson = 'Content-Type: application/json';

// [what, framing, body]
const kFramed = [
    ['Content-Length', (text) => [`Content-Length: ${text.length}`],
        (text) => text],
    ['chunks', () => ['Transfer-Encoding: chunked'],
        (text) => `${chunked(text.slice(0, 9))}${chunked(text.slice(9))}`
            + '0\r\nX-Trailer: 1\r\n\r\n'],
    ['100-continue', (text) => ['Expect: 100-continue',
        `Content-Length: ${text.length}`], (text) => text],
];

for (const [what, framing, frame] of kFramed) {
    test(`endpoints: a body of 16 KiB at most, by ${what}`, async () => {
        const client = new KeepAlive(s.at.port(), 'shop.test');
        const ask = (text) => client.ask(post('/bff/login', null, kJson,
            ...framing(text)) + frame(text));

        assert.equal((await ask(kSmall)).status, 200);
        const large = await ask(kLarge);
        assert.equal(large.status, 413);
        assert.equal(JSON.parse(large.body).code, 'bad_request');
        assert.equal((await ask(kSmall)).status, 200);
        client.close();
    });
}

test('endpoints: a body that comes octet by octet, over either HTTP', () =>
    overHttp2(async (h2) => {
        const socket = connect(s.at.port(), 'shop.test');
        socket.setNoDelay(true);
        const text = readUntil(socket, /authorization_url/);
        for (const octet of post('/bff/login', null, kJson,
            `Content-Length: ${kSmall.length}`) + kSmall) {
            await new Promise((resolve) => socket.write(octet, resolve));
        }
        assert.match(await text, /^HTTP\/1\.1 200 /);
        socket.destroy();

        for (const [body, status] of [[kSmall, 200], [kLarge, 413]]) {
            const stream = h2.begin(posting('/bff/login', null,
                ['content-type', 'application/json']), { more: true, size: 1 });
            await h2.body(stream, body, { size: body === kSmall ? 1 : 500 });
            assert.equal((await h2.answer(stream)).status, status);
        }
    }));

test('endpoints: compressed bodies are not read as if they were not',
    async () => {
        const answer = await s.browser().api('/bff/login', { method: 'POST',
            body: '\x1f\x8b\x08', headers: { 'Content-Encoding': 'gzip',
                'Content-Type': 'application/json' } });
        assertProblem(answer, 400, 'bad_request');
    });
