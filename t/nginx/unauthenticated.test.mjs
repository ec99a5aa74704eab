// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What somebody without a session gets: a page goes to login, a script gets
// 401 with all it needs, and bff_unauthenticated changes that.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, kKey, kLoginCookie } from '../lib/checks.mjs';
import { stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /auto/ { bff corp; proxy_pass http://${api.address}; }

        location /redirect/ {
            bff corp;
            bff_unauthenticated redirect;
            proxy_pass http://${api.address};
        }
        location /401/ {
            bff corp;
            bff_unauthenticated 401;
            proxy_pass http://${api.address};
        }
        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
    }
`);

function assertToLogin(answer) {
    assert.equal(answer.status, 302, answer.body);
    const url = new URL(answer.headers.location, answer.url);
    assert.equal(url.origin, s.op.issuer);
    assert.match(answer.headers['cache-control'], /no-store/);
}

function assertNoSession(answer) {
    const problem = assertProblem(answer, 401, 'no_session');
    assert.equal(new URL(problem.login_url, answer.url).pathname, '/bff/login');
    assert.equal(answer.headers['www-authenticate'],
        'Bff login="/bff/login"');
    assert.deepEqual(answer.setCookies, []);
}

test('a page navigation goes to login', async () => {
    const b = s.browser();
    const answer = await b.navigate('/auto/x', { follow: false });
    assertToLogin(answer);
    assert.equal(b.jar.named(kLoginCookie).length, 1);
});

test('fetch() gets 401 problem+json with login_url and WWW-Authenticate',
    async () => {
        assertNoSession(await s.browser().api('/auto/x'));
    });

test('the request_id of the answer stands in the log', async () => {
    const mark = s.nginx.mark();
    const { request_id } = (await s.browser().api('/auto/x')).json();
    assert.match(s.nginx.log(mark), new RegExp(request_id));
});

// [what, headers, is it a page?]: without fetch metadata Accept decides.
const kOldBrowsers = [
    ['GET that accepts HTML', 'GET', { Accept: 'text/html,*/*' }, true],
    ['HEAD that accepts HTML', 'HEAD', { Accept: 'text/html' }, true],
    ['GET that accepts anything', 'GET', { Accept: '*/*' }, false],
    ['GET without Accept', 'GET', {}, false],
    ['POST that accepts HTML', 'POST', { Accept: 'text/html' }, false],
    ['an iframe', 'GET', { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate',
        'Sec-Fetch-Dest': 'iframe' }, true],
    ['an image', 'GET', { Accept: 'text/html', 'Sec-Fetch-Mode': 'no-cors',
        'Sec-Fetch-Dest': 'image' }, false],
    ['fetch that accepts HTML', 'GET', { Accept: 'text/html',
        'Sec-Fetch-Mode': 'cors' }, false],
];

for (const [what, method, headers, isPage] of kOldBrowsers) {
    test(`auto: ${what} ${isPage ? 'goes to login' : 'gets 401'}`, async () => {
        const answer = await s.browser().request('/auto/x', { method, headers });

        if (isPage) {
            assertToLogin(answer);
        } else {
            assert.equal(answer.status, 401);
            assert.equal(answer.headers['www-authenticate'],
                'Bff login="/bff/login"');
        }
    });
}

test('redirect: everything goes to login', async () => {
    assertToLogin(await s.browser().api('/redirect/x'));
    assertToLogin(await s.browser().navigate('/redirect/x', { follow: false }));
});

test('401: a page gets it as well, as a page', async () => {
    const answer = await s.browser().navigate('/401/x', { follow: false });
    assert.equal(answer.status, 401);
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.match(answer.body, /no_session/);
    assertNoSession(await s.browser().api('/401/x'));
});

test('pass: the request goes on, without a token', async () => {
    const answer = await s.browser().api('/pass/x');
    assert.equal(answer.status, 200);
    assert.equal(s.api.last.header('authorization'), undefined);
    assert.deepEqual(answer.setCookies, []);
});

test('pass: with a session the token goes along', async () => {
    const b = s.browser();
    await b.login('/');
    await b.api('/pass/x');
    assert.deepEqual(s.api.last.all('authorization'),
        [`Bearer ${s.op.tokens.access_token}`]);
});

test('nothing goes upstream when the answer is 401 or a redirect', async () => {
    const seen = await s.api.during(async () => {
        await s.browser().api('/auto/x');
        await s.browser().navigate('/auto/x', { follow: false });
        await s.browser().api('/401/x', { method: 'POST', body: 'x' });
        await s.browser().api('/redirect/x');
    });
    assert.deepEqual(seen, []);
});

test('a POST of a form cannot be repeated after login: the page is /',
    async () => {
        const b = s.browser();
        const answer = await b.navigate('/redirect/form', { method: 'POST',
            body: 'a=b', follow: false, from: 'same-origin',
            headers: { Origin: b.origin } });
        assert.ok([302, 303].includes(answer.status), answer.body);
    });

test('HEAD gets the 401 without a body', async () => {
    const answer = await s.browser().api('/auto/x', { method: 'HEAD' });
    assert.equal(answer.status, 401);
    assert.equal(answer.body, '');
});
