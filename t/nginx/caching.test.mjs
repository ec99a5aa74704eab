// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What was answered to one person's token is kept for nobody, whichever part
// of NGINX asked: the request itself, an SSI part, a slice, an update in the
// background, or proxy_store. Answers to nobody's token are kept as ever.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { connect, readUntil } from '../lib/raw.mjs';
import { stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const kGateways = {
    fastcgi: {
        isWhole: (bytes) => bytes.subarray(-8).equals(record(5, '')),
        answer: (whose) => Buffer.concat([
            record(6, `Cache-Control: public\r\n\r\n${whose}`), record(6, ''),
            record(3, '\0\0\0\0\0\0\0\0')]),
    },
    uwsgi: {
        isWhole: (bytes) => bytes.length >= 4
            && bytes.length >= 4 + bytes.readUInt16LE(1),
        answer: (whose) => `HTTP/1.1 200 OK\r\n\r\n${whose}`,
    },
    scgi: {
        isWhole: (bytes) => bytes.at(-1) === 0x2c, // a netstring's end
        answer: (whose) => `Status: 200 OK\r\n\r\n${whose}`,
    },
};

// Of FastCGI: version, type, request 1, length, no padding.
function record(type, text) {
    const head = Buffer.from([1, type, 0, 1, 0, 0, 0, 0]);
    head.writeUInt16BE(text.length, 4);
    return Buffer.concat([head, Buffer.from(text, 'latin1')]);
}

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    proxy_cache_path ${at.prefix}/cache keys_zone=cache:1m;
    ${Object.keys(kGateways).map((kind) => `${kind}_cache_path
        ${at.prefix}/${kind} keys_zone=${kind}:1m;`).join('')}

    server {
        listen ${at.tls()};
        root ${at.prefix}/www;
        proxy_cache_key $uri$slice_range;
        proxy_cache_valid any 1h;
        add_header X-Cache $upstream_cache_status always;

        location / { return 200 home; }
        location /ssi/ { bff corp; ssi on; ssi_types *; }
        location /part/ {
            bff corp;
            proxy_cache cache;
            proxy_pass http://${api.address};
        }
        location /sliced/ {
            bff corp;
            slice 10;
            proxy_set_header Range $slice_range;
            proxy_http_version 1.1;
            proxy_cache cache;
            proxy_pass http://${api.address};
        }
        location /stale/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_cache cache;
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
            proxy_pass http://${api.address};
        }
        location /hard/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_cache cache;
            proxy_cache_methods GET HEAD POST;
            proxy_ignore_headers Cache-Control Expires Set-Cookie Vary
                X-Accel-Expires;
            proxy_cache_use_stale error timeout invalid_header updating
                http_500 http_502 http_503 http_504 http_403 http_404 http_429;
            proxy_cache_revalidate on;
            proxy_cache_lock on;
            proxy_cache_lock_timeout 50ms;
            proxy_intercept_errors on;
            error_page 403 404 500 = @hard_error;
            proxy_pass http://${api.address};
        }
        location @hard_error { return 418 "$bff_sub"; }
        location /hard-slow/ {
            bff corp;
            bff_unauthenticated pass;
            client_body_buffer_size 1k;
            proxy_cache cache;
            proxy_cache_methods POST;
            proxy_intercept_errors on;
            error_page 403 /hard-error;
            proxy_pass http://${api.address};
        }
        location = /hard-error { return 418 "an error page"; }
        location /gone/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_cache cache;
            proxy_pass http://127.0.0.1:1; # where nobody listens
        }
        location /fastcgi/ {
            bff corp;
            bff_unauthenticated pass;
            fastcgi_cache fastcgi;
            fastcgi_cache_key $uri;
            fastcgi_cache_valid any 1h;
            fastcgi_ignore_headers Cache-Control;
            fastcgi_pass 127.0.0.1:${at.port('fastcgi')};
        }
        location /uwsgi/ {
            bff corp;
            bff_unauthenticated pass;
            uwsgi_cache uwsgi;
            uwsgi_cache_key $uri;
            uwsgi_cache_valid any 1h;
            uwsgi_pass 127.0.0.1:${at.port('uwsgi')};
        }
        location /scgi/ {
            bff corp;
            bff_unauthenticated pass;
            scgi_cache scgi;
            scgi_cache_key $uri;
            scgi_cache_valid any 1h;
            scgi_pass 127.0.0.1:${at.port('scgi')};
        }
        location /named/ {
            bff corp;
            satisfy any;
            allow all;
            proxy_set_header X-User $bff_sub;
            proxy_cache cache;
            proxy_pass http://${api.address};
        }
        location /checked/ {
            bff corp;
            auth_request /check;
            proxy_cache cache;
            proxy_pass http://${api.address};
        }
        location = /check {
            internal;
            proxy_cache cache;
            proxy_cache_key check;
            proxy_pass http://${api.address};
        }

        location /stored/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_store on;
            proxy_pass http://${api.address};
        }
    }
