// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// All that a request may say of where it comes from, to each endpoint: some
// ask for a proof when there is a session, POSTs always, some never, and GET
// logout has a rule of its own (BFF-10, BFF-11, RIL-1).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';
import { volley } from '../lib/volley.mjs';

const kTrusted = 'https://app.shop.test';

const s = stage(({ op, api, at }) => {
    const server = (name, more) => `
    server {
        listen ${at.tls(name)};
        keepalive_requests 100000;
        bff_trusted_origin ${kTrusted};
        ${more}
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }`;

    return `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        userinfo on;
        id_token_alg RS256;
    }
    ${server('auto', '')}
    ${server('strict', 'bff_csrf strict;')}
    ${server('off', 'bff_csrf off;')}`;
}, { ready: async (s) => {
    for (const csrf of ['auto', 'strict', 'off']) {
        const b = s.browser(csrf);
        await b.login('/');
        const other = s.browser(csrf);
        await other.login('/');
        users[csrf] = { b, cookie: cookieOf(b), toRefresh: cookieOf(other) };
    }
} });

const users = {};
const cookieOf = (b) => b.jar.header(new URL(b.origin));
const own = (row) => users[row.csrf].b.origin;

// --- rows ---

function product(axes) {
    return Object.entries(axes).reduce((rows, [name, values]) =>
        rows.flatMap((row) => values.map((value) =>
            ({ ...row, [name]: value }))), [{}]);
}

const kPage = { accept: 'text/html,*/*;q=0.8' };
const kSigns = product({
    origin: [undefined, 'own', kTrusted, 'null', 'https://blog.shop.test',
        ['own', 'own']],
    site: [undefined, 'same-origin', 'same-site', 'none', 'cross-site'],
    header: [undefined, '1'],
    kind: [{ mode: 'cors' }, { ...kPage, mode: 'navigate' }, kPage],
}).map(({ kind, ...row }) => ({ ...row, ...kind }));

const only = (value) => ([value ?? []].flat().length === 1
    ? [value].flat()[0] : undefined);

function lines(row) {
    const origin = row.origin && [row.origin].flat().map((one) =>
        (one === 'own' ? own(row) : one));
    return Object.entries({ Origin: origin, 'Sec-Fetch-Site': row.site,
        'Sec-Fetch-Mode': row.mode, Accept: row.accept, 'X-CSRF': row.header,
        Cookie: row.session ? cookieFor(row) : undefined,
    }).flatMap(([name, value]) => [value ?? []].flat().map((one) =>
        `${name}: ${one}\r\n`)).join('');
}

// A session that was renewed gives its new cookies to whoever comes with old
// ones, so that one is apart.
function cookieFor({ csrf, target }) {
    return target === 'refresh' ? users[csrf].toRefresh : users[csrf].cookie;
}

function request(row) {
    return { method: row.method, bytes: `${row.method} /bff/${row.target} `
        + `HTTP/1.1\r\nHost: ${new URL(own(row)).host}\r\n`
        + `Content-Length: 0\r\n${lines(row)}\r\n` };
}

// --- the contract's words, section 5 ---

const isNavigation = (row) => (row.mode === undefined
    ? ['GET', 'HEAD'].includes(row.method) && row.accept !== undefined
    : row.mode === 'navigate');
const isGetNavigation = (row) => row.method === 'GET' && isNavigation(row);

function isShown(row) {
    const isOurs = ['own', kTrusted].includes(only(row.origin));
    if (row.csrf === 'off') {
        return true;
    }
    if ((row.origin !== undefined && !isOurs)
        || (row.site === 'cross-site' && !isGetNavigation(row))) {
        return false;
    }
    if (row.csrf === 'strict' && row.header !== '1' && !isNavigation(row)) {
        return false;
    }
    return row.header === '1' || row.site === 'same-origin' || isOurs
        || isGetNavigation(row);
}

// --- asking ---

async function judge(rows, expected) {
    const failed = [];
    const seen = {};
    const upstream = await s.api.during(async () => {
        for (const csrf of Object.keys(users)) {
            const some = rows.filter((row) => row.csrf === csrf);
            const answers = await volley(s.at.port(csrf), some.map(request),
                'shop.test');
            some.forEach((row, i) => {
                const { status, headers, body } = answers[i];
                const statuses = [expected(row)].flat();
                const isRefused = statuses.includes(403);
                const sets = row.target !== 'refresh'
                    && headers.some(([k]) => /^set-cookie$/i.test(k));

                seen[status] = (seen[status] ?? 0) + 1;
                if (!statuses.includes(status) || (isRefused && (sets
                    || (row.method !== 'HEAD' && !body.includes('csrf'))))) {
                    failed.push(`${status}, not ${statuses}: ${
                        JSON.stringify(row)}`);
                }
            });
        }
    });
    assert.equal(failed.length, 0, `${failed.length} of ${rows.length}:\n${
        failed.slice(0, 40).join('\n')}`);
    assert.deepEqual(upstream, []);
    return seen;
}

const rowsFor = (axes, all = kSigns) => product({ csrf: ['auto', 'strict',
    'off'], ...axes, signs: all }).map(({ signs, ...row }) =>
    ({ ...row, ...signs }));
const kFewSigns = kSigns.filter(({ header, mode }) => !header && mode);

async function isAlive(csrf) {
    return (await users[csrf].b.session()).authenticated;
}

