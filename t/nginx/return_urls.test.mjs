// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// BCP-1, RIL-5, BFF-15: wherever an address of the browser's choice comes in,
// what comes out of it leads to this site, or to one that is trusted, and a
// good one comes out octet by octet.
//
// The addresses and their verdicts are in t/lib/return_urls.mjs. What comes
// out is shown to a WHATWG URL parser as well, through the grammars that a
// browser reads it with: Location, Refresh, HTML, JSON.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { Conversation } from '../lib/raw.mjs';
import { filledIn, kKept, kRefused, kTrusted } from '../lib/return_urls.mjs';
import { stage } from '../lib/stage.mjs';
import { refreshTarget, urlOf, wrongWithKept, wrongWithQuery }
    from '../lib/whatwg.mjs';

const s = stage(({ op, api, at }) => {
    const provider = (name, more) => `
        bff_provider ${name} {
            issuer ${op.issuer};
            client_id shop;
            client_secret "shop secret";
            session_key ${kKey};
            ${more}
        }`;

    return `
        ${provider('corp', '')}
        ${provider('lax', 'cookie_samesite lax; endpoints_path /lax/;')}
        ${provider('form', `cookie_samesite lax; response_mode form_post;
            endpoints_path /form/;`)}
        large_client_header_buffers 4 32k;
        keepalive_requests 100000;

        server {
            listen ${at.tls()};
            bff_trusted_origin ${kTrusted.join(' ')};
            location / { bff corp; proxy_pass http://${api.address}; }
            location /form/x/ { bff form; proxy_pass http://${api.address}; }
        }
        server {
            listen ${at.tls('lax')};
            bff_trusted_origin ${kTrusted.join(' ')};
            location / { bff lax; proxy_pass http://${api.address}; }
        }`;
});

after(() => lines.forEach((line) => line.close()));

// --- the rows ---

const rows = (listener) => ({
    kept: kKept.map(([given, kept]) => ({
        given: filledIn(given, ownOf(listener)),
        kept: filledIn(kept, ownOf(listener)).toString() })),
    refused: kRefused.map((given) => ({
        given: filledIn(given, ownOf(listener)) })),
});

// Runs check(row) for every row, and fails with the names of those that throw.
async function all(list, check) {
    const failures = [];
    assert.notEqual(list.length, 0);

    for (const row of list) {
        try {
            await check(row);
        } catch (e) {
            failures.push(`${nameOf(row)}: ${e.message.slice(0, 300)}`);
        }
    }

    assert.equal(failures.length, 0, `${failures.length} of ${list.length}:\n${
        failures.slice(0, 40).join('\n')}`);
}

function nameOf({ given }) {
    return JSON.stringify(given.toString('latin1')).slice(0, 100);
}

// --- how a browser would look at what comes out ---

function assertGoesWhere(row, listener, text, context) {
    const site = { own: ownOf(listener), trusted: kTrusted };
    assert.equal(text, row.kept, context);
    assert.equal(wrongWithKept(row.given, text, site), '', context);
}

function assertRefresh(row, listener, answer) {
    assertGoesWhere(row, listener, refreshTarget(answer.header('refresh')),
        'Refresh');
    assertGoesWhere(row, listener, linkOf(answer.body), 'link');
    assert.doesNotMatch(answer.body, /<script|<meta http-equiv|<a [^>]* on/i);
    assert.equal(answer.header('location'), undefined);
}

function assertRefused(answer) {
    assert.equal(answer.status, 400, answer.body);
    assert.equal(JSON.parse(answer.body).code, 'bad_return_url');
    assert.equal(answer.header('location'), undefined);
    assert.equal(answer.header('refresh'), undefined);
    assert.equal(answer.header('set-cookie'), undefined);
}

// The address behind the page's one link.
function linkOf(html) {
    const links = [...html.matchAll(/<a href="([^"]*)"/g)];
    assert.equal(links.length, 1, html);

    return unescaped(links[0][1]);
}

function unescaped(html) {
    return html.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) =>
        ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]);
}

// --- a small client: one connection a listener, cookies by hand ---

const lines = new Map();

function ownOf(listener) {
    return `https://shop.test:${s.at.port(listener)}`;
}

const kScript = { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin',
    'X-CSRF': '1' };
const kPage = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin',
    Accept: 'text/html' };
const kArrival = { ...kPage, 'Sec-Fetch-Site': 'cross-site' };
const kJson = { 'Content-Type': 'application/json' };

