// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The page drives the login: it asks where to send the browser, hands over the
// address that the provider sent it back to, and may ask without being seen.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertErrorPage, assertHidden, assertLoggedIn, assertProblem, kKey,
    kLoginCookie, kSessionCookie, sessionCookiesSet } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';
import * as wire from '../lib/wire.mjs';

const s = stage(({ op, at }) => {
    const provider = (name, more = '') => `
        bff_provider ${name} {
            issuer ${op.issuer};
            client_id shop;
            client_secret "shop secret";
            session_key ${kKey};
            timeout 2s;
            ${more}
        }`;

    return `
        ${provider('corp')}
        ${provider('own', `redirect_uri https://shop.test:${at.port('own')}/cb;`)}
        server {
            listen ${at.tls()};
            location / { return 200 home; }
            location /api/ { bff corp; }
        }
        server {
            listen ${at.tls('own')};
            location / { return 200 home; }
            location /api/ { bff own; }
        }`;
});

function ask(browser, body, options = {}) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return browser.api('/bff/login', { method: 'POST', body: text, ...options,
        headers: { 'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(text), ...options.headers } });
}

function hand(browser, url, options = {}) {
    const body = typeof url === 'string' ? JSON.stringify({ url })
        : JSON.stringify(url);
    return browser.api('/bff/callback', { method: 'POST', body, ...options,
        headers: { 'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(body), ...options.headers } });
}

// --- POST login ---

test('POST login tells where to go, and the login works from there', async () => {
    const b = s.browser();
    const answer = await ask(b, { returnUrl: '/deep?x=%20y',
        params: { prompt: 'login', max_age: 600, ui_locales: 'de en' } });
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.deepEqual(Object.keys(answer.json()), ['authorization_url']);

    const there = new URL(answer.json().authorization_url);
    assert.equal(there.searchParams.get('prompt'), 'login');
    assert.equal(there.searchParams.get('max_age'), '600');
    assert.equal(there.searchParams.get('ui_locales'), 'de en');
    assert.equal(b.jar.named(kLoginCookie).length, 1);

    s.op.claims = (usual) => ({ ...usual,
        auth_time: Math.floor(Date.now() / 1000) });
    const back = await b.callback(s.op.approve(there.href));
    assertLoggedIn(back);
    assert.equal(back.headers.refresh, '0; url=/deep?x=%20y');
});

for (const [what, body, headers] of [
    ['no body at all', '', { 'Content-Type': null, 'Content-Length': null }],
    ['an empty body', ''],
    ['an empty object', {}],
]) {
    test(`POST login with ${what} logs in to /`, async () => {
        const b = s.browser();
        const answer = await ask(b, body, { headers });
        assert.equal(answer.status, 200, answer.body);
        const back = await b.callback(
            s.op.approve(answer.json().authorization_url));
        assert.equal(back.headers.refresh, '0; url=/');
    });
}

test('POST login passes only what login_args allows', async () => {
    const answer = await ask(s.browser(), { params: { scope: 'admin',
        redirect_uri: 'https://evil.test/', state: 'x', response_type: 'token',
        login_hint: 'a&b=c' } });
    const there = new URL(answer.json().authorization_url).searchParams;
    assert.equal(there.get('login_hint'), 'a&b=c');
    assert.equal(there.get('scope'), 'openid');
    assert.equal(there.get('response_type'), 'code');
    assert.deepEqual(there.getAll('state').length, 1);
    assert.notEqual(there.get('state'), 'x');
});

for (const [what, body, code] of [
    ['text', 'hello', 'bad_request'],
    ['a list', '[]', 'bad_request'],
    ['a member twice', '{"returnUrl":"/a","returnUrl":"/b"}', 'bad_request'],
    ['params that are a list', { params: [] }, 'bad_request'],
    ['a param that is an object', { params: { prompt: {} } }, 'bad_request'],
    ['a max_age that is none', { params: { max_age: 'x' } }, 'bad_request'],
    ['a returnUrl that is a number', { returnUrl: 7 }, 'bad_request'],
    ['a foreign returnUrl', { returnUrl: 'https://evil.test/' }, 'bad_return_url'],
    ['a returnUrl with two slashes', { returnUrl: '//evil.test' }, 'bad_return_url'],
]) {
    test(`BCP-1: POST login with ${what} is 400 ${code}`, async () => {
        const b = s.browser();
        assertProblem(await ask(b, body), 400, code);
        assert.deepEqual(b.jar.named(kLoginCookie), []);
    });
}

test('POST login with another type of body is 400', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
        assertProblem(await ask(s.browser(), '{}',
            { headers: { 'Content-Type': type } }), 400, 'bad_request');
    }
});

test('BFF-10: POST login is for this site\'s own pages', async () => {
    for (const headers of [
        { 'X-CSRF': null, Origin: null, 'Sec-Fetch-Site': null },
        { Origin: 'https://evil.test' }, { Origin: 'null' },
        { 'Sec-Fetch-Site': 'cross-site', Origin: null },
    ]) {
        const b = s.browser();
        assertProblem(await ask(b, {}, { headers }), 403, 'csrf');
        assert.deepEqual(b.jar.named(kLoginCookie), []);
    }
});

test('POST login of more than 16 KiB is 413', async () => {
    const answer = await ask(s.browser(), { returnUrl: '/' + 'x'.repeat(17000) });
    assertProblem(answer, 413, 'bad_request');
});

test('login and callback know GET and POST only', async () => {
    for (const name of ['login', 'callback']) {
        for (const method of ['HEAD', 'PUT', 'DELETE', 'PATCH']) {
            const answer = await s.browser().api(`/bff/${name}`, { method });
            assert.equal(answer.status, 405, `${method} ${name}`);
            assert.equal(answer.headers.allow, 'GET, POST');
        }
    }
});

// --- POST callback as JSON ---

test('a page takes the callback itself', async () => {
    const b = s.browser('own');
    const there = await b.startLogin('/bff/login?returnUrl=/deep');
    const url = s.op.approve(there.href);
    assert.match(url, /\/cb\?/);

    const answer = await hand(b, `${url}#fragment`);
    assert.deepEqual(answer.json(),
        { handled: true, authenticated: true, returnUrl: '/deep' });
    assert.equal(answer.status, 200);
    assert.equal(sessionCookiesSet(answer, /^__Host-Http-bff-own$/).length, 1);
    assertHidden(answer, Object.values(s.op.tokens));
    assert.equal((await b.session()).authenticated, true);
});