// [what, rows, status when shown with a session, when shown without one,
//  when not shown with a session, when not shown without one]
const kRules = [
    ['session tells its own pages only', { target: ['session'],
        method: ['GET', 'HEAD'] }, 200, 200, 403, 200],
    ['user tells its own pages only', { target: ['user'],
        method: ['GET', 'HEAD'] }, 200, 401, 403, 401],
    ['BFF-10: POST login is for our pages', { target: ['login'],
        method: ['POST'] }, 200, 200, 403, 403],
    ['BFF-10: POST refresh is for our pages', { target: ['refresh'],
        method: ['POST'] }, 204, 401, 403, 403],
];

for (const [what, axes, shown, shownToNobody, refused, refusedToNobody]
    of kRules) {
    test(what, async () => {
        const seen = await judge(rowsFor({ ...axes, session: [true, false] }),
            (row) => (row.session ? (isShown(row) ? shown : refused)
                : isShown(row) ? shownToNobody : refusedToNobody));
        assert.ok(seen[403] > 100 && seen[shown] > 100, JSON.stringify(seen));
    });
}

test('BFF-10: userinfo is for our pages', async () => {
    const asked = s.op.calls('userinfo').length;
    const rows = rowsFor({ target: ['userinfo'], method: ['GET'],
        session: [true, false] }).filter((row) => !row.session || !isShown(row)
            || (row.origin === undefined && row.csrf !== 'off'));
    const seen = await judge(rows, (row) =>
        (!row.session ? 401 : isShown(row) ? 200 : 403));
    assert.equal(s.op.calls('userinfo').length - asked, seen[200]);
});

test('what needs no proof is not asked for one', async () => {
    const rows = (target, method) => rowsFor({ target: [target],
        method: [method], session: [true, false] }, kFewSigns);
    const isFine = async (all, status) => judge(all, () => status);

    await isFine(rows('jwks', 'GET'), 200);
    await isFine(rows('callback', 'GET'), [302, 400]);
    await isFine(rows('callback', 'POST'), [302, 400]);
    await isFine(rows('backchannel', 'POST'), 400);
    await isFine(rows('frontchannel?iss=x', 'GET'), 400);
    await isFine(rows('login', 'GET'), 302);
    await isFine(rows('session', 'POST'), 405);
    await isFine(rows('refresh', 'GET'), 405);
    await isFine(rows('nothing', 'POST'), 404);
    for (const csrf of Object.keys(users)) {
        assert.equal(await isAlive(csrf), true);
    }
});

// --- logout ---

test('RIL-1: POST logout is for our pages, with a session or without',
    async () => {
        const rows = rowsFor({ target: ['logout'], method: ['POST'],
            session: [false, true] }).filter((row) =>
            !row.session || !isShown(row));
        const seen = await judge(rows, (row) => (!isShown(row) ? 403
            : isNavigation(row) ? 303 : 200));
        assert.ok(seen[403] > 100 && seen[200] > 50, JSON.stringify(seen));
        for (const csrf of Object.keys(users)) {
            assert.equal(await isAlive(csrf), true);
        }
    });

// "Without that token: only for a same-origin navigation, else 403 csrf."
const isOwnNavigation = (row) =>
    row.mode === 'navigate' && row.site === 'same-origin';

test('RIL-1: GET logout without this session\'s token ends nothing',
    async () => {
        const other = s.browser('auto');
        await other.login('/');
        const sid = (await other.session()).logout_url.split('?')[1];
        const mine = (await users.auto.b.session()).logout_url.split('sid=')[1];
        const rows = rowsFor({ target: ['logout', 'logout?sid=', 'logout?sid',
            `logout?${sid}`, `logout?sid=${mine.slice(0, -1)}`,
            `logout?sid=${mine}=`, `logout?sid=%20${mine}`,
            `logout?SID=${mine}`], method: ['GET'], session: [true] })
            .filter((row) => !isOwnNavigation(row));

        await judge(rows, () => 403);
        await judge(rowsFor({ target: [`logout?sid=x&sid=${mine}`,
            `logout?sid=${mine}&sid=${mine}`], method: ['GET'],
        session: [true] }), () => 400);
        for (const csrf of Object.keys(users)) {
            assert.equal(await isAlive(csrf), true);
        }
    });

test('RIL-1: GET logout from another site ends nothing without a session',
    async () => {
        await judge(rowsFor({ target: ['logout', 'logout?sid='],
            method: ['GET'], session: [false] }).filter((row) =>
            ['cross-site', 'same-site'].includes(row.site)), () => 403);
        assert.equal(await isAlive('auto'), true);
    });

test('RIL-1: GET logout with the token, or a click of our own page, ends it',
    async () => {
        for (const [site, mode, hasToken] of [['same-origin', 'navigate', true],
            ['cross-site', 'navigate', true], ['none', 'navigate', true],
            ['cross-site', 'no-cors', true], [undefined, undefined, true],
            ['same-origin', 'navigate', false]]) {
            const { browser } = await attempt(s, { browser: s.browser('auto') });
            const { logout_url } = await browser.session();
            const answer = await browser.request(hasToken ? logout_url
                : '/bff/logout', { headers: { 'Sec-Fetch-Site': site,
                'Sec-Fetch-Mode': mode } });
            assert.equal(answer.status, 302, `${site} ${mode} ${hasToken}`);
            assert.equal((await browser.session()).authenticated, false);
        }
    });