function ask(listener, method, target, headers = kScript, body = '') {
    const line = lines.get(listener)
        ?? new Conversation(s.at.port(listener), 'shop.test');
    lines.set(listener, line);

    const all = { Host: new URL(ownOf(listener)).host, ...headers,
        ...(body ? { 'Content-Length': Buffer.byteLength(body) } : {}) };
    const head = Object.entries(all).map(([k, v]) => `${k}: ${v}\r\n`).join('');

    return line.ask(Buffer.concat([Buffer.from(`${method} `), Buffer.from(target),
        Buffer.from(` HTTP/1.1\r\n${head}\r\n${body}`)]));
}

// Every octet escaped that is more than a letter or digit.
function escaped(given) {
    return given.toString('latin1').replace(/[^A-Za-z0-9]/g, (c) =>
        `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function isText({ given }) {
    return Buffer.from(given.toString('utf8')).equals(given);
}

function inJson({ given }) {
    return JSON.stringify({ returnUrl: given.toString('utf8') });
}

// The cookies that an answer sets, for the next request.
function cookiesOf(answer) {
    return answer.headers.filter(([name]) => /^set-cookie$/i.test(name))
        .map(([, value]) => value.split(';')[0])
        .filter((pair) => !pair.endsWith('=')).join('; ');
}

// Where a login begins: { there, Cookie }.
function begun(answer) {
    const there = answer.header('location')
        ?? JSON.parse(answer.body).authorization_url;
    assert.ok(there?.startsWith(`${s.op.issuer}/authorize?`),
        `${answer.status} ${there} ${answer.body}`);

    return { there, Cookie: cookiesOf(answer) };
}

const begin = async (listener, row, path = '/bff/', more = '') =>
    begun(await ask(listener, 'GET',
        `${path}login?returnUrl=${escaped(row.given)}${more}`, kPage));

function pathOf(url) {
    const { pathname, search } = new URL(url);
    return pathname + search;
}

// --- where good ones come out ---

test('BCP-1 RIL-5: Location after a callback, and after the logout of its session',
    () => all(rows('lax').kept, async (row) => {
        const { there, Cookie } = await begin('lax', row, '/lax/');
        const landed = await ask('lax', 'GET', pathOf(s.op.approve(there)),
            { ...kArrival, Cookie });
        assert.equal(landed.status, 302, landed.body);
        assert.equal(landed.header('refresh'), undefined);
        assertGoesWhere(row, 'lax', landed.header('location'), 'Location');

        const left = await ask('lax', 'GET',
            `/lax/logout?returnUrl=${escaped(row.given)}`,
            { ...kPage, Cookie: cookiesOf(landed) });
        assert.deepEqual(saidAtLogout(left), [absolute(row, 'lax')]);
    }));

// What the provider is told, in its address or by the form that takes its place
// when it is too long (RIL-3).
function saidAtLogout(answer) {
    if (answer.status === 302) {
        const end = new URL(answer.header('location'));
        assert.equal(end.origin, new URL(s.op.issuer).origin);
        return end.searchParams.getAll('post_logout_redirect_uri');
    }

    assert.equal(answer.status, 200, answer.body);
    const action = /<form method="post" action="([^"]*)"/.exec(answer.body)[1];
    assert.equal(action, `${s.op.issuer}/end_session`);
    return [...answer.body.matchAll(
        /name="post_logout_redirect_uri" value="([^"]*)"/g)]
        .map(([, value]) => unescaped(value));
}

test('BCP-1: Refresh and its page after a callback, from a POST login',
    () => all(rows('main').kept.filter(isText), async (row) => {
        const { there, Cookie } = begun(await ask('main', 'POST', '/bff/login',
            { ...kScript, ...kJson }, inJson(row)));
        const landed = await ask('main', 'GET', pathOf(s.op.approve(there)),
            { ...kArrival, Cookie });
        assert.equal(landed.status, 200, landed.body);
        assertRefresh(row, 'main', landed);
    }));

test('BCP-1: Location after the callback\'s form', () =>
    all(rows('main').kept, async (row) => {
        const { there, Cookie } = await begin('main', row, '/form/');
        const { url, body } = s.op.approveByForm(there);
        const landed = await ask('main', 'POST', pathOf(url), { ...kArrival,
            Cookie, 'Content-Type': 'application/x-www-form-urlencoded' }, body);
        assert.equal(landed.status, 303, landed.body);
        assertGoesWhere(row, 'main', landed.header('location'), 'Location');
    }));

test('BCP-1: the answer to a page that took the callback, and to its POST logout',
    () => all(rows('main').kept, async (row) => {
        const { there, Cookie } = await begin('main', row);
        const landed = await ask('main', 'POST', '/bff/callback',
            { ...kScript, ...kJson, Cookie },
            JSON.stringify({ url: s.op.approve(there) }));
        assert.equal(landed.status, 200, landed.body);
        assertGoesWhere(row, 'main', JSON.parse(landed.body).returnUrl, 'JSON');

        const left = await ask('main', 'POST',
            `/bff/logout?returnUrl=${escaped(row.given)}`,
            { ...kScript, Cookie: cookiesOf(landed) });
        assert.equal(left.status, 200, left.body);
        const end = new URL(JSON.parse(left.body).logout_url);
        assert.equal(end.searchParams.get('post_logout_redirect_uri'),
            absolute(row, 'main'));
    }));

test('BCP-1 CB-4: what a silent login that was refused leads to', () =>
    all(rows('main').kept, async (row) => {
        const { there, Cookie } = await begin('main', row, '/bff/', '&prompt=none');
        const told = await ask('main', 'GET', pathOf(refusal(there)),
            { ...kArrival, Cookie });
        assert.equal(told.status, 403, told.body);

        assert.equal(wrongWithQuery(row.kept,
            refreshTarget(told.header('refresh')),
            { bff_error: 'login_required' }, { own: ownOf('main') }), '');
    }));

test('BCP-1 CB-4: the link of a refused login\'s page, and its JSON twin', () =>
    all(rows('main').kept, async (row) => {
        const { there, Cookie } = await begin('main', row);
        const page = await ask('main', 'GET', pathOf(refusal(there)),
            { ...kArrival, Cookie });
        assert.equal(page.status, 403, page.body);
        assertAgain(row, linkOf(page.body));

        const begunAgain = await begin('main', row);
        const twin = await ask('main', 'GET', pathOf(refusal(begunAgain.there)),
            { ...kScript, Cookie: begunAgain.Cookie });
        assertAgain(row, JSON.parse(twin.body).login_url);
    }));

test('BCP-1 RIL-5: Location of a logout without a session', () =>
    all(rows('main').kept, async (row) => {
        const target = `/bff/logout?returnUrl=${escaped(row.given)}`;
        const left = await ask('main', 'GET', target, kPage);
        assert.equal(left.status, 302, left.body);
        assert.equal(left.header('location'), absolute(row, 'main'));

        const form = await ask('main', 'POST', target,
            { ...kPage, Origin: ownOf('main') });
        assert.equal(form.status, 303, form.body);
        assert.equal(form.header('location'), absolute(row, 'main'));
    }));

// --- where bad ones do not get in ---

test('BCP-1: GET login refuses it, and asks no provider', async () => {
    await all(rows('main').refused, async (row) => assertRefused(await ask('main',
        'GET', `/bff/login?returnUrl=${escaped(row.given)}`)));
    assert.deepEqual(s.op.requests.filter((r) => r.endpoint !== 'metadata'), []);
});

test('BCP-1: POST login refuses it', () =>
    all(rows('main').refused.filter(isText), async (row) =>
        assertRefused(await ask('main', 'POST', '/bff/login',
            { ...kScript, ...kJson }, inJson(row)))));

test('BCP-1: a page that is refused does not show it', () =>
    all(rows('main').refused, async (row) => {
        const page = await ask('main', 'GET',
            `/bff/login?returnUrl=${escaped(row.given)}`, kPage);
        assert.equal(page.status, 400);
        assert.equal(page.header('location'), undefined);
        assert.equal(page.header('refresh'), undefined);
        assert.equal(linkOf(page.body), '/');
        assert.doesNotMatch(page.body, /evil|script|javascript/i);
    }));

test('BCP-1 RIL-5: GET and POST logout refuse it, and the session goes on',
    async () => {
        const list = rows('lax');
        const { there, Cookie } = await begin('lax', list.kept[0], '/lax/');
        const landed = await ask('lax', 'GET', pathOf(s.op.approve(there)),
            { ...kArrival, Cookie });
        const session = { ...kScript, Cookie: cookiesOf(landed) };
        const { logout_url } = JSON.parse((await ask('lax', 'GET',
            '/lax/session', session)).body);

        await all(list.refused, async (row) => {
            const more = `returnUrl=${escaped(row.given)}`;
            assertRefused(await ask('lax', 'GET', `${logout_url}&${more}`,
                session));
            assertRefused(await ask('lax', 'POST', `/lax/logout?${more}`,
                session));
            assertRefused(await ask('lax', 'GET', `/lax/logout?${more}`));
        });
        assert.equal(JSON.parse((await ask('lax', 'GET', '/lax/session',
            session)).body).authenticated, true);
    });

// --- the address of a protected page ---

const kOtherHost = true; // than Host says

// Beyond the return URLs: what only a request line can say. '' is "/".
const kTargets = [
    ['//evil.test', ''], ['///evil.test/', ''], ['//evil.test/page?x', ''],
    ['/\\evil.test', ''], ['/page\\', ''], ['/page?a=\\', ''], ['/page/%5c', ''],
    ['/%2fevil.test', ''], ['/%2f%2fevil.test', ''], ['/%5cevil.test', ''],
    ['/%252fevil.test', ''], ['/./%2fevil.test', ''], ['/page/..//evil.test', ''],
    ['/page/%2e%2e//evil.test', ''], ['/.//evil.test', ''],
    ['/page/..%2f/evil.test', ''], ['/page%09', ''], ['/page%0d%0aX:y', ''],
    ['https://shop.test//evil.test', ''], ['https://shop.test/\\evil', ''],
    ['https://evil.test//evil.test', '', kOtherHost],
    ['http://user@evil.test/', 'NGINX'],
    ['https://shop.test/page?x=%2F', '/page?x=%2F'],
    ['https://shop.test', '/'], ['https://shop.test?a=b', '/?a=b'],
    ['https://evil.test/page', '/page', kOtherHost],
    ['HTTPS://EVIL.TEST:1/a?b', '/a?b', kOtherHost],
    ['javascript://evil.test/a', '/a', kOtherHost],
    ['/page/a%20b/%c3%a4?q=a+b&r=%2f&s=%22', '/page/a%20b/%c3%a4?q=a+b&r=%2f&s=%22'],
    ['/page;//evil.test', '/page;//evil.test'], ['/page//x', '/page//x'],
    ['/page?//evil.test', '/page?//evil.test'], ['/page#//evil', '/page#//evil'],
    ['/page?a=\x80', '/page?a=%80'], ['/page/\xe9', '/page/%E9'],
    [`/${'x'.repeat(2047)}`, `/${'x'.repeat(2047)}`],
    [`/page?${'x'.repeat(2042)}`, `/page?${'x'.repeat(2042)}`],
    ['*', 'NGINX'], ['evil.test:443', 'NGINX'], ['evil.test', 'NGINX'],
    ['', 'NGINX'], ['?x', 'NGINX'],
].map(([target, kept, isElsewhere]) => ({ given: Buffer.from(target, 'latin1'),
    kept, isElsewhere }));

// NGINX itself refuses what is above the root or no escape.
const isOfNginx = (answer) => answer.status === 400
    && /<center>nginx/.test(answer.body);

const kSendable = /^[\x21-\x7e\x80-\xff]+$/;

// The return URLs as targets: a good path is remembered, all else is not. An
// absolute URL is one more way to write its path.
function targets(listener) {
    const { kept, refused } = rows(listener);
    const isTarget = ({ given }) => given[0] === 0x2f
        && kSendable.test(given.toString('latin1'));

    return [...kTargets, ...kept.filter(isTarget),
        ...refused.filter(isTarget).map((row) => ({ ...row, kept: '' }))];
}

test('BCP-1 BFF-15: the remembered address of a protected page', async () => {
    let remembered = 0;

    await all(targets('lax'), async (row) => {
        const answer = await ask('lax', 'GET', row.given, kPage);
        if (isOfNginx(answer) || row.kept === 'NGINX') {
            assert.equal(isOfNginx(answer), true, `${answer.status}`);
            return;
        }
        if (row.isElsewhere) { // nobody knows whose page it is
            assert.equal(answer.status, 400);
            assert.match(answer.body, /bad_request/);
            return;
        }

        const { there, Cookie } = begun(answer);
        assert.equal(new URL(there).searchParams.get('redirect_uri'),
            `${ownOf('lax')}/lax/callback`);
        const landed = await ask('lax', 'GET', pathOf(s.op.approve(there)),
            { ...kArrival, Cookie });
        assert.equal(landed.status, 302);
        assertRemembered(row, landed.header('location'));
        remembered++;
    });

    assert.ok(remembered > 250, `${remembered}`);
});

test('BCP-1 CK-14: where the page for an arrival from another site leads',
    async () => {
        let bounced = 0;

        await all(targets('main'), async (row) => {
            const answer = await ask('main', 'GET', row.given, kArrival);
            if (isOfNginx(answer) || row.kept === 'NGINX') {
                assert.equal(isOfNginx(answer), true, `${answer.status}`);
                return;
            }

            assert.equal(answer.status, 200, answer.body);
            // nobody has to remember it
            const where = row.given.length > 2048 && row.kept === ''
                ? row.given.toString('latin1').replace(/[\x80-\xff]/g, encodeOctet)
                : row.kept;
            assertRemembered({ ...row, kept: where },
                refreshTarget(answer.header('refresh')));
            assertRemembered({ ...row, kept: where }, linkOf(answer.body));
            bounced++;
        });

        assert.ok(bounced > 250, `${bounced}`);
    });

test('CK-14: an address that is too long to remember is still bounced to', () =>
    all([5000, 16000].map((n) => ({ given: Buffer.from(`/page?${'x'.repeat(n)}`) })),
        async ({ given }) => {
            const answer = await ask('main', 'GET', given, kArrival);
            assert.equal(answer.status, 200);
            assert.equal(refreshTarget(answer.header('refresh')), `${given}`);
        }));

function assertRemembered({ kept }, where) {
    assert.equal(where, kept === '' ? '/' : kept);
    assert.equal(urlOf(where, `${ownOf('lax')}//evil.test/page`).origin,
        ownOf('lax'));
}

