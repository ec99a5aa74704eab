// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The test library itself, with a plain NGINX: what the other files lean on.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

import { Browser, Http2 } from '../lib/browser.mjs';
import { CookieJar } from '../lib/cookie_jar.mjs';
import { Dns } from '../lib/dns.mjs';
import { SigningKey, decodeJwt, signJwt, tamper } from '../lib/jose.mjs';
import { Nginx } from '../lib/nginx.mjs';
import { Authority } from '../lib/pki.mjs';
import { Provider } from '../lib/provider.mjs';
import { connect, exchange, parseAnswer, readUntil } from '../lib/raw.mjs';
import { filledIn, kKept, kRefused } from '../lib/return_urls.mjs';
import { Upstream } from '../lib/upstream.mjs';
import { kSite, readingsOf, refreshTarget, whyToKeep, wrongWithKept,
    wrongWithOrigin } from '../lib/whatwg.mjs';
import * as wire from '../lib/wire.mjs';
import crypto from 'node:crypto';
import dns from 'node:dns';

const kUrl = new URL('https://shop.test:1/');

function jarAfter(line, url = kUrl) {
    const jar = new CookieJar();
    jar.set(line, url);
    return jar;
}

test('CK-6: the jar drops a prefixed cookie that lacks an attribute', () => {
    const good = 'a=1; Secure; HttpOnly; Path=/; SameSite=Strict';
    assert.equal(jarAfter(`__Host-Http-${good}`).cookies.length, 1);

    for (const [name, lacks] of [['__Host-Http-', ' HttpOnly;'],
        ['__Host-Http-', ' Secure;'], ['__Host-Http-', ' Path=/;'],
        ['__host-http-', ' HttpOnly;'], ['__Host-', ' Secure;'],
        ['__Secure-', ' Secure;']]) {
        const jar = jarAfter(name + good.replace(lacks, ''));
        assert.equal(jar.cookies.length, 0, `${name} without ${lacks}`);
        assert.equal(jar.ignored.length, 1);
    }

    assert.equal(jarAfter(`__Host-${good}; Domain=shop.test`).cookies.length, 0);
});

test('CK-1: the jar drops what is longer than 4096 octets', () => {
    const line = (n) => `a=${'x'.repeat(n)}; Path=/`;
    assert.equal(jarAfter(line(4095)).cookies.length, 1);
    assert.equal(jarAfter(line(4096)).cookies.length, 0);
});

test('CK-14: Strict stays at home, Lax travels with a navigation', () => {
    const jar = jarAfter('s=1; SameSite=Strict');
    jar.set('l=1; SameSite=Lax', kUrl);
    jar.set('n=1; SameSite=None; Secure', kUrl);

    const names = (context) => jar.header(kUrl, context);
    assert.equal(names({ sameSite: true }), 's=1; l=1; n=1');
    assert.equal(names({ sameSite: false, navigation: true }), 'l=1; n=1');
    assert.equal(names({ sameSite: false, navigation: false }), 'n=1');
});

test('the jar deletes with Max-Age=0 and keeps Secure from http', () => {
    const jar = jarAfter('a=1; Path=/; Secure');
    assert.equal(jar.header(new URL('http://shop.test/')), '');
    jar.set('a=; Path=/; Max-Age=0', kUrl);
    assert.equal(jar.cookies.length, 0);
});

test('every algorithm signs and a tampered token does not verify', () => {
    for (const alg of ['RS256', 'ES256', 'ES512', 'EdDSA']) {
        const key = new SigningKey(alg);
        const jwt = signJwt(key.header(), { sub: 'a' }, key);
        const verify = (t) => crypto.verify(
            { RS256: 'sha256', ES256: 'sha256', ES512: 'sha512' }[alg] ?? null,
            t.slice(0, t.lastIndexOf('.')),
            { key: key.publicKey, dsaEncoding: 'ieee-p1363' },
            Buffer.from(t.split('.')[2], 'base64url'));

        assert.equal(verify(jwt), true, alg);
        assert.equal(verify(tamper(jwt, 1)), false, alg);
        assert.equal(decodeJwt(jwt).payload.sub, 'a');
    }
});

const proxy = (api) => (at) => `
    server {
        listen ${at.tls('main', 'http2')};
        listen ${at.plain('plain')};
        location / { proxy_pass http://${api.address}; }
    }
`;

