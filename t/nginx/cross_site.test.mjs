// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// All that a request may say of where it comes from, in all combinations, to
// protected locations (BFF-10, BFF-11, BFF-12, BFF-13).
//
// Each row is judged by the contract's sentences, section 5, one by one; what
// the API got is compared as bytes: nothing of what was refused, and exactly
// one Authorization of what was not.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { stage } from '../lib/stage.mjs';
import { volley } from '../lib/volley.mjs';

const kTrusted = 'https://app.shop.test';
const kLocal = 'http://localhost:81';
const kMethods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    upstream api { server ${api.address}; keepalive 8; }

    server {
        listen ${at.tls()};
        keepalive_requests 100000;
        bff_trusted_origin ${kTrusted} ${kLocal};
        proxy_http_version 1.1;
        proxy_set_header Connection "";

        location / { return 200 home; }
        location /auto/ { bff corp; proxy_pass http://api; }
        location /strict/ { bff corp; bff_csrf strict; proxy_pass http://api; }
        location /off/ { bff corp; bff_csrf off; proxy_pass http://api; }
        location /named/ {
            bff corp;
            bff_csrf strict;
            bff_csrf_header X-Requested-With "XML Http";
            proxy_pass http://api;
        }
        location /nobody/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://api;
        }
    }
`, { ready: async (s) => {
    const b = s.browser();
    await b.login('/');
    own = b.origin;
    host = new URL(own).host;
    cookie = b.jar.header(new URL(own));
    token = s.op.tokens.access_token;
} });

let own;
let host;
let cookie;
let token;

// --- a row, and what the contract says of it ---

// [name, value] lines of a row; what it does not name is not sent.
//   csrf: auto, strict, off, named, nobody; session: false
//   origin, site, mode, header: one value, or an array of lines
//   accept, upgrade, connection
function lines(row) {
    const all = {
        Origin: row.origin, 'Sec-Fetch-Site': row.site,
        'Sec-Fetch-Mode': row.mode, Accept: row.accept,
        [row.csrf === 'named' ? 'X-Requested-With' : 'X-CSRF']: row.header,
        Upgrade: row.upgrade, Connection: row.connection,
        Cookie: row.session === false ? undefined : cookie,
    };
    return Object.entries(all).flatMap(([name, value]) =>
        [value ?? []].flat().map((one) => [name, one]));
}

const only = (value) => ([value ?? []].flat().length === 1
    ? [value].flat()[0] : undefined);
const several = (value) => [value ?? []].flat().length > 1;

// "a page navigation (Sec-Fetch-Mode: navigate; without that header, GET or
// HEAD whose Accept has text/html)"
function isPageNavigation(row) {
    return row.mode === undefined
        ? ['GET', 'HEAD'].includes(row.method) && /html/.test(row.accept ?? '')
        : only(row.mode) === 'navigate';
}

const isGetNavigation = (row) => row.method === 'GET' && isPageNavigation(row)
    && row.upgrade === undefined;

// RFC 6455, 4.1
const isWebSocket = (row) => row.method === 'GET'
    && /^websocket$/i.test(row.upgrade ?? '')
    && /\bupgrade\b/i.test(row.connection ?? '');

// "A present Origin that is neither own nor trusted (null never is), or
// Sec-Fetch-Site: cross-site on anything but a GET page navigation, refuses
// whatever else is there. A WebSocket upgrade needs the Origin." What no
// browser says is no better than that.
function isForeign(row) {
    const isKnown = [own, kTrusted, kLocal].includes(only(row.origin));
    const isSite = row.site === undefined
        || ['same-origin', 'same-site', 'none'].includes(only(row.site));

    return (row.origin !== undefined && !isKnown)
        || (!isSite && !isGetNavigation(row))
        || (row.upgrade !== undefined && row.origin === undefined);
}

// "any one of: the header of bff_csrf_header; Sec-Fetch-Site: same-origin;
// Origin equal to the request's own origin or a trusted one; a GET page
// navigation"
function isShown(row) {
    return hasHeader(row) || only(row.site) === 'same-origin'
        || row.origin !== undefined || isGetNavigation(row);
}

const hasHeader = (row) =>
    only(row.header) === (row.csrf === 'named' ? 'XML Http' : '1');

// "strict: the header is needed as well, on everything but page navigations
// and WebSocket upgrades."
const mayLackHeader = (row) => !['strict', 'named'].includes(row.csrf)
    || hasHeader(row) || isPageNavigation(row) || isWebSocket(row);

// 'token', 'bare' (upstream without one), 'csrf', 'no_session', 'login'
function verdict(row) {
    if (row.session === false) {
        return row.csrf === 'nobody' ? 'bare'
            : isPageNavigation(row) ? 'login' : 'no_session';
    }
    if (row.csrf === 'off') {
        return 'token';
    }
    return !isForeign(row) && isShown(row) && mayLackHeader(row)
        ? 'token' : 'csrf';
}

// --- asking ---

const kStatus = { token: [200], bare: [200], csrf: [403], no_session: [401],
    login: [302, 200] };

function request(row, i) {
    return { method: row.method, bytes: `${row.method} /${row.csrf}/${i} `
        + `HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n`
        + `${lines(row).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n` };
}

// What is wrong with this row's answer, and with what went upstream.
function wrongs(row, i, answer, sent) {
    const what = verdict(row);
    const goes = ['token', 'bare'].includes(what);
    const values = (name) => answer.headers.filter(([key]) =>
        key.toLowerCase() === name).map(([, value]) => value);
    const reads = [kTrusted, kLocal].includes(only(row.origin))
        ? [row.origin] : [];
    const bearers = what === 'token' ? [`Bearer ${token}`] : [];

    return [
        [kStatus[what].includes(answer.status), `status ${answer.status}`],
        [goes || row.method === 'HEAD' || what === 'login'
            || answer.body.includes(what), `body ${answer.body}`],
        [sent.length === (goes ? 1 : 0), `${sent.length} went upstream`],
        [sent.every((one) => one.method === row.method
            && same(one.all('authorization'), bearers)), 'another bearer'],
        [sent.every((one) => !one.raw.includes('__Host-')), 'our cookie'],
        [same(values('access-control-allow-origin'), reads), 'CORS origin'],
        [same(values('access-control-allow-credentials'),
            reads.map(() => 'true')), 'CORS credentials'],
        [same(values('vary').filter((v) => /\borigin\b/i.test(v)).length, 1),
            'Vary'],
        [what !== 'csrf' || values('set-cookie').length === 0, 'a cookie'],
        [what !== 'login' || answer.status === 302
            || (row.method === 'GET' && row.site === 'cross-site'), 'bounce'],
    ].filter(([isGood]) => !isGood).map(([, why]) =>
        `${what}, but ${why}: ${i} ${JSON.stringify(row)}`);
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

async function judge(rows, least) {
    const counts = {};
    let answers;
    const seen = await s.api.during(async () => {
        answers = await volley(s.at.port('main'), rows.map(request),
            'shop.test');
    });
    const sent = {};
    seen.forEach((one) => { (sent[one.target] ??= []).push(one); });

    const failed = rows.flatMap((row, i) => {
        const what = verdict(row);
        counts[what] = (counts[what] ?? 0) + 1;
        return wrongs(row, i, answers[i], sent[`/${row.csrf}/${i}`] ?? []);
    });
    assert.equal(failed.length, 0, `${failed.length} of ${rows.length}:\n${
        failed.slice(0, 40).join('\n')}`);
    for (const [what, count] of Object.entries(least)) {
        assert.ok(counts[what] >= count, `${what}: ${counts[what]}`);
    }
}

// All combinations of { name: [values] }.
function product(axes) {
    return Object.entries(axes).reduce((rows, [name, values]) =>
        rows.flatMap((row) => values.map((value) =>
            ({ ...row, [name]: value }))), [{}]);
}

// The same with names for what goes together: { accept, mode }.
const spread = (rows, name) => rows.map(({ [name]: more, ...row }) =>
    ({ ...row, ...more }));

const kPage = { accept: 'text/html,*/*;q=0.8' };
const kHandshake = { upgrade: 'websocket', connection: 'Upgrade' };
const kSites = [undefined, 'same-origin', 'same-site', 'none', 'cross-site'];
const kKinds = [{}, kPage, { ...kPage, mode: 'navigate' }, { mode: 'cors' }];

// --- the tables ---

test('BFF-10 BFF-11 BFF-13: what browsers say, in every combination', () =>
    judge(spread(product({
        csrf: ['auto', 'strict'],
        method: kMethods,
        origin: [undefined, own, kTrusted, 'null', 'https://evil.test',
            own.replace('shop', 'blog.shop')],
        site: kSites,
        header: [undefined, '1'],
        kind: kKinds,
    }), 'kind'), { token: 1000, csrf: 1500 }));

test('BFF-10 BFF-13: upgrades, in every combination', () =>
    judge(spread(spread(product({
        csrf: ['auto', 'strict'],
        method: ['GET', 'POST'],
        origin: [undefined, own, kTrusted, 'null', 'https://evil.test',
            own.replace('shop', 'blog.shop')],
        site: kSites,
        header: [undefined, '1'],
        kind: [{}, { ...kPage, mode: 'navigate' }, { mode: 'websocket' }],
        upgrade: [kHandshake, { upgrade: 'websocket' },
            { upgrade: 'WebSocket', connection: 'keep-alive, Upgrade' },
            { upgrade: 'h2c', connection: 'Upgrade, HTTP2-Settings' }],
    }), 'kind'), 'upgrade'), { token: 300, csrf: 800 }));

test('bff_csrf off checks nothing', () => judge(spread(product({
    csrf: ['off'],
    method: kMethods,
    origin: [undefined, own, kTrusted, 'null', 'https://evil.test', '',
        [own, own]],
    site: kSites,
    kind: [{}, { ...kPage, mode: 'navigate' }, kHandshake],
}), 'kind'), { token: 700 }));

test('without a session the answer is that of bff_unauthenticated', () =>
    judge(spread(product({
        csrf: ['auto', 'strict', 'off', 'nobody'],
        session: [false],
        method: kMethods,
        origin: [undefined, own, kTrusted, 'null', 'https://evil.test'],
        site: [undefined, 'same-origin', 'cross-site'],
        kind: [{}, { ...kPage, mode: 'navigate' }],
    }), 'kind'), { bare: 200, login: 200, no_session: 200 }));

// Nearly our origin, or nearly a trusted one.
function lookAlikes(origin) {
    const { protocol, host: full, hostname, port } = new URL(origin);
    const bare = `${protocol}//${hostname}`;
    const at = (name) => `${protocol}//${name}${port ? `:${port}` : ''}`;

    return [
        `${origin}.evil.test`, at(`${hostname}.evil.test`),
        at(`evil-${hostname}`), at(`evil${hostname}`), at(`a.${hostname}`),
        at(hostname.slice(1)), at(hostname.slice(0, -1)), at('test'),
        at(hostname.toUpperCase()), at(`${hostname}.`), at(`.${hostname}`),
        at(hostname.replace('s', '\u017f')), at(hostname.replace('.', '\u3002')),
        at(hostname.replace('s', '%73')), at(hostname.replace('o', '\u043e')),
        at('xn--shp-tmc.test'), at(`xn--${hostname}`),
        at(hostname.replace('-', '_').replace('shop', 'sh0p')),
        `${bare}:1`, `${bare}:443`, `${bare}:0${port || 443}`, `${bare}:`,
        `${bare}:${port || 443}0`, `${bare}:99999`, port ? bare : `${bare}:80`,
        origin.replace('https', 'http'), origin.replace('https', 'HTTPS'),
        origin.replace('https', 'wss'), origin.replace('https:', ''), full,
        hostname, origin.replace('//', '/'), origin.replace('//', '\\\\'),
        origin.replace('//', '//user@'), origin.replace('//', '//:@'),
        `https://evil.test@${full}`, `${origin}@evil.test`,
        `${origin}/`, `${origin}/path`, `${origin}?`, `${origin}#`,
        `${origin}\\@evil.test`, `${origin}\t`.trim() + '\t.evil.test',
        `${origin} `.trim() + ' https://evil.test', `${origin} ${origin}`,
        `${origin}, ${origin}`, `${origin},https://evil.test`,
        `https://evil.test, ${origin}`, `${origin};`, `"${origin}"`,
        `'${origin}'`, `<${origin}>`, `${origin}\x01`, `${origin}\x7f`,
        `${origin}\xa0`, `null, ${origin}`, `${origin}, null`,
        [origin, origin], [origin, 'https://evil.test'],
        ['https://evil.test', origin], ['null', origin], [origin, ''],
        ['', origin],
    ];
}

test('BFF-12 BFF-13: what is nearly an origin of ours is none', () =>
    judge(spread(product({
        csrf: ['auto', 'strict'],
        method: ['GET', 'POST'],
        origin: ['', '*', 'null', 'NULL', 'Null', 'undefined', 'file://',
            'about:blank', 'data:', 'chrome-extension://abcdefgh',
            'android-app://com.example', 'https://', 'https://[::1]',
            'https://127.0.0.1', 'http://localhost', 'http://localhost:810',
            'https://localhost:81', 'http://127.0.0.1:81',
            ...lookAlikes(own), ...lookAlikes(kTrusted)]
            .filter((one) => ![own, kTrusted].includes(one))
            .map((one) => (typeof one === 'string'
                ? Buffer.from(one).toString('latin1') : one)),
        header: ['1'],
        kind: [{}, { site: 'same-origin', mode: 'cors' },
            { site: 'none', mode: 'navigate', ...kPage }],
    }), 'kind'), { csrf: 1500 }));

test('BFF-10 BFF-13: words that no browser uses for a site prove nothing', () =>
    judge(spread(product({
        csrf: ['auto', 'strict'],
        method: ['GET', 'POST'],
        origin: [undefined, own, kTrusted],
        site: ['', 'SAME-ORIGIN', 'Same-Origin', 'same_origin', 'sameorigin',
            'same-origin;a=1', '"same-origin"', '?1', 'same-origin, same-origin',
            'same-origin,cross-site', 'cross-site, same-origin', 'CROSS-SITE',
            'Cross-Site', 'same-originx', 'xsame-origin', 'null', '*',
            ['same-origin', 'same-origin'], ['same-origin', 'cross-site'],
            ['cross-site', 'same-origin'], ['none', 'same-origin'],
            ['same-site', 'cross-site'], ['none', 'none'], ['', 'same-origin']],
        header: [undefined, '1'],
        kind: [{ mode: 'cors' }, { mode: 'navigate', ...kPage }],
    }), 'kind'), { token: 150, csrf: 500 }));

test('BFF-10: nor is it a page navigation that only looks like one', () =>
    judge(spread(product({
        csrf: ['auto', 'strict'],
        method: ['GET', 'HEAD', 'POST'],
        site: [undefined, 'none', 'cross-site'],
        kind: ['', 'Navigate', 'NAVIGATE', 'navigate;a', '"navigate"',
            'navigate, cors', 'navigate,navigate', 'nested-navigate',
            'same-origin', 'no-cors', 'websocket', 'xnavigate', 'navigatex',
            ['navigate', 'navigate'], ['navigate', 'cors'],
            ['cors', 'navigate'], ['', 'navigate']].map((mode) =>
            ({ mode, ...kPage })),
    }), 'kind'), { csrf: 200 }));

test('BFF-11: only the header\'s very value, once, is the header', () =>
    judge(spread(product({
        csrf: ['auto', 'strict', 'named'],
        method: ['GET', 'POST'],
        header: ['', '0', '2', '11', '01', '1 1', '1, 1', '1,1', '1;', '"1"',
            'true', '\xb9', '\x011', ['1', '1'], ['1', '0'], ['0', '1'],
            ['1', ''], ['', '1'], 'XMLHttp', 'xml http', 'XML  Http',
            'XML Http, XML Http', ['XML Http', 'XML Http'], 'XML Http', '1'],
        kind: [{}, { site: 'none' }, { site: 'same-site', mode: 'cors' },
            { site: 'same-origin', mode: 'cors' }, { origin: own }],
    }), 'kind'), { token: 20, csrf: 300 }));