test('no log has the code of a page\'s own address', async () => {
    const b = s.browser('own');
    const url = s.op.approve((await b.startLogin()).href);
    const mark = s.nginx.mark();
    const headers = { Referer: url };
    await hand(b, `${url}&state=twice`, { headers });
    await hand(b, url, { headers });

    const log = s.nginx.log(mark);
    assert.match(log, /referrer: "https:\/\/[^"?]*\/cb"/);
    assert.ok(!log.includes(new URL(url).searchParams.get('code')));
});

test('a URL that is no callback is not handled', async () => {
    const b = s.browser('own');
    const urls = [`${b.origin}/`, `${b.origin}/cb`, `${b.origin}/cb?code=x`,
        `${b.origin}/cb?state=x`, `${b.origin}/elsewhere?code=x&state=y`,
        'https://evil.test/cb?code=x&state=y', 'nonsense', ''];

    for (const url of urls) {
        const answer = await hand(b, url);
        assert.equal(answer.status, 200, url);
        assert.deepEqual(answer.json(), { handled: false, authenticated: false });
    }

    await b.login('/').catch(() => {});
    s.op.requests = [];
    const there = await b.startLogin();
    await hand(b, s.op.approve(there.href));
    assert.deepEqual((await hand(b, urls[0])).json(),
        { handled: false, authenticated: true });
});

