// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// "The request's own origin": scheme, host and port as browsers write them,
// from whatever a Host header may be; or that of redirect_uri, and then no
// Host header counts (BFF-10, BFF-13).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Http2 } from '../lib/browser.mjs';
import { kKey } from '../lib/checks.mjs';
import { stage } from '../lib/stage.mjs';
import { volley } from '../lib/volley.mjs';

const s = stage(({ op, api, at }) => {
    const provider = (name, more) => `
    bff_provider ${name} {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_name __Host-Http-${name};
        ${more}
    }`;
    const server = (listen, name) => `
    server {
        listen ${listen};
        location / { return 200 home; }
        location /api/ { bff ${name}; proxy_pass http://${api.address}; }
    }`;

    return `
    keepalive_requests 100000;
    ${provider('corp', '')}
    ${provider('fixed', 'redirect_uri https://fixed.test:8443/bff/callback;')}
    ${server(at.tls('tls', 'http2'), 'corp')}
    ${server(at.plain('plain'), 'corp')}
    ${server(at.tls('fixed'), 'fixed')}`;
}, { ready: async (s) => {
    b = s.browser('tls');
    await b.login('/');
    cookies.tls = b.jar.header(new URL(b.origin));
    cookies.plain = cookies.tls;

    const other = s.browser('fixed');
    const there = await other.startLogin();
    const back = new URL(s.op.approve(there.href));
    await other.callback(new URL(`/bff/callback${back.search}`, other.origin));
    cookies.fixed = other.jar.header(new URL(other.origin));
} });

let b;
const cookies = {};

// [Host, the one Origin that is ours, or null]
const kHosts = [
    ['shop.test', '//shop.test'],
    ['SHOP.Test', '//shop.test'],
    ['shop.test:8443', '//shop.test:8443'],
    ['Shop.TEST:8443', '//shop.test:8443'],
    ['shop.test:443', { tls: '//shop.test', plain: '//shop.test:443' }],
    ['shop.test:80', { tls: '//shop.test:80', plain: '//shop.test' }],
    ['a.b.c.shop.test', '//a.b.c.shop.test'],
    ['xn--shp-sna.test', '//xn--shp-sna.test'],
    ['under_score.test', '//under_score.test'],
    ['localhost', '//localhost'],
    ['127.0.0.1:81', '//127.0.0.1:81'],
    ['[::1]', '//[::1]'],
    ['[::1]:8443', '//[::1]:8443'],
    ['[2001:DB8:0:0::1]:8443', '//[2001:db8::1]:8443'],
    ['shop.test.', null],
    ['shop.test.:8443', null],
    ['shop..test', null],
    ['shop.test:', null],
    ['shop.test:0', null],
    ['shop.test:08443', null],
    ['shop.test:99999', null],
    ['shop.test:port', null],
    ['127.1', null],
    ['2130706433', null],
    ['0x7f.0.0.1', null],
    ['[::ffff:127.0.0.1]', null],
    ['shop.test@evil.test', null],
    ['evil.test, shop.test', null],
    ['shop.test evil.test', null],
    ['shop%2etest', null],
    ['sh\xf6p.test', null],
    [null, null], // HTTP/1.0
];

// What could be taken for the origin of this host.
function origins(scheme, host, own) {
    const other = scheme === 'https' ? 'http' : 'https';
    const bare = (host ?? 'shop.test').replace(/:\d*$/, '');

    return [...new Set([`${scheme}://${host ?? ''}`, `${scheme}://${bare}`,
        `${scheme}://${bare.toLowerCase()}`, `${scheme}://${bare}:443`,
        `${scheme}://${bare}:80`, `${scheme}://${bare}:8443`,
        `${scheme}://${bare.replace(/\.$/, '')}`, `${scheme}://${bare}.`,
        `${scheme}://shop.test`, `${other}://${host ?? ''}`, `${other}:${own}`,
        `${scheme}:${own}:443`, 'https://fixed.test', 'http://fixed.test:8443',
        'https://fixed.test:8443', `${scheme}:${own}`])];
}

function request({ listener, line, host, origin, header }) {
    const version = host === null ? '1.0\r\nConnection: keep-alive' : '1.1';
    return { method: 'GET', bytes: `GET ${line} HTTP/${version}\r\n`
        + `${host === null ? '' : `Host: ${host}\r\n`}`
        + `${origin ? `Origin: ${origin}\r\n` : ''}`
        + `${header ? `X-CSRF: ${header}\r\n` : ''}`
        + `Cookie: ${cookies[listener]}\r\n\r\n` };
}