test('NGINX runs, reloads, loses a worker, stops and leaves nothing', async () => {
    const api = await Upstream.start();
    const nginx = await Nginx.start({ http: proxy(api), module: false });
    const { prefix } = nginx.place;

    try {
        const b = new Browser(`https://shop.test:${nginx.port('main')}`);
        assert.equal((await b.request('/a?b=%20')).json().target, '/a?b=%20');
        assert.match(api.last.raw, /^GET \/a\?b=%20 HTTP\/1\.0\r\nHost: /);

        await nginx.reload();
        await nginx.killWorker();
        assert.equal((await b.request('/', { method: 'POST', body: 'x' })).status,
            200);
        assert.equal(api.last.body, 'x');
    } finally {
        await nginx.stop();
        await api.stop();
    }

    assert.equal(fs.existsSync(prefix), false);
});

test('an alert that nobody expected fails the stop', async () => {
    const nginx = await Nginx.start({ module: false,
        http: (at) => `server { listen ${at.plain()}; }` });

    process.kill(nginx.workers()[0], 'SIGKILL');
    await assert.rejects(async () => {
        while (!/exited on signal/.test(nginx.log())) {
            await new Promise((r) => setTimeout(r, 10));
        }
        await nginx.stop();
    }, /exited on signal 9/);
    nginx.place.remove();
});

test('nginx -t tells what is wrong', async () => {
    const bad = await Nginx.test({ module: false, http: 'nonsense on;' });
    assert.equal(bad.code, 1);
    assert.match(bad.output, /unknown directive "nonsense"/);
    assert.equal((await Nginx.test({ module: false, http: '' })).code, 0);
});

test('HTTP/2, HTTP/1.0 and an upgrade reach the API', async () => {
    const api = await Upstream.start();
    const nginx = await Nginx.start({ module: false, http: (at) => `
        server {
            listen ${at.tls('main', 'http2')};
            location / { proxy_pass http://${api.address}; }
        }
        server {
            listen ${at.plain('plain')};
            location / {
                proxy_pass http://${api.address};
                proxy_http_version 1.1;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection upgrade;
            }
        }` });

    const h2 = new Http2(`https://shop.test:${nginx.port('main')}`);
    const two = await h2.ask('/two', { cookie: ['a=1', 'b=2'] });
    assert.equal(two.status, 200);
    assert.equal(api.last.header('cookie'), 'a=1; b=2');
    await h2.close();

    const old = await exchange(nginx.port('main'), 'GET /old HTTP/1.0\r\n\r\n',
        'shop.test');
    assert.equal(parseAnswer(old).status, 200);

    const socket = connect(nginx.port('plain'));
    socket.write('GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n'
        + 'Connection: Upgrade\r\n\r\nhello');
    await readUntil(socket, /hello/);
    socket.destroy();

    await nginx.stop();
    await api.stop();
});

async function redeem(op, url, change = {}) {
    const back = new URL(op.approve(url));
    const answer = await new Browser(op.issuer).request(
        `http://127.0.0.1:${op.ports.token}/token`, { method: 'POST',
            headers: { Authorization: `Basic ${Buffer.from('shop:shop+secret')
                .toString('base64')}`, 'Content-Length': null },
            body: new URLSearchParams({ grant_type: 'authorization_code',
                redirect_uri: 'https://shop.test/bff/callback',
                code: back.searchParams.get('code'), code_verifier: 'v'.repeat(43),
                ...change }).toString() });
    return answer;
}

test('the provider checks what it gets and signs what it gives', async () => {
    const op = await Provider.start();
    const challenge = crypto.createHash('sha256').update('v'.repeat(43))
        .digest('base64url');
    const url = `${op.issuer}/authorize?response_type=code&client_id=shop`
        + '&redirect_uri=https%3A%2F%2Fshop.test%2Fbff%2Fcallback&state=s'
        + `&scope=openid&nonce=n&code_challenge=${challenge}`
        + '&code_challenge_method=S256';

    const good = await redeem(op, url);
    assert.equal(good.status, 200, good.body);
    assert.equal(decodeJwt(good.json().id_token).payload.nonce, 'n');
    assert.equal((await redeem(op, url, { code_verifier: 'w'.repeat(43) })).status,
        400);
    assert.equal((await redeem(op, url, { redirect_uri: 'https://x/' })).status, 400);

    op.client.secret = 'other';
    assert.equal((await redeem(op, url)).status, 401);
    await op.stop();
});

