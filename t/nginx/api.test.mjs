// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What the API gets: the request as it came, octet by octet, with exactly one
// Authorization of the module's and without the module's cookies.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Http2 } from '../lib/browser.mjs';
import { kKey } from '../lib/checks.mjs';
import { connect, exchange, parseAnswer, readUntil } from '../lib/raw.mjs';
import { stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    upstream kept {
        server ${api.address};
        keepalive 4;
    }

    map $http_upgrade $connection_upgrade { default upgrade; '' close; }

    server {
        listen ${at.tls('main', 'http2')};
        server_name shop.test;
        client_max_body_size 8m;

        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /plain/ { proxy_pass http://${api.address}; }

        location /kept/ {
            bff corp;
            proxy_pass http://kept;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }

        location /ws/ {
            bff corp;
            proxy_pass http://${api.address};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
        }

        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }

        location /unbuffered/ {
            bff corp;
            proxy_pass http://${api.address};
            proxy_request_buffering off;
            proxy_http_version 1.1;
        }
    }
`);

async function loggedIn() {
    const b = s.browser();
    await b.login('/');
    return { b, bearer: `Bearer ${s.op.tokens.access_token}`,
        cookie: b.jar.header(new URL(b.origin)) };
}

function without(lines, ...names) {
    return lines.filter((line) =>
        !names.includes(line.split(':')[0].toLowerCase()));
}

test('BFF-20: the request is the one NGINX would send, plus one header',
    async () => {
        const { b, bearer } = await loggedIn();
        const headers = { 'X-Mixed-Case': 'a  b', Accept: 'x/y', 'X-Twice':
            ['1', '2'], 'User-Agent': 'test', 'X-Empty': '' };

        await b.api('/plain/a%20b/../c?d=%2F&e', { headers, cookies: false,
            rawTarget: '/plain/a%20b/c?d=%2F&e' });
        const plain = s.api.last;
        await b.api('/api/x', { headers,
            rawTarget: '/api/a%20b/c?d=%2F&e' });
        const ours = s.api.last;

        assert.equal(ours.raw.split('\r\n')[0],
            plain.raw.split('\r\n')[0].replace('/plain/', '/api/'));
        assert.deepEqual(without(ours.lines, 'authorization'), plain.lines);
        assert.deepEqual(ours.all('authorization'), [bearer]);
    });

// [what, the cookies of the client, what the API must get]
const kCookies = [
    ['ours alone', (c) => c, undefined],
    ['ours first', (c) => `${c}; a=1`, 'a=1'],
    ['ours last', (c) => `a=1; ${c}`, 'a=1'],
    ['ours between', (c) => `a=1; ${c}; b="x y"; c`, 'a=1; b="x y"; c'],
    ['odd ones keep every octet', (c) => `a=1;b=2;  c = 3 ; ${c}; =v; d=e=f; é=ü`,
        'a=1;b=2;  c = 3 ; =v; d=e=f; é=ü'],
    ['similar names stay', (c) => `${c}; __Host-Http-bff-corporate=1; `
        + '__host-http-bff-corp=2; x__Host-Http-bff-corp=3',
    '__Host-Http-bff-corporate=1; __host-http-bff-corp=2; '
        + 'x__Host-Http-bff-corp=3'],
];

for (const [what, make, expected] of kCookies) {
    test(`BFF-20: cookies of others pass unchanged: ${what}`, async () => {
        const { b, bearer, cookie } = await loggedIn();
        const answer = await b.api('/api/x', {
            cookies: Buffer.from(make(cookie)).toString('latin1') });

        assert.equal(answer.status, 200, answer.body);
        assert.equal(s.api.last.header('cookie'), expected === undefined
            ? undefined : Buffer.from(expected).toString('latin1'));
        assert.ok(s.api.last.all('cookie').length <= 1);
        assert.deepEqual(s.api.last.all('authorization'), [bearer]);
    });
}

test('BFF-20: the cookie of a login under way does not pass either', async () => {
    const { b, bearer } = await loggedIn();
    await b.startLogin();
    b.jar.set('own=1; Path=/', new URL(b.origin));
    assert.equal((await b.api('/api/x')).status, 200);
    assert.equal(s.api.last.header('cookie'), 'own=1');
    assert.deepEqual(s.api.last.all('authorization'), [bearer]);
});

test('CK-12: Cookie in several lines, ours in any of them', async () => {
    const { b, bearer, cookie } = await loggedIn();

    for (const lines of [['a=1', cookie, 'b=2'], [cookie, 'a=1', 'b=2'],
        ['a=1', 'b=2', cookie], [`a=1; ${cookie}`, 'b=2']]) {
        const answer = await b.api('/api/x', { cookies: false,
            headers: { Cookie: lines } });
        assert.equal(answer.status, 200, answer.body);
        assert.equal(s.api.last.all('cookie').join('; '), 'a=1; b=2');
        assert.deepEqual(s.api.last.all('authorization'), [bearer]);
    }
});

test('BFF-20: the client\'s own Authorization and DPoP never pass', async () => {
    const { b, bearer } = await loggedIn();
    await b.api('/api/x', { headers: { Authorization: 'Bearer mine',
        DPoP: 'proof', 'X-After': 'still here' } });
    assert.deepEqual(s.api.last.all('authorization'), [bearer]);
    assert.deepEqual(s.api.last.all('dpop'), []);
    assert.equal(s.api.last.header('x-after'), 'still here');
});

test('BFF-20: without a session they do not pass either', async () => {
    const answer = await s.browser().api('/pass/x', { headers: {
        Authorization: 'Basic bWluZQ==', DPoP: 'proof', 'X-After': '1' } });
    assert.equal(answer.status, 200, answer.body);
    assert.deepEqual(s.api.last.all('authorization'), []);
    assert.deepEqual(s.api.last.all('dpop'), []);
    assert.equal(s.api.last.header('x-after'), '1');
});

test('sixty headers pass, whatever stands among them', async () => {
    const { b, bearer } = await loggedIn();

    for (const count of [1, 17, 18, 19, 20, 21, 38, 60]) {
        const headers = { Authorization: 'Bearer mine' };
        for (let i = 0; i < count; i++) {
            headers[`X-${i}`] = `${i}`;
        }

        await b.api('/api/x', { headers });
        const got = s.api.last;
        assert.deepEqual(got.all('authorization'), [bearer]);
        assert.ok(!got.lines.includes(': '), got.raw);
        for (let i = 0; i < count; i++) {
            assert.equal(got.header(`x-${i}`), `${i}`, `of ${count}`);
        }
    }
});

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    test(`${method} keeps its body`, async () => {
        const { b, bearer } = await loggedIn();
        const body = JSON.stringify({ method, text: 'ä'.repeat(50) });
        const answer = await b.api('/api/x', { method, body, headers: {
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(body) } });

        assert.equal(answer.status, 200, answer.body);
        assert.equal(s.api.last.method, method);
        assert.equal(s.api.last.body, body);
        assert.deepEqual(s.api.last.all('authorization'), [bearer]);
    });
}

test('a body in chunks, and one of a megabyte, arrive whole', async () => {
    const { b } = await loggedIn();
    const body = 'x'.repeat(1 << 20);

    for (const path of ['/api/x', '/unbuffered/x']) {
        await b.api(path, { method: 'POST', body: 'abc',
            headers: { 'Transfer-Encoding': 'chunked' } });
        assert.equal(s.api.last.body, 'abc');
        await b.api(path, { method: 'POST', body,
            headers: { 'Content-Length': body.length } });
        assert.equal(s.api.last.body, body);
    }
});

test('HEAD and OPTIONS reach the API with the token', async () => {
    const { b, bearer } = await loggedIn();

    for (const method of ['HEAD', 'OPTIONS']) {
        assert.equal((await b.api('/api/x', { method })).status, 200);
        assert.equal(s.api.last.method, method);
        assert.deepEqual(s.api.last.all('authorization'), [bearer]);
    }
});

test('what the API answers comes back unchanged', async () => {
    const { b } = await loggedIn();
    s.api.answer = () => ({ status: 418, body: 'short and stout', headers: {
        'Content-Type': 'text/plain', 'Set-Cookie': 'api=1; Path=/',
        'X-Api': 'yes', 'WWW-Authenticate': 'Bearer error="x"' } });
    const answer = await b.api('/api/x');
    s.api.answer = () => ({});

    assert.equal(answer.status, 418);
    assert.equal(answer.body, 'short and stout');
    assert.equal(answer.headers['x-api'], 'yes');
    assert.equal(answer.headers['www-authenticate'], 'Bearer error="x"');
    assert.deepEqual(answer.setCookies, ['api=1; Path=/']);
});

test('HTTP/1.0 works', async () => {
    const { cookie, bearer } = await loggedIn();
    const text = await exchange(s.at.port('main'), 'GET /api/old HTTP/1.0\r\n'
        + `Host: shop.test\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\n\r\n`,
    'shop.test');
    assert.equal(parseAnswer(text).status, 200, text);
    assert.deepEqual(s.api.last.all('authorization'), [bearer]);
});

test('HTTP/0.9 is refused and nothing goes upstream', async () => {
    const seen = await s.api.during(async () => {
        const text = await exchange(s.at.port('main'), 'GET /api/old\r\n',
            'shop.test');
        assert.doesNotMatch(text, /"target"/);
        const pass = await exchange(s.at.port('main'), 'GET /pass/old\r\n',
            'shop.test');
        assert.doesNotMatch(pass, /"target"/);
    });
    assert.deepEqual(seen, []);
});

test('HTTP/2 works, cookies in fields of their own, bodies too', async () => {
    const { b, bearer, cookie } = await loggedIn();
    const h2 = new Http2(b.origin);
    const headers = { 'x-csrf': '1', cookie: ['a=1', cookie, 'b=2'],
        authorization: 'Bearer mine' };

    const answers = await Promise.all([
        h2.ask('/api/two', headers),
        h2.ask('/api/two', { ...headers, ':method': 'POST' }, 'body of two'),
        h2.ask('/api/two', { 'x-csrf': '1' }),
        h2.ask('/api/two', { ...headers, ':method': 'POST', cookie: 'a=1' },
            'x'.repeat(100000)),
    ]);
    await h2.close();

    assert.deepEqual(answers.map((a) => a.status), [200, 200, 401, 401]);
    const got = s.api.requests.filter((r) => r.target === '/api/two');
    assert.deepEqual(got.map((r) => r.body).sort(), ['', 'body of two']);
    got.forEach((r) => {
        assert.deepEqual(r.all('authorization'), [bearer]);
        assert.equal(r.header('cookie'), 'a=1; b=2');
    });
});

test('keep-alive to the API: one connection, each request its own token',
    async () => {
        const one = await loggedIn();
        const two = await loggedIn();
        const seen = await s.api.during(async () => {
            for (const { b } of [one, two, one, two]) {
                assert.equal((await b.api('/kept/x')).status, 200);
            }
        });

        assert.deepEqual(seen.map((r) => r.header('authorization')),
            [one.bearer, two.bearer, one.bearer, two.bearer]);
        assert.equal(new Set(seen.map((r) => r.connection)).size, 1);
    });

test('keep-alive and pipelining of a client: each request stands alone',
    async () => {
        const { cookie, bearer } = await loggedIn();
        const request = (path, lines) => `GET ${path} HTTP/1.1\r\n`
            + `Host: shop.test\r\nX-CSRF: 1\r\n${lines}\r\n`;
        const mine = `Cookie: ${cookie}\r\n`;
        let text;
        const seen = await s.api.during(async () => {
            text = await exchange(s.at.port('main'),
                request('/api/1', mine) + request('/api/2', '')
                + request('/pass/3', '') + request('/api/4', mine)
                + request('/bff/session', 'Connection: close\r\n'), 'shop.test');
        });

        assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)/g)]
            .map((m) => m[1]), ['200', '401', '200', '200', '200']);
        assert.deepEqual(seen.map((r) => [r.target, r.header('authorization')]),
            [['/api/1', bearer], ['/pass/3', undefined], ['/api/4', bearer]]);
    });

test('a refused POST does not confuse what follows on its connection',
    async () => {
        const text = await exchange(s.at.port('main'),
            'POST /api/x HTTP/1.1\r\nHost: shop.test\r\nX-CSRF: 1\r\n'
            + 'Content-Length: 31\r\n\r\nGET /api/smuggled HTTP/1.1\r\n\r\n '
            + 'GET /bff/session HTTP/1.1\r\nHost: shop.test\r\n'
            + 'Connection: close\r\n\r\n', 'shop.test');
        assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)/g)]
            .map((m) => m[1]), ['401', '200'], text);
        assert.match(text, /"authenticated":\s*false/);
    });

test('an upgrade carries the token and then both directions', async () => {
    const { b, cookie, bearer } = await loggedIn();
    const socket = connect(s.at.port('main'), 'shop.test');
    socket.write('GET /ws/echo HTTP/1.1\r\nHost: '
        + `${new URL(b.origin).host}\r\nOrigin: ${b.origin}\r\n`
        + 'Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: websocket\r\n'
        + `Cookie: ${cookie}; a=1\r\n`
        + 'Upgrade: echo\r\nConnection: Upgrade\r\n\r\nhello echo');
    const text = await readUntil(socket, /hello echo/);
    socket.destroy();

    assert.match(text, /^HTTP\/1\.1 101 /);
    assert.deepEqual(s.api.last.all('authorization'), [bearer]);
    assert.equal(s.api.last.header('cookie'), 'a=1');
});

test('an upgrade without a session is 401 and reaches nobody', async () => {
    const seen = await s.api.during(async () => {
        const answer = await s.browser().api('/ws/echo', { headers: {
            Upgrade: 'echo', Connection: 'Upgrade' } });
        assert.equal(answer.status, 401);
    });
    assert.deepEqual(seen, []);
});

test('a token as large as fits reaches the API whole', async () => {
    s.op.accessToken = () => `at-${'0123456789abcdef'.repeat(128)}`;
    const { b, bearer } = await loggedIn();
    assert.equal((await b.api('/api/x')).status, 200);
    assert.deepEqual(s.api.last.all('authorization'), [bearer]);
});

test('BFF-15: what is in the target never changes who gets the token',
    async () => {
        const { cookie, bearer } = await loggedIn();
        const targets = ['/api/../api/x', '/api//evil.test/', '/api/%2e%2e/x',
            '//evil.test/api/x', 'http://evil.test/api/x',
            '/api/x?url=http://evil.test/', '/api/@evil.test'];

        for (const target of targets) {
            await exchange(s.at.port('main'), `GET ${target} HTTP/1.1\r\n`
                + 'Host: shop.test\r\nX-Forwarded-Host: evil.test\r\n'
                + `X-CSRF: 1\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
            'shop.test');
        }

        const given = s.api.requests
            .filter((r) => r.header('authorization') === bearer);
        assert.notEqual(given.length, 0);
        given.forEach((r) => assert.equal(r.header('host'), s.api.address));
    });