// --- the address that a page hands over ---

test('BCP-1 CB-1: an address that is not the callback\'s is not handled',
    async () => {
        const own = ownOf('main');
        const { there, Cookie } = await begin('main', { given: Buffer.from('/deep') });
        const url = s.op.approve(there);
        const answer = new URL(url).search;
        const others = [`http${url.slice(5)}`, `${own}.evil.test/bff/callback`,
            `https://evil.test/bff/callback`, `//evil.test/bff/callback`,
            `https://shop.test/bff/callback`, `https://shop.test:1/bff/callback`,
            `https://x@${new URL(own).host}/bff/callback`,
            `${own}@evil.test/bff/callback`, `${own}\\@evil.test/bff/callback`,
            `${own}//bff/callback`, `${own}/bff//callback`, `${own}/bff/callback/`,
            `${own}/bff/callback;x`, `${own}/bff/x/../callback`,
            `${own}/bff/%63allback`, `${own}/BFF/callback`, `${own}/bff/callback%3f`,
            `${own}/bff\\callback`, `${own}/bff/callback%00`, `${own}/bff/callbac`,
            `${own}/form/callback`, `${own}/`, own, '/bff/callback', 'bff/callback',
            '?', '', '#', 'javascript:/bff/callback', `data:,${own}/bff/callback`,
            ` ${own}/bff/callback`, `\t${own}/bff/callback`, `blob:${own}/bff/callback`,
            `view-source:${own}/bff/callback`, `${own}/bff/callback\n`,
            `${own}/bff/call\tback`, `${own}/bff/callback#`, 'https:/bff/callback',
            'https:bff/callback'];
        const rowsOfOthers = others.flatMap((start) => [start + answer,
            `${start}#${answer}`]).map((text) => ({ given: Buffer.from(text) }));
        s.op.requests = [];

        await all(rowsOfOthers, async (row) => {
            const told = await ask('main', 'POST', '/bff/callback',
                { ...kScript, ...kJson, Cookie },
                JSON.stringify({ url: row.given.toString() }));
            assert.equal(told.status, 200, told.body);
            assert.deepEqual(JSON.parse(told.body),
                { handled: false, authenticated: false });
        });
        assert.equal(s.op.calls('token').length, 0);

        const told = await ask('main', 'POST', '/bff/callback',
            { ...kScript, ...kJson, Cookie }, JSON.stringify({ url }));
        assert.equal(JSON.parse(told.body).returnUrl, '/deep');
    });

// --- what several tests say ---

function absolute({ kept }, listener) {
    return kept.startsWith('/') ? ownOf(listener) + kept : kept;
}

// What the provider sends the browser back with when it refuses.
function refusal(there) {
    const { searchParams } = new URL(there);
    const query = new URLSearchParams({ error: 'login_required',
        state: searchParams.get('state'), iss: s.op.issuer });

    return `${searchParams.get('redirect_uri')}?${query}`;
}

// A login link that asks for the same once more.
function assertAgain({ kept }, link) {
    const url = new URL(link, ownOf('main'));
    assert.equal(url.origin + url.pathname, `${ownOf('main')}/bff/login`);
    assert.equal(url.searchParams.get('returnUrl') ?? '/', kept);
}

function encodeOctet(c) {
    return `%${c.charCodeAt(0).toString(16).toUpperCase()}`;
}