// rows: { listener, line, host, origin, header, passes }
async function judge(rows) {
    const failed = [];
    for (const listener of ['tls', 'plain', 'fixed']) {
        const some = rows.filter((row) => row.listener === listener);
        let answers;
        const seen = await s.api.during(async () => {
            answers = await volley(s.at.port(listener), some.map(request),
                listener === 'plain' ? undefined : 'shop.test');
        });
        some.forEach((row, i) => {
            const { status } = answers[i];
            const sent = seen.filter(({ target }) =>
                target === `/api/${row.id}`).map((one) =>
                one.all('authorization').length);
            // 400: NGINX itself takes no such Host
            const isGood = row.passes ? status === 200 && `${sent}` === '1'
                : [403, 400].includes(status) && sent.length === 0;
            if (!isGood) {
                failed.push(`${status}, ${sent.length} sent: ${
                    JSON.stringify(row)}`);
            }
        });
    }
    assert.equal(failed.length, 0, `${failed.length} of ${rows.length}:\n${
        failed.slice(0, 40).join('\n')}`);
    assert.ok(rows.some(({ passes }) => passes)
        && rows.some(({ passes }) => !passes));
}

const numbered = (rows) => rows.map((row, id) =>
    ({ ...row, id, line: row.line ? row.line(`/api/${id}`) : `/api/${id}` }));

test('BFF-10: the own Origin is the host\'s, as a browser writes it', () =>
    judge(numbered(kHosts.flatMap(([host, own]) => ['tls', 'plain'].flatMap(
        (listener) => {
            const scheme = listener === 'tls' ? 'https' : 'http';
            const mine = own === null ? null : `${scheme}:${own[listener] ?? own}`;
            return origins(scheme, host, own?.[listener] ?? own ?? '//x')
                .map((origin) => ({ listener, host, origin, header: '1',
                    passes: origin === mine }));
        })))));

test('BFF-15: with an absolute redirect_uri no Host is the own origin', () =>
    judge(numbered(kHosts.flatMap(([host]) => origins('https', host, '//x')
        .map((origin) => ({ listener: 'fixed', host, origin, header: '1',
            passes: origin === 'https://fixed.test:8443' })))
        .filter(({ host }) => /^[\w.:]+$/.test(host) && !/\.\.|^shop.test:$/
            .test(host)))));

test('without an Origin the other signs count, whatever the Host is', () =>
    judge(numbered(['shop.test', 'shop.test.', '127.1', null].flatMap((host) =>
        ['tls', 'plain', 'fixed'].flatMap((listener) =>
            [['1', true], ['2', false], [undefined, false]].map(
                ([header, passes]) => ({ listener, host, header, passes })))))));

// RFC 9112, 3.2.2: what the target names and what Host names.
test('two names for one host are one, two hosts are none', () =>
    judge(numbered([
        ['https://shop.test', 'shop.test', 'https://shop.test', true],
        ['https://SHOP.test', 'shop.test', 'https://shop.test', true],
        ['https://shop.test:8443', 'shop.test:8443', 'https://shop.test:8443',
            true],
        ['https://evil.test', 'shop.test', 'https://shop.test', false],
        ['https://evil.test', 'shop.test', 'https://evil.test', false],
        ['https://shop.test', 'evil.test', 'https://shop.test', false],
        ['https://shop.test', 'evil.test', 'https://evil.test', false],
        ['https://shop.test', 'shop.test.evil.test',
            'https://shop.test.evil.test', false],
        ['https://shop.test', 'shop.testx', 'https://shop.testx', false],
        ['http://shop.test', 'shop.test', 'http://shop.test', false],
    ].map(([target, host, origin, passes]) => ({ listener: 'tls', host, origin,
        header: '1', passes, line: (path) => target + path })))));

test('over HTTP/2 the own origin is that of :authority', async () => {
    const h2 = new Http2(b.origin);
    const ask = (name, origin, more = {}) => h2.ask('/api/x', {
        ':authority': name, cookie: cookies.tls, origin, ...more });
    try {
        for (const [name, origin, status] of [
            ['shop.test', 'https://shop.test', 200],
            ['shop.test:443', 'https://shop.test', 200],
            ['shop.test:8443', 'https://shop.test:8443', 200],
            ['shop.test:8443', 'https://shop.test', 403],
            ['shop.test', 'https://evil.test', 403],
            ['shop.test', 'null', 403],
            ['shop.test', ['https://shop.test', 'https://shop.test'], 403],
        ]) {
            const seen = await s.api.during(async () => {
                assert.equal((await ask(name, origin)).status, status,
                    `${name} ${origin}`);
            });
            assert.equal(seen.length, status === 200 ? 1 : 0);
        }
    } finally {
        await h2.close();
    }
});