test('CB-1, CB-2: what a page hands over is checked like any callback', async () => {
    for (const [change, status, code] of [
        [(p) => p.set('state', 'x'.repeat(43)), 400, 'state_mismatch'],
        [(p) => p.set('iss', 'https://evil.test'), 400, 'issuer_mismatch'],
        [(p) => p.append('code', 'twice'), 400, 'bad_request'],
        [(p) => p.append('id_token', 'x'), 400, 'bad_request'],
    ]) {
        const b = s.browser('own');
        const url = new URL(s.op.approve((await b.startLogin()).href));
        change(url.searchParams);
        s.op.requests = [];
        assertProblem(await hand(b, url.href), status, code);
        assert.equal(s.op.calls('token').length, 0);
    }
});

test('CB-4: the provider\'s refusal is a code for the page', async () => {
    const b = s.browser('own');
    s.op.callback = (usual) => ({ state: usual.state, iss: usual.iss,
        error: 'access_denied' });
    const url = s.op.approve((await b.startLogin()).href);
    const problem = assertProblem(await hand(b, url), 403, 'login_refused');
    assert.equal(problem.provider_error, 'access_denied');
});

test('CB-7: a page that hands over the same URL twice is told all is well',
    async () => {
        const b = s.browser('own');
        const url = s.op.approve((await b.startLogin('/bff/login')).href);
        await hand(b, url);
        s.op.requests = [];
        assert.deepEqual((await hand(b, url)).json(),
            { handled: true, authenticated: true, returnUrl: '/' });
        assert.equal(s.op.calls('token').length, 0);

        const other = s.browser('own');
        assertProblem(await hand(other, url), 400, 'login_expired');
    });

test('what is no message of a page is 400', async () => {
    for (const body of [[], {}, { url: 7 }, { url: null }]) {
        assertProblem(await hand(s.browser('own'), body), 400, 'bad_request');
    }
});

// --- silent login ---

const kQuiet = '/bff/login?prompt=none&returnUrl=%2Fquiet%3Fa%3D1%23top';

function refuseWith(error) {
    s.op.callback = (usual) => ({ state: usual.state, iss: usual.iss, error });
}

for (const dest of ['document', 'iframe']) {
    const headers = { 'Sec-Fetch-Dest': dest };

    for (const error of ['login_required', 'interaction_required',
        'consent_required', 'account_selection_required']) {
        test(`CB-4: prompt=none in a ${dest}: ${error} is a code, not a page`,
            async () => {
                const browser = s.browser();
                const start = await browser.navigate(kQuiet,
                    { from: 'same-origin', follow: false, headers });
                assert.equal(new URL(start.headers.location).searchParams
                    .get('prompt'), 'none');
                refuseWith(error);
                s.op.requests = [];
                const answer = await browser.callback(
                    s.op.approve(start.headers.location), { headers });

                const problem = assertProblem(answer, 403, 'login_refused');
                assert.equal(problem.provider_error, error);
                assert.equal(answer.headers.refresh,
                    `0; url=/quiet?a=1&bff_error=${error}#top`);
                assert.equal(answer.headers.location, undefined);
                assert.doesNotMatch(answer.headers['content-security-policy']
                    ?? '', /frame-ancestors 'none'/);
                assert.deepEqual(browser.jar.named(kLoginCookie), []);
                assert.equal(s.op.calls('token').length, 0);
            });
    }
}

test('CB-4: a session that lives survives a silent refusal', async () => {
    const browser = s.browser();
    await browser.login('/');
    const there = await browser.startLogin(kQuiet);
    refuseWith('login_required');
    await browser.callback(s.op.approve(there.href));
    assert.equal((await browser.session()).authenticated, true);
});

test('a silent login that works lands where it was asked to', async () => {
    const { answer } = await attempt(s, { path: kQuiet });
    assertLoggedIn(answer);
    assert.equal(answer.headers.refresh, '0; url=/quiet?a=1#top');
    assert.match(answer.headers['content-security-policy'],
        /frame-ancestors 'self'/);
});

