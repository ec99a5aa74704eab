// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// response_mode form_post: the answer comes as a POST that the provider's page
// has the browser send, with a login cookie that may come along from another
// site, and in no other way (CB-6, CK-14).

import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { test } from 'node:test';

import { assertErrorPage, assertLoggedIn, assertProblem, assertRefused, kKey,
    kLoginCookie, kSessionCookie } from '../lib/checks.mjs';
import { parseSetCookie } from '../lib/cookie_jar.mjs';
import { authority } from '../lib/pki.mjs';
import { connect } from '../lib/raw.mjs';
import { play, stage } from '../lib/stage.mjs';

const kForm = 'application/x-www-form-urlencoded';

const s = stage(({ op, at, api }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        response_mode form_post;
    }

    server {
        listen ${at.tls('main', 'http2')};
        client_body_buffer_size 1k;
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }

    server {
        listen ${at.tls('unlimited')};
        client_max_body_size 0;
        error_page 401 = /bff/login;
        location / { return 200 home; }
        location /api/ { bff corp; }
    }

    server {
        listen ${at.tls('limited')};
        client_max_body_size 100;
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`);

// As the browser sends the provider's form.
function post(browser, { url, body }, options = {}) {
    return browser.navigate(url, { from: 'cross-site', follow: false,
        method: 'POST', body, ...options, headers: { 'Content-Type': kForm,
            'Content-Length': Buffer.byteLength(body), Origin: 'https://op.test',
            ...options.headers } });
}

async function started(name) {
    const browser = s.browser(name);
    const there = await browser.startLogin('/bff/login?returnUrl=/deep%3Fa=1');
    return { browser, there, form: s.op.approveByForm(there.href) };
}

test('CB-6, CK-14: a form ends the login where the user wanted', async () => {
    const { browser, there, form } = await started();
    assert.equal(there.searchParams.get('response_mode'), 'form_post');

    const answer = await post(browser, form);
    assertLoggedIn(answer);
    assert.equal(answer.headers.refresh, '0; url=/deep?a=1');
    assert.equal((await browser.session()).authenticated, true);
    assert.equal((await browser.api('/api/x')).status, 200);
    assert.deepEqual(browser.jar.named(kLoginCookie), []);
});

test('CK-14: the login cookie comes along from another site, and only it',
    async () => {
        const browser = s.browser();
        const start = await browser.navigate('/bff/login',
            { from: 'same-origin', follow: false });
        const [cookie] = start.setCookies.map(parseSetCookie);
        assert.match(cookie.name, kLoginCookie);
        assert.equal(cookie.attributes.samesite, 'None');
        assert.ok('secure' in cookie.attributes);
        assert.ok('httponly' in cookie.attributes);

        const form = s.op.approveByForm(start.headers.location);
        const landed = await post(browser, form);
        const [session] = landed.setCookies.map(parseSetCookie)
            .filter((c) => kSessionCookie.test(c.name) && c.value);
        assert.equal(session.attributes.samesite, 'Strict');
    });

test('CB-6: a query is refused when a form was asked for, and uses up nothing',
    async () => {
        const { browser, form } = await started();
        s.op.requests = [];
        assertRefused(await browser.callback(`${form.url}?${form.body}`), 400,
            'bad_request');
        assert.equal(s.op.calls('token').length, 0);
        assertLoggedIn(await post(browser, form));
    });

test('CB-6: a form is refused when a query was asked for', () =>
    play(({ op, at }) => `
        bff_provider corp {
            issuer ${op.issuer};
            client_id shop;
            client_secret "shop secret";
            session_key ${kKey};
            cookie_samesite none;
        }
        server {
            listen ${at.tls()};
            location / { bff corp; }
        }`, {}, async (s) => {
        const browser = s.browser();
        const there = await browser.startLogin();
        const url = new URL(s.op.approve(there.href));
        // its cookie is Lax: a page of this site has to send it
        const answer = await browser.request(url.origin + url.pathname, {
            method: 'POST', body: url.search.slice(1), headers: {
                'Content-Type': kForm, 'Sec-Fetch-Site': 'same-origin',
                'Content-Length': url.search.length - 1 } });
        assertProblem(answer, 400, 'bad_request');
        assert.equal(s.op.calls('token').length, 0);
        assert.equal((await browser.callback(url)).status, 302);
    }));

// [what, change of the body]
const kBad = [
    ['no state', (f) => f.delete('state')],
    ['another state', (f) => f.set('state', 'x'.repeat(43))],
    ['two states', (f) => f.append('state', f.get('state'))],
    ['two codes', (f) => f.append('code', 'x')],
    ['no code', (f) => f.delete('code')],
    ['an ID token', (f) => f.append('id_token', 'x')],
    ['an access token', (f) => f.append('access_token', 'x')],
    ['the wrong iss', (f) => f.set('iss', 'https://evil.test')],
    ['no iss', (f) => f.delete('iss')],
];

for (const [what, change] of kBad) {
    test(`CB-1: a form with ${what} is refused before any call`, async () => {
        const { browser, form } = await started();
        const fields = new URLSearchParams(form.body);
        change(fields);
        s.op.requests = [];
        assertRefused(await post(browser, { ...form, body: String(fields) }),
            400, ['bad_request', 'state_mismatch', 'issuer_mismatch']);
        assert.equal(s.op.calls('token').length, 0);
    });
}

for (const type of ['text/plain', 'multipart/form-data; boundary=x', null]) {
    test(`CB-1: a body of type ${type} is refused, and uses up nothing`,
        async () => {
            const { browser, form } = await started();
            s.op.requests = [];
            assertRefused(await post(browser, form,
                { headers: { 'Content-Type': type } }), 400, 'bad_request');
            assert.equal(s.op.calls('token').length, 0);
            assertLoggedIn(await post(browser, form));
        });
}

test('the type of a form may have parameters and capitals', async () => {
    const { browser, form } = await started();
    assertLoggedIn(await post(browser, form, { headers: { 'Content-Type':
        'Application/X-WWW-Form-Urlencoded; charset=UTF-8' } }));
});

test('CB-7: the same form a second time is refused, with a session it leads home',
    async () => {
        const { browser, form } = await started();
        const kept = browser.clone();
        assertLoggedIn(await post(browser, form));
        s.op.requests = [];

        assertErrorPage(await post(kept, form), 400, 'login_expired');
        const again = await browser.request(form.url, { method: 'POST',
            body: form.body, headers: { 'Content-Type': kForm, Origin: browser.origin,
                'Content-Length': form.body.length, 'Sec-Fetch-Site': 'same-origin',
                'Sec-Fetch-Mode': 'navigate' } });
        assert.equal(again.status, 303);
        assert.equal(new URL(again.headers.location, again.url).pathname, '/');
        assert.equal(s.op.calls('token').length, 0);
    });

test('CB-4: an error by form is told as the provider\'s', async () => {
    const { browser, form } = await started();
    const fields = new URLSearchParams(form.body);
    fields.delete('code');
    fields.set('error', 'access_denied');
    const answer = await post(browser, { ...form, body: String(fields) });
    assertErrorPage(answer, 403, 'login_refused');
    assert.match(answer.body, /access_denied/);
});

test('section 9: 16 KiB are read, also in pieces and chunks; more is 413',
    async () => {
        for (const [octets, status] of [[16384, 200], [16385, 413], [300000, 413]]) {
            for (const chunked of [false, true]) {
                const { browser, form } = await started();
                const pad = octets - form.body.length - 3;
                const body = `${form.body}&p=${'x'.repeat(pad)}`;
                const answer = await post(browser, { ...form, body },
                    { headers: chunked ? { 'Content-Length': null,
                        'Transfer-Encoding': 'chunked' } : {} });
                assert.equal(answer.status, status,
                    `${octets} ${chunked} ${answer.body}`);
            }
        }
    });

for (const where of ['callback', 'login', 'nothing', 'session']) {
    test(`section 9: a body without end is refused at ${where}, not kept`,
        async () => {
            const socket = connect(s.at.port('unlimited'), 'shop.test');
            const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
            let answer = '';
            let sent = 0;
            socket.on('error', () => {});
            socket.on('data', (data) => { answer += data; });
            socket.write(`POST /bff/${where} HTTP/1.1\r\nHost: shop.test\r\n`
                + 'Transfer-Encoding: chunked\r\n\r\n');

            while (!answer && sent < 1000) {
                sent++;
                await new Promise((resolve) => socket.write(chunk, resolve));
                await new Promise(setImmediate);
            }
            socket.destroy();
            assert.match(answer, /^HTTP\/1\.1 413 /);
        });
}

test('a GET that error_page makes of a large POST is a GET', async () => {
    const browser = s.browser('unlimited');
    const body = 'x'.repeat(20000);
    const answer = await browser.api('/api/x', { method: 'POST', body,
        headers: { 'Content-Length': body.length } });
    assert.equal(answer.status, 302);
    assert.match(answer.headers.location, /response_mode=form_post/);
});

test('a body that comes octet by octet is waited for', async () => {
    const { browser, form } = await started();
    const socket = connect(s.at.port('main'), 'shop.test');
    const { host, pathname } = new URL(form.url);
    socket.setNoDelay(true);
    socket.write(`POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\n`
        + `Cookie: ${browser.jar.header(new URL(form.url), { sameSite: false })}\r\n`
        + `Content-Type: ${kForm}\r\nConnection: close\r\n`
        + `Content-Length: ${form.body.length}\r\n\r\n`);

    for (const octet of form.body) {
        await new Promise((resolve) => socket.write(octet, resolve));
    }

    const answer = (await socket.toArray()).join('');
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /set-cookie: __Host-Http-bff-corp=/i);
});

test('a client that leaves in the middle of its body does no harm', async () => {
    const { browser, form } = await started();
    const socket = connect(s.at.port('main'), 'shop.test');
    socket.on('error', () => {});
    await new Promise((resolve) => socket.write('POST /bff/callback HTTP/1.1\r\n'
        + `Host: shop.test\r\nContent-Type: ${kForm}\r\n`
        + 'Content-Length: 1000\r\n\r\ncode=', resolve));
    socket.destroy();
    assertLoggedIn(await post(browser, form));
});

test('two forms on one connection are answered one after the other', async () => {
    const { browser, form } = await started();
    const socket = connect(s.at.port('main'), 'shop.test');
    const one = (close) => 'POST /bff/callback HTTP/1.1\r\nHost: '
        + `${new URL(form.url).host}\r\nContent-Type: ${kForm}\r\nCookie: `
        + `${browser.jar.header(new URL(form.url), { sameSite: false })}\r\n`
        + `Connection: ${close}\r\nContent-Length: ${form.body.length}\r\n\r\n`
        + form.body;
    socket.write(one('keep-alive') + one('close'));

    const answer = (await socket.toArray()).join('');
    assert.deepEqual(answer.match(/^HTTP\/1\.1 \d+/gm),
        ['HTTP/1.1 200', 'HTTP/1.1 400']);
});

test('over HTTP/2 as well', async () => {
    const { browser, form } = await started();
    const url = new URL(form.url);
    const client = http2.connect(`https://127.0.0.1:${url.port}`,
        { ca: authority().text, servername: 'shop.test' });

    try {
        const stream = client.request({ ':method': 'POST', ':authority': url.host,
            ':path': url.pathname, 'content-type': kForm,
            cookie: browser.jar.header(url, { sameSite: false }) });
        const head = new Promise((resolve) => stream.on('response', resolve));
        stream.end(form.body);
        stream.resume();
        assert.equal((await head)[':status'], 200);
    } finally {
        client.close();
    }
});

test('client_max_body_size still counts where it is smaller', async () => {
    const { browser, form } = await started('limited');
    assert.equal((await post(browser, form)).status, 413);
});

test('nginx -t: form_post needs secure cookies; other modes do not exist',
    async () => {
        const { Nginx } = await import('../lib/nginx.mjs');
        const conf = (lines) => `bff_provider corp { issuer https://op.test;
            client_id x; client_secret y; session_key ${kKey}; ${lines} }`;
        const cases = [
            ['cookie_name plain; cookie_secure off; response_mode form_post;',
                /"response_mode form_post" needs "cookie_secure on"/],
            ['response_mode fragment;', /"response_mode" of .* must be/],
            ['response_mode query; response_mode form_post;', /duplicate/],
        ];

        for (const [lines, says] of cases) {
            const { code, output } = await Nginx.test({ http: conf(lines) });
            assert.equal(code, 1, lines);
            assert.match(output, says);
        }
    });