test('every way to answer badly is bad for a client', async () => {
    const op = await Provider.start();
    const ask = () => new Browser(op.issuer)
        .request('/.well-known/openid-configuration');

    for (const way of [wire.plain, wire.chunked(5), wire.untilClose, wire.interim,
        wire.inPieces(1)]) {
        op.wire.metadata = way;
        assert.equal((await ask()).json().issuer, op.issuer);
    }

    for (const way of [wire.resetBefore, wire.resetWithin, wire.closeBefore,
        wire.truncatedLength, wire.truncatedChunked, wire.truncatedHeader]) {
        op.wire.metadata = way;
        await assert.rejects(ask(), `${way.name}`);
    }

    await op.refuse('main');
    await assert.rejects(ask(), /ECONNREFUSED/);
    await op.accept('main');
    op.reset();
    assert.equal((await ask()).status, 200);
    await op.stop();
});

test('certificates: good, wrong host, expired, other authority', async () => {
    const op = await Provider.start({ tls: true, host: 'id.test' });
    const other = new Authority();
    const ask = () => new Browser(op.issuer)
        .request('/.well-known/openid-configuration');

    assert.equal((await ask()).json().issuer, op.issuer);
    await op.useCertificate(other.issue({ names: ['id.test'] }));
    await assert.rejects(ask());
    await op.stop();
});

test('the name server answers A and AAAA and knows what does not exist',
    async () => {
        const server = await Dns.start({ 'id.test':
            { a: ['127.0.0.1'], aaaa: ['::1'] } });
        const resolver = new dns.promises.Resolver();
        resolver.setServers([`127.0.0.1:${server.port}`]);

        assert.deepEqual(await resolver.resolve4('id.test'), ['127.0.0.1']);
        assert.deepEqual(await resolver.resolve6('id.test'), ['::1']);
        await assert.rejects(resolver.resolve4('no.test'), /ENOTFOUND/);
        assert.equal(server.queries.length, 3);
        await server.stop();
    });

test('the oracle reads Refresh as the HTML standard has it', () => {
    for (const [value, target] of [['0; url=/a', '/a'], ['0;URL = /a', '/a'],
        ['0, url=/a', '/a'], ['0 /a', '/a'], ['1.5;/a', '/a'], ['.5;/a', '/a'],
        ['0; url="/a"b', '/a'], ["0; url='/a\"b", '/a"b'], ["0; '/a'b", '/a'],
        ['0; urx', 'urx'], ['0; url', 'url'], ['0; url=/a;b,c d', '/a;b,c d'],
        ['0', null], ['0;', null], ['x; url=/a', null], ['', null]]) {
        assert.equal(refreshTarget(value), target, value);
    }
});

test('the oracle knows what an address may become on its way', () => {
    const own = kSite.own;
    for (const path of ['//evil', '/.//evil', '/a/..//evil', '/%2fevil',
        '/a%2f..//evil', '/%252e%252e//evil', '/%25%32%66evil']) {
        assert.ok(readingsOf(path, own).some((text) => text.startsWith('//')), path);
        assert.notEqual(wrongWithKept(Buffer.from(path), path), '', path);
        assert.equal(whyToKeep(Buffer.from(path)), '', path);
    }

    for (const [text, origin] of [['https://a', 'https://b'],
        ['https://0x7f.1', 'https://0x7f.1'], ['https://u@a', 'https://a']]) {
        assert.notEqual(wrongWithOrigin(text, origin), '', text);
    }
});

test('the oracle agrees with every verdict on return URLs that is written out',
    () => {
        const site = { own: 'https://shop.test:8443',
            trusted: ['https://app.example.com', 'http://localhost:5173'] };
        const text = (given) => filledIn(given, site.own);
        assert.ok(kKept.length > 200 && kRefused.length > 300);

        for (const [given, kept] of kKept) {
            assert.equal(wrongWithKept(text(given), `${text(kept)}`, site), '');
        }
        for (const given of kRefused) {
            assert.equal(whyToKeep(text(given), site), '', String(given));
        }
    });