`, { prepare: async ({ at }) => {
    at.file('www/ssi/page.html', '<!--# include virtual="/part/ssi" -->');
    at.file('www/ssi/stored.html', '<!--# include virtual="/stored/ssi" -->');
    for (const [kind, { isWhole, answer }] of Object.entries(kGateways)) {
        gateways.push(await serve(at.port(kind), isWhole, answer));
    }
}, finish: () => gateways.forEach((server) => server.close()) });

const gateways = [];

// Speaks just enough to say whose token came.
function serve(port, isWhole, answer) {
    const server = net.createServer((socket) => {
        let bytes = Buffer.alloc(0);
        socket.on('error', () => {});
        socket.on('data', (data) => {
            bytes = Buffer.concat([bytes, data]);
            if (isWhole(bytes)) {
                const token = /at-[\w-]{43}/.exec(bytes.toString('latin1'));
                socket.end(answer(token ? `Bearer ${token[0]}` : 'nobody'));
            }
        });
    });
    server.unref();
    return new Promise((resolve) =>
        server.listen(port, '127.0.0.1', () => resolve(server)));
}

async function loggedIn() {
    const b = s.browser();
    await b.login('/');
    return { b, bearer: `Bearer ${s.op.tokens.access_token}` };
}

// Runs act while the API answers each request with answer(whose it is).
async function answering(answer, act) {
    s.api.requests = [];
    s.api.answer = (r) => answer(r.header('authorization') ?? 'nobody', r);

    try {
        await act();
    } finally {
        s.api.answer = () => ({});
    }
}

const kLong = { 'Cache-Control': 'max-age=3600' };

test('SSI: a part that got a token is asked for again each time', () =>
    answering((whose) => ({ body: whose, headers: kLong }), async () => {
        const [one, two] = [await loggedIn(), await loggedIn()];

        for (const { b, bearer } of [one, two, one]) {
            const answer = await b.api('/ssi/page.html');
            assert.equal(answer.body, bearer);
        }
        assert.equal(s.api.requests.length, 3);
    }));

test('an error that one person got is not kept for the next', () =>
    answering((whose, r) => ({ body: whose, headers: kLong,
        status: s.api.requests.indexOf(r) === 0 ? 404 : 200 }), async () => {
        const [one, two] = [await loggedIn(), await loggedIn()];

        assert.equal((await one.b.api('/part/error')).status, 404);
        const answer = await two.b.api('/part/error');
        assert.equal(answer.status, 200);
        assert.equal(answer.body, two.bearer);
    }));

// Thirty octets, of which whose token it is can be seen in every slice.
function sliceOf(whose, range) {
    const whole = whose.slice(-3).repeat(10);
    const [from, to] = range.match(/\d+/g).map(Number);

    return { status: 206, body: whole.slice(from, to + 1), headers: {
        ETag: '"same"', 'Content-Range': `bytes ${from}-${to}/30`, ...kLong } };
}

test('slice: nobody gets a slice of somebody else\'s answer', () =>
    answering((whose, r) => sliceOf(whose, r.header('range')), async () => {
        const [one, two] = [await loggedIn(), await loggedIn()];

        for (const { b, bearer } of [one, two, one]) {
            const answer = await b.api('/sliced/x');
            assert.equal(answer.status, 200, answer.body);
            assert.equal(answer.body, bearer.slice(-3).repeat(10));
        }
        assert.equal(s.api.requests.length, 9);
    }));

// The first answer is kept for a second, all later ones for an hour.
function soonStale(whose, r) {
    const age = s.api.requests.indexOf(r) === 0 ? 1 : 3600;
    return { body: whose, headers: { 'Cache-Control': `max-age=${age}` } };
}

test('an update in the background keeps nothing that a token was for', () =>
    answering(soonStale, async () => {
        const { b, bearer } = await loggedIn();
        const nobody = s.browser();
        const cached = async (browser, status) => {
            const answer = await browser.api('/stale/x');
            return answer.headers['x-cache'] === status && answer;
        };

        assert.equal((await nobody.api('/stale/x')).body, 'nobody');
        await until('a stale answer', () => cached(b, 'STALE'));
        await until('the update with the token', () => s.api.requests
            .some((r) => r.header('authorization') === bearer));

        const kept = await until('a fresh answer', () => cached(nobody, 'HIT'));
        assert.equal(kept.body, 'nobody');
    }));

// The one worker has done with a request when it has answered the next.
async function isStored(name) {
    await s.browser().request('/');
    return fs.existsSync(path.join(s.at.prefix, 'www/stored', name));
}

test('proxy_store keeps an answer to nobody, none to a token', () =>
    answering((whose) => ({ body: whose }), async () => {
        const { b, bearer } = await loggedIn();

        assert.equal((await s.browser().api('/stored/open')).body, 'nobody');
        assert.equal(await isStored('open'), true);
        assert.equal((await b.api('/stored/own')).body, bearer);
        assert.equal(await isStored('own'), false);
    }));

test('proxy_store keeps no SSI part that got a token', () =>
    answering((whose) => ({ body: whose }), async () => {
        const { b, bearer } = await loggedIn();

        assert.equal((await b.api('/ssi/stored.html')).body, bearer);
        assert.equal(await isStored('ssi'), false);
    }));

for (const kind of Object.keys(kGateways)) {
    test(`${kind}_cache keeps nothing that a token was for`, async () => {
        const [one, two] = [await loggedIn(), await loggedIn()];
        const bodies = [];

        for (const browser of [one.b, two.b, s.browser(), one.b]) {
            bodies.push((await browser.api(`/${kind}/${bodies.length < 3
                ? 'x' : 'y'}`)).body);
        }
        assert.deepEqual(bodies,
            [one.bearer, two.bearer, 'nobody', one.bearer]);

        // kept from nobody, for everybody
        const again = await s.browser().api(`/${kind}/x`);
        assert.equal(again.headers['x-cache'], 'HIT');
    });
}

// [what, the first answer, whom it is to, method]
const kFirst = [
    ['a good answer', { status: 200 }],
    ['a forbidden one', { status: 403 }],
    ['what is not there', { status: 404 }],
    ['an error', { status: 500 }],
    ['a redirect', { status: 301, headers: { Location: '/x' } }],
    ['one with a cookie', { status: 200, headers: { 'Set-Cookie': 'a=1' } }],
    ['one to HEAD', { status: 200 }, 'HEAD'],
    ['one to POST', { status: 200 }, 'POST'],
    ['one to a POST that comes slowly', { status: 403 }, 'POST', '/hard-slow/'],
];

for (const [what, first, method = 'GET', path = '/hard/'] of kFirst) {
    test(`CK-29: whatever the API says of it, nobody else gets ${what}`, () =>
        answering((whose, r) => ({ body: whose,
            ...s.api.requests.indexOf(r) === 0 ? first : {},
            headers: { 'Cache-Control': 'public, s-maxage=3600',
                'X-Accel-Expires': '3600', ...first.headers } }), async () => {
            const target = path + encodeURIComponent(what);
            const [one, two] = [await loggedIn(), await loggedIn()];
            await askFirst(one.b, target, method);

            for (const [browser, whose] of [[two.b, two.bearer],
                [one.b, one.bearer], [s.browser(), 'nobody']]) {
                const answer = await browser.api(target,
                    method === 'POST' ? { method } : {});
                assert.equal(answer.body, whose);
                assert.notEqual(answer.headers['x-cache'], 'HIT');
            }
            assert.equal(s.api.requests.length, 4);
        }));
}

// A body that NGINX waits for: what it decides then comes later.
async function askFirst(b, target, method) {
    if (!target.startsWith('/hard-slow/')) {
        await b.api(target, { method });
        return;
    }

    const socket = connect(s.at.port(), 'shop.test');
    const read = readUntil(socket, /an error page/);
    socket.write(`POST ${target} HTTP/1.1\r\nHost: shop.test\r\nX-CSRF: 1\r\n`
        + `Cookie: ${b.jar.header(new URL(b.origin))}\r\n`
        + 'Content-Length: 3000\r\n\r\n');
    await s.browser().request('/'); // the header has been read
    socket.write('x'.repeat(3000));
    await read;
    socket.destroy();
}

test('CK-29: an API that was out of reach for one is asked for the next',
    async () => {
        const { b } = await loggedIn();
        assert.equal((await b.api('/gone/x')).status, 502);
        const answer = await s.browser().api('/gone/x');
        assert.equal(answer.status, 502);
        assert.equal(answer.headers['x-cache'], 'MISS');
    });

test('cache_lock: many at once, each its own answer', () =>
    answering((whose) => ({ body: whose, headers: kLong }), async () => {
        const people = [await loggedIn(), await loggedIn(), await loggedIn()];
        const answers = await Promise.all([...people, ...people].map(({ b }) =>
            b.api('/hard/at-once')));

        assert.deepEqual(answers.map((a) => a.body),
            [...people, ...people].map((p) => p.bearer));
    }));

test('an answer that was made for a name is kept for nobody', () =>
    answering((whose, r) => ({ headers: kLong,
        body: `${whose} ${r.header('x-user')}` }), async () => {
        const { b, bearer } = await loggedIn();
        // a foreign page's request passes here, but not as anybody
        const foreign = { headers: { Origin: 'https://evil.test',
            'Sec-Fetch-Site': 'cross-site' } };

        assert.equal((await b.api('/named/x', foreign)).body,
            'nobody undefined');
        assert.match((await b.api('/named/y')).body, new RegExp(`^${bearer} .`));
        assert.equal((await s.browser().api('/named/y')).body,
            'nobody undefined');
    }));

test('a check that is kept was asked with nobody\'s token', () =>
    answering((whose) => ({ body: whose, headers: kLong }), async () => {
        const [one, two] = [await loggedIn(), await loggedIn()];

        for (const { b, bearer } of [one, two]) {
            assert.equal((await b.api('/checked/x')).body, bearer);
        }
        const checks = s.api.requests.filter((r) => r.target === '/check');
        assert.deepEqual(checks.map((r) => r.all('authorization')), [[]]);
    }));