test('every other failure of a silent login is a code, too', async () => {
    const there = async (fault) => {
        s.op.reset();
        await attempt(s);
        s.op.wire.token = fault;
        return (await attempt(s, { path: kQuiet })).answer;
    };

    const rejected = await there(wire.instead({ status: 400,
        body: '{"error":"invalid_grant"}' }));
    assertProblem(rejected, 502, 'code_rejected');
    assert.match(rejected.headers.refresh, /bff_error=code_rejected#top$/);

    const away = await there(wire.resetBefore);
    assertProblem(away, 503, 'provider_unavailable');
    assert.match(away.headers.refresh, /bff_error=provider_unavailable#top$/);
    assert.match(away.headers['retry-after'], /^\d+$/);
});

test('the same refusal of a login that people see is a page', async () => {
    const browser = s.browser();
    const there = await browser.startLogin('/bff/login?returnUrl=/x');
    refuseWith('login_required');
    const answer = await browser.callback(s.op.approve(there.href));
    assertErrorPage(answer, 403, 'login_refused');
    assert.equal(answer.headers.refresh, undefined);
    assert.match(answer.body, /href="\/bff\/login\?returnUrl=%2Fx"/);
});

// --- back button, reload, blocked cookies ---

test('CB-7, CK-15: a reload that shows no Strict cookie is asked once more',
    async () => {
        const { browser, url } = await attempt(s);
        s.op.requests = [];
        const reload = await browser.callback(url);    // cross-site, as before
        assertErrorPage(reload, 400, 'login_expired');
        const again = /^0; url=(.+)$/.exec(reload.headers.refresh)[1];
        assert.ok(!again.includes(url.searchParams.get('code')));

        const home = await browser.navigate(again,
            { from: 'same-origin', follow: false });
        assert.equal(home.status, 302);
        assert.equal(home.headers.location.replace(browser.origin, ''), '/');
        assert.equal(s.op.calls('token').length, 0);
        assert.equal(browser.jar.named(kSessionCookie).length, 1);
    });

test('a browser that keeps no cookies is told so, and does not loop', async () => {
    const browser = s.browser();
    const there = await browser.startLogin();
    const url = s.op.approve(there.href);
    browser.jar.cookies = [];
    s.op.requests = [];

    const first = await browser.callback(url);
    assertErrorPage(first, 400, 'login_expired');
    const second = await browser.navigate(/url=(.+)$/
        .exec(first.headers.refresh)[1], { from: 'same-origin', follow: false });
    assertErrorPage(second, 400, 'login_expired');
    assert.match(second.body, /allow them for this site/);
    assert.equal(second.headers.refresh, undefined);
    assert.equal(s.op.requests.length, 0);
});

test('CK-22: nobody is logged out by a link that asks for too much', async () => {
    const browser = s.browser();
    await browser.login('/');

    for (const query of ['acr_values=nonsense',
        'prompt=none&acr_values=x']) {
        const mark = s.nginx.mark();
        const start = await browser.navigate(`/bff/login?${query}`,
            { from: 'cross-site', follow: false });
        const answer = await browser.callback(
            s.op.approve(start.headers.location));
        assert.equal(answer.status, 502, query);
        assert.match(answer.body, /id_token_invalid/);
        assert.match(s.nginx.log(mark), /\[warn\].*login failed/);
        assert.equal((await browser.session()).authenticated, true, query);
    }
});

test('blank acr_values ask for nothing', async () => {
    assertLoggedIn((await attempt(s, { path: '/bff/login?acr_values=+' })).answer);
});

test('IDT-16: the acr that the page asked for is wanted', async () => {
    const path = '/bff/login?acr_values=gold%20silver';
    s.op.claims = (usual) => ({ ...usual, acr: 'silver' });
    assertLoggedIn((await attempt(s, { path })).answer);

    for (const acr of ['bronze', undefined]) {
        s.op.claims = (usual) => ({ ...usual, acr });
        assertErrorPage((await attempt(s, { path })).answer, 502,
            'id_token_invalid');
    }
});
