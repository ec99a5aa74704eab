// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Everything that can be done to the cookies of a real session or a real
// login, thousands of times on one NGINX: the answer is "no session" and
// nothing else, and nobody upstream sees a token.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { Kept, request, valuesOf } from '../lib/kept.mjs';
import { attempt, stage } from '../lib/stage.mjs';

const kOldKey = 'fedcba9876543210'.repeat(4);
const kLostKey = '00112233445566778899aabbccddeeff'.repeat(2);
const kName = '__Host-Http-bff-corp';
const kNames = [kName, `${kName}.1`, `${kName}.2`];

function provider(op, name, more) {
    return `bff_provider ${name} {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        ${more}
    }`;
}

// One server for each provider, at its own port.
const kProviders = {
    corp: `session_key ${kKey}; session_key ${kOldKey};`,
    partner: `session_key ${kKey};`,
    renamed: `session_key ${kKey}; cookie_name __Host-Http-bff-corp2;`,
    older: `session_key ${kOldKey}; cookie_name ${kName};`,
    stranger: `session_key ${kLostKey}; cookie_name ${kName};`,
    stored: `session_key ${kKey}; session_store zone=tokens:1m;`,
};

const s = stage(({ op, api, at }) => `
    large_client_header_buffers 8 64k;
    client_header_buffer_size 16k;
    keepalive_requests 1000000;
    ${Object.entries(kProviders).map(([name, more]) =>
        provider(op, name, more)).join('\n')}
    ${Object.keys(kProviders).map((name) => `server {
        listen ${at.tls(name)};
        listen ${at.plain(`${name}-http`)};
        location / { return 200 home; }
        location /api/ { bff ${name}; proxy_pass http://${api.address}; }
        location /pass/ {
            bff ${name};
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
    }`).join('\n')}
`, { ready, finish: (s) => Object.values(s.lines ?? {}).forEach((line) =>
    line.close()) });

async function ready(s) {
    s.lines = Object.fromEntries(Object.keys(kProviders).map((name) =>
        [name, new Kept(s.at.port(`${name}-http`))]));

    s.one = await loggedIn('corp');
    s.two = await loggedIn('corp', 3000);
    s.three = await loggedIn('corp', 7000);
    s.other = await loggedIn('corp', 7000);
    s.stored = await loggedIn('stored');
}

beforeEach(() => { s.api.requests = []; });

function opaque(octets) {
    return randomBytes(octets * 3 / 4).toString('base64url');
}

// The values of the session's cookies, in order, and its token.
async function loggedIn(name, size = 100) {
    s.op.accessToken = () => `at-${opaque(size)}`;
    const b = s.browser(name);
    const { history } = await b.login('/');
    history.forEach(({ setCookies }) => setCookies.forEach((line) =>
        kSeen.add(line)));
    const cookies = b.jar.cookies.filter((c) => !c.name.includes('-login-'));
    s.op.reset();

    return { browser: b, token: s.op.tokens.access_token,
        names: cookies.map((c) => c.name).sort(),
        values: cookies.sort((x, y) => x.name.localeCompare(y.name))
            .map((c) => c.value) };
}

function header(values, names = kNames) {
    return values.map((value, i) => value === null ? null
        : `${names[i]}=${value}`).filter(Boolean).join('; ');
}

const kSeen = new Set(); // all Set-Cookie lines

const kScript = ['X-CSRF: 1', 'Accept: application/json'];

async function ask(cookies, { door = 'corp', target = '/api/x' } = {}) {
    const answer = await s.lines[door].ask(request(target,
        [...kScript, `Cookie: ${cookies}`], { host: 'localhost' }));

    valuesOf(answer, 'set-cookie').forEach((line) => kSeen.add(line));
    return answer;
}

function isNoSession({ status, body }) {
    return status === 401 && JSON.parse(body).code === 'no_session';
}

// Cookie headers that are no session, anywhere; each as text or as
// [what it is, text]. In batches, as answers are kept until the end.
async function assertNone(rows, { door = 'corp' } = {}) {
    const wrong = [];
    let count = 0;

    for (let at = 0; at < rows.length; at += 500) {
        const batch = rows.slice(at, at + 500).map((row) => [row].flat());
        const answers = await Promise.all(batch.map((row) =>
            ask(row.at(-1), { door })));

        answers.forEach((answer, i) => isNoSession(answer)
            || wrong.push([batch[i][0].slice(0, 200), answer.status]));
        count += answers.length;
    }

    assert.deepEqual(wrong, []);
    assert.deepEqual(s.api.requests, []);
    assert.notEqual(count, 0);
}

async function assertOpens(cookies, token, options) {
    s.api.requests = [];
    const answer = await ask(cookies, options);

    assert.equal(answer.status, 200, answer.body);
    assert.deepEqual(s.api.last.all('authorization'), [`Bearer ${token}`]);
    assert.deepEqual(s.api.last.all('cookie'), []);
    s.api.requests = [];
    return answer;
}

// The names that the answer takes away.
function cleared(answer) {
    return valuesOf(answer, 'set-cookie').map((line) => {
        assert.match(line, /; Path=\/; Max-Age=0; Secure; HttpOnly/);
        assert.match(line, /^[^=]+=;/);
        return line.split('=')[0];
    }).sort();
}

const kAll = (n) => Array.from({ length: n }, (_, i) => i);

test('the sessions that everything starts from are good', async () => {
    await assertOpens(header(s.one.values), s.one.token);
    await assertOpens(header(s.two.values), s.two.token);
    await assertOpens(header(s.three.values), s.three.token);
    await assertOpens(header(s.other.values), s.other.token);
    await assertOpens(header(s.stored.values, s.stored.names), s.stored.token,
        { door: 'stored' });
    assert.deepEqual([s.one, s.two, s.three].map((x) => x.values.length),
        [1, 2, 3]);
});

// --- one value ---

const kMasks = [0x01, 0x02, 0x04, 0x20, 0x40, 0x80];

// Octets that end a header or a cookie are another matter.
function flipped(value) {
    return kAll(value.length).flatMap((at) => kMasks.map((mask) =>
        value.slice(0, at) + String.fromCharCode(value.charCodeAt(at) ^ mask)
        + value.slice(at + 1))).filter((v) => !/[\r\n\0]/.test(v));
}

test('BFF-9: every octet of the cookie\'s text, flipped', () => assertNone(
    flipped(s.one.values[0]).map((value) => header([value]))));

// Under another form of the same bits nothing opens either: base64url has
// spare bits in its last character.
test('BFF-9: every octet of what is sealed, flipped', () => assertNone(
    kAll(Buffer.from(s.one.values[0].slice(1), 'base64url').length)
        .flatMap((at) => [1, 0x80, 0xff].map((mask) => {
            const bytes = Buffer.from(s.one.values[0].slice(1), 'base64url');
            bytes[at] ^= mask;
            return header([`1${bytes.toString('base64url')}`]);
        }))));

test('CK-20: every character of larger sessions, replaced', () => assertNone(
    [s.two, s.three].flatMap(({ values }) => values.flatMap((value, chunk) =>
        kAll(value.length).filter((at) => at < 60 || at % 37 === 0
            || at > value.length - 10).map((at) => header(
            Object.assign([...values], { [chunk]: value.slice(0, at)
                + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1) })))))));

test('every length: cut short at either end', () => assertNone(
    kAll(s.one.values[0].length).flatMap((at) => [
        s.one.values[0].slice(0, at), ...at ? [s.one.values[0].slice(at)] : []])
        .map((value) => header([value]))));

test('every length: longer by 1 to 64', () => assertNone(
    ['A', '-', '0', '='].flatMap((c) => kAll(64).flatMap((n) => {
        const more = c.repeat(n + 1);
        const [value] = s.one.values;
        return [value + more, more + value, `1${more}${value.slice(1)}`];
    })).map((value) => header([value]))));

test('other spellings of the same octets', () => assertNone(
    [(v) => `"${v}"`, (v) => ` ${v}`, (v) => `\t${v}`, (v) => `${v} x`,
        (v) => v.replaceAll('-', '+').replaceAll('_', '/') + '+',
        (v) => `${v}=`, (v) => `${v}==`, (v) => encodeURIComponent(`${v}!`),
        (v) => v.replace(/^1/, '%31'), (v) => v.toUpperCase(),
        (v) => v.toLowerCase(), (v) => `1${v}`, (v) => v.slice(1),
        (v) => [...v].reverse().join(''), (v) => `${v},${v}`,
        (v) => `${v}\\`, (v) => `\x80${v}`, (v) => `${v}.`, (v) => `.${v}`,
        (v) => `"${v}`, (v) => `${v}"`].map((change) =>
        header([change(s.one.values[0])]))));

test('another number of chunks than there are', () => assertNone(
    [s.one, s.two, s.three].flatMap(({ values }) => [...'0123456789:/', 'A', '']
        .filter((digit) => digit !== values[0][0]).flatMap((digit) => [
            header([digit + values[0].slice(1), ...values.slice(1)]),
            header([digit + values.join('').slice(1)])]))));

// --- chunks ---

// Every way to put `count` of the sessions' chunks under the three names.
function arrangements(pool) {
    return [null, ...pool].flatMap((a) => [null, ...pool].flatMap((b) =>
        [null, ...pool].map((c) => [a, b, c])));
}

test('CK-20 CK-23: chunks dropped, doubled, moved and mixed', async () => {
    const sessions = [s.one, s.two, s.three, s.other].map((x) => x.values);
    const whole = new Set(sessions.map((values) => header(values)));
    const rows = arrangements(sessions.flat()).map((values) => header(values))
        .filter((text) => text !== '' && !whole.has(text));

    assert.ok(rows.length > 900);
    await assertNone(rows);
});

test('CK-8: names that come twice', () => assertNone(
    [s.one, s.two, s.three].flatMap(({ values }) => {
        const good = header(values);

        return kAll(values.length).flatMap((i) => [values[i], '', 'x',
            s.other.values[0]].flatMap((value) => [
            `${good}; ${kNames[i]}=${value}`, `${kNames[i]}=${value}; ${good}`,
            `${good}; ${kNames[i]} =${value}`, `\t${kNames[i]}=${value};${good}`,
        ])).concat(`${good}; ${good}`);
    })));

test('CK-20: a surplus chunk beside a whole session', () => assertNone(
    [s.one, s.two].flatMap(({ values }) => kNames.slice(values.length)
        .flatMap((name) => [s.three.values[1], s.three.values[2], '', 'x',
            values[0], values.at(-1)].flatMap((value) => [
            `${header(values)}; ${name}=${value}`,
            `${name}=${value}; ${header(values)}`])))));

test('CK-24: chunks from before and after a refresh', async () => {
    const b = s.three.browser.clone();
    s.op.accessToken = () => `at-${opaque(7000)}`;
    assert.equal((await b.api('/bff/refresh', { method: 'POST' })).status, 204);

    const before = s.three.values;
    const after = kNames.map((name) => b.jar.get(name).value);
    const token = s.op.tokens.access_token;

    await assertNone([1, 2, 3, 4, 5, 6].map((bits) =>
        header(kAll(3).map((i) => (bits >> i & 1 ? after : before)[i]))));
    await assertOpens(header(after), token);

    // a mixture takes nothing away: the browser has the rest in a moment
    const mixed = await b.api('/api/x', { cookies:
        header([after[0], before[1], after[2]]) });
    assert.equal(mixed.status, 401);
    assert.deepEqual(mixed.setCookies, []);
    assert.equal((await b.api('/api/x')).status, 200);
});

test('CK-21: no chunk is left over by a refresh that needs fewer', async () => {
    const { browser: b } = await loggedIn('corp', 7000);
    s.op.accessToken = () => 'small';
    const late = b.clone();
    await b.api('/bff/refresh', { method: 'POST' });
    assert.deepEqual(b.jar.cookies.map((c) => c.name), [kName]);
    assert.equal((await b.api('/api/x')).status, 200);

    // one that has not heard of it yet is told as much
    assert.equal((await late.api('/api/x')).status, 200);
    assert.deepEqual(late.jar.cookies.map((c) => c.name), [kName]);
    assert.equal((await late.api('/api/x')).status, 200);
});

test('CK-21: answers that overlap leave one whole session', async () => {
    const { browser: b } = await loggedIn('corp', 100);
    const jars = [b.clone(), b.clone()];

    s.op.accessToken = () => `at-${opaque(7000)}`;
    const large = await jars[0].api('/bff/refresh', { method: 'POST' });
    s.op.accessToken = () => 'small';
    const small = await jars[0].clone().api('/bff/refresh', { method: 'POST' });
    const url = new URL(b.origin);

    for (const order of [[large, small], [small, large]]) {
        const jar = b.clone();
        order.forEach((answer) => answer.setCookies.forEach((line) =>
            jar.jar.set(line, url)));
        assert.equal((await jar.api('/api/x')).status, 200);
    }
});

// --- junk ---

test('junk of any size, and many cookies of our name', () => assertNone([
    ...[1, 100, 3900, 4000, 4001, 4096, 8192, 30000].flatMap((n) =>
        ['A', '0', '1', '2', '3', '-', '=', '\x80', '"', ','].map((c) =>
            header([c.repeat(n)]))),
    ...[100, 8192].flatMap((n) => kAll(20).map(() => header([`1${opaque(n)}`]))),
    ...[2, 50].flatMap((n) => [s.one.values[0], '', 'x'].map((value) =>
        Array(n).fill(`${kName}=${value}`).join('; '))),
    Array(1000).fill(`${kName}=x`).join('; '),
    Array(5).fill(header(s.three.values)).join('; '),
    kNames.map((name) => `${name}=${'1'.repeat(8192)}`).join('; '),
    kNames.map((name) => `${name}=3${'A'.repeat(3999)}`).join('; '),
    ...['', ' ', '\t', '%', '%00', '1', '0', '2', '3', '1A', '0A', '1AA', '1AAA',
        'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'].map((v) => header([v])),
]));

// --- whose ---

test('BFF-44 CK-25: another provider\'s, server\'s, name\'s, key\'s', async () => {
    for (const name of ['partner', 'renamed', 'stranger', 'stored']) {
        const { values, names, token } = await loggedIn(name);
        const under = kNames.slice(0, values.length);

        await assertOpens(header(values, names), token, { door: name });
        await assertNone([header(values, under)]);
        await assertNone([header(s.one.values, names)], { door: name });

        // side by side each finds its own
        if (!names.includes(kName)) {
            const both = `${header(values, names)}; ${header(s.one.values)}`;
            s.api.requests = [];
            assert.equal((await ask(both)).status, 200);
            assert.deepEqual(s.api.last.all('authorization'),
                [`Bearer ${s.one.token}`]);
            assert.equal((await ask(both, { door: name })).status, 200);
            assert.deepEqual(s.api.last.all('authorization'),
                [`Bearer ${token}`]);
            assert.deepEqual(s.api.last.all('cookie'), []);
            s.api.requests = [];
        }
    }
});

test('CK-26: a provider of another name with the old key', async () => {
    const { values } = await loggedIn('older');
    await assertNone([header(values)]);
    await assertNone([header(s.one.values)], { door: 'older' });
});

// --- what is taken away ---

test('CK-23: what is no session and cannot become one is taken away',
    async () => {
        const [a, b, c] = s.three.values;
        const rows = [['x'], [`${s.one.values[0]}A`], [''], [a], [a, b],
            [null, b, c], [a, null, c], [null, null, c]];

        for (const values of rows) {
            assert.deepEqual(cleared(await ask(header(values))), kNames,
                JSON.stringify(values));
        }
        assert.deepEqual(cleared(await ask(`${kName}=x; ${kName}=y`)), kNames);
    });

test('a place that lets everybody pass takes it away, too', async () => {
    const answer = await ask(header(['x']), { target: '/pass/x' });
    assert.equal(answer.status, 200);
    assert.deepEqual(cleared(answer), kNames);
    assert.deepEqual(s.api.last.all('authorization'), []);
    assert.deepEqual(s.api.last.all('cookie'), []);
});

test('endpoints see no session either, and a page goes to login', async () => {
    const bad = flipped(s.one.values[0]).filter((_, i) => i % 97 === 0)
        .map((value) => header([value]));

    for (const cookies of [...bad, header([null, 'x']), header(['x', 'y']),
        header([...s.one.values, s.three.values[1]])]) {
        for (const [target, status] of [['/bff/session', 200], ['/bff/user', 401],
            ['/bff/userinfo', 401], ['/bff/token', 404], ['/bff/login', 302],
            ['/bff/callback?code=a&state=b', 400]]) {
            const answer = await ask(cookies, { target });
            assert.equal(answer.status, status, `${target} ${answer.body}`);
            assert.doesNotMatch(answer.body, /"authenticated": ?true/);
        }

        const page = await s.lines.corp.ask(request('/api/x', [
            'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Site: none',
            'Accept: text/html', `Cookie: ${cookies}`], { host: 'localhost' }));
        assert.equal(page.status, 302, page.body);
        assert.ok(valuesOf(page, 'location')[0].startsWith(s.op.issuer));
    }
    assert.deepEqual(s.api.requests, []);
});

// --- a login's own cookies ---

// What a callback without that cookie is told, and never a token request.
async function assertNoLogin(rows) {
    const calls = s.op.calls('token').length;
    const wrong = [];
    const answers = await Promise.all(rows.map(([target, cookies]) =>
        ask(cookies, { target })));

    answers.forEach(({ status, body, head }, i) => {
        if (status !== 400 || !/"code": ?"(login_expired|state_mismatch)"/
            .test(body) || new RegExp(`^set-cookie: ${kName}=[^;]`, 'im')
            .test(head)) {
            wrong.push([rows[i][1].slice(0, 200), status, body]);
        }
    });
    assert.deepEqual(wrong, []);
    assert.equal(s.op.calls('token').length, calls);
}

async function pendingLogin() {
    const b = s.browser('corp');
    const there = await b.startLogin();
    const back = new URL(s.op.approve(there.href));
    const [{ name, value }] = b.jar.cookies;

    return { b, name, value, back, target: back.pathname + back.search };
}

test('CB-3: a login\'s cookie with every octet flipped, and every length',
    async () => {
        const { name, value, target, b, back } = await pendingLogin();

        await assertNoLogin([...flipped(value), ...kAll(value.length)
            .map((at) => value.slice(0, at)), `${value}A`, `${value}=`,
        `"${value}"`, `${value}.`, 'x'.repeat(8192), '']
            .map((v) => [target, `${name}=${v}`]));
        await assertNoLogin([[target, 'a=1'], [target, `${name}=${value}; `
            + `${name}=${value}`], [target, `${name}=${value}; ${name}=`],
        [target, `${name.toUpperCase()}=${value}`], [target, `${name}x=${value}`],
        [target, `${kName}-login-=${value}`], [target, `${kName}=${value}`]]);

        assert.equal((await b.callback(back)).status, 200);
    });

test('CB-3: cookies of two logins, changed for each other', async () => {
    const [one, two] = [await pendingLogin(), await pendingLogin()];

    await assertNoLogin([
        [one.target, `${two.name}=${two.value}`],
        [one.target, `${one.name}=${two.value}`],
        [two.target, `${two.name}=${one.value}`],
        [one.target, `${one.name}=${s.one.values[0]}`],
        [one.target, `${one.name}=${s.one.values[0].slice(1)}`],
        [one.target, Array(50).fill(`${one.name}=${one.value}`).join('; ')],
    ]);
    await assertNone([header([one.value]), header([`1${one.value}`]),
        header([`0${one.value}`])]);
    assert.equal((await one.b.callback(one.back)).status, 200);
    assert.equal((await two.b.callback(two.back)).status, 200);
});

test('a flood of login cookies leaves room for a login', async () => {
    const junk = kAll(50).map((i) =>
        `${kName}-login-${String(i).padStart(16, '0')}=${'x'.repeat(100)}`);
    const answer = await ask(junk.join('; '), { target: '/bff/login' });

    assert.equal(answer.status, 302);
    assert.equal(new Set(valuesOf(answer, 'set-cookie')
        .filter((line) => line.includes('Max-Age=0'))
        .map((line) => line.split('=')[0])).size, 50);
});

// --- handles of sessions in shared memory ---

test('BFF-9: the handle of a stored session, flipped, cut and extended',
    async () => {
        const [value] = s.stored.values;
        const [name] = s.stored.names;
        const rows = [...flipped(value), ...kAll(value.length).flatMap((at) =>
            [value.slice(0, at), ...at ? [value.slice(at)] : []]),
        ...[...'123456789A'].map((digit) => digit + value.slice(1)),
        `${value}A`, `${value}AAAA`, `${value}=`, `"${value}"`];

        await assertNone(rows.map((v) => `${name}=${v}`), { door: 'stored' });
        await assertNone([`${name}=${value}; ${name}=${value}`,
            `${name}=${value}; ${name}.1=x`, `${name}.1=${value}`,
            `${name}=x; ${name}.1=${value}`], { door: 'stored' });
        await assertOpens(`${name}=${value}`, s.stored.token,
            { door: 'stored' });
    });

test('BFF-9: two handles, changed for each other or mixed', async () => {
    const { values: [value], names: [name], token } = await loggedIn('stored');
    const [other] = s.stored.values;

    assert.equal(value.length, other.length);
    await assertNone(kAll(value.length - 1).map((i) => i + 1)
        .map((at) => value.slice(0, at) + other.slice(at))
        .filter((v) => v !== value && v !== other)
        .map((v) => `${name}=${v}`), { door: 'stored' });
    await assertOpens(`${name}=${value}`, token, { door: 'stored' });
});

test('whatever came, nobody is logged out by it and the log is whole', async () => {
    await assertOpens(header(s.one.values), s.one.token);
    await assertOpens(header(s.stored.values, s.stored.names), s.stored.token,
        { door: 'stored' });

    const log = s.nginx.log();
    for (const { values, token } of [s.one, s.two, s.three, s.stored]) {
        for (const secret of [...values, token]) {
            assert.ok(!log.includes(secret.slice(0, 40)));
        }
    }
});

// Name, value, attributes: nothing else, in whatever circumstances.
const kLine = new RegExp('^__Host-Http-bff-[a-z0-9]+(\\.[12]|-login-[\\w-]{16})?'
    + '=[\\w-]*; Path=/(; Max-Age=\\d+)?; Secure; HttpOnly; '
    + 'SameSite=(Strict|Lax)$');

test('BFF-4 BFF-6 BFF-7 BFF-8 CK-1 CK-2 CK-13: every Set-Cookie that was seen',
    () => {
        assert.ok([...kSeen].some((line) => line.includes('Max-Age=0')));
        assert.ok([...kSeen].some((line) => /^[^=]+\.2=[^;]/.test(line)));
        kSeen.forEach((line) => {
            assert.match(line, kLine);
            assert.ok(line.length <= 4000);
        });
    });
