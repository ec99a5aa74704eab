// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How a login ends, and every way in which it must not: a callback with
// anything wrong is refused before the provider hears of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertHidden, assertLoggedIn, assertRefused, kKey, kLoginCookie,
    kSessionCookie, sessionCookiesSet } from '../lib/checks.mjs';
import { parseSetCookie } from '../lib/cookie_jar.mjs';
import { Nginx, Place, kNoClock } from '../lib/nginx.mjs';
import { attempt, play, stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    bff_provider lax {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_samesite lax;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }

    server {
        listen ${at.tls('lax')};
        location / { return 200 home; }
        location /api/ { bff lax; proxy_pass http://${api.address}; }
    }
`);

test('BFF-5 CK-14: SameSite=Strict lands by a Refresh page', async () => {
    const { answer } = await attempt(s, { path: '/bff/login?returnUrl=/a%3Fb' });

    assertLoggedIn(answer);
    assert.match(answer.headers.refresh, /^0;\s*url=(https:\/\/[^/]+)?\/a\?b$/);
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.equal(answer.headers['referrer-policy'], 'no-referrer');
    assert.equal(answer.headers.location, undefined);
});

test('BFF-3..9: the session cookie is sealed and has every attribute',
    async () => {
        const { answer, browser } = await attempt(s);
        const [{ name, value, attributes }] = sessionCookiesSet(answer);

        assert.equal(name, '__Host-Http-bff-corp');
        assert.match(value, /^[A-Za-z0-9_-]+$/);
        assert.equal(attributes.secure, true);
        assert.equal(attributes.httponly, true);
        assert.equal(attributes.path, '/');
        assert.equal(attributes.samesite, 'Strict');
        assert.equal(attributes.domain, undefined);
        assert.equal(browser.jar.named(kSessionCookie).length, 1);
        assert.deepEqual(browser.jar.ignored, []);

        const clear = Buffer.from(value, 'base64url').toString('latin1');
        const { access_token, id_token } = s.op.tokens;
        ['user-1', 'Ada', access_token, id_token.slice(0, 40)].forEach((t) =>
            assert.ok(!clear.includes(t), t));
    });

test('CK-22: the login\'s own cookie is taken away by the callback', async () => {
    const { answer, browser } = await attempt(s);
    const gone = answer.setCookies.map(parseSetCookie)
        .filter((c) => kLoginCookie.test(c.name));

    assert.equal(gone.length, 1);
    assert.equal(gone[0].value, '');
    assert.equal(gone[0].attributes['max-age'], '0');
    assert.equal(browser.jar.named(kLoginCookie).length, 0);
});

test('SameSite=Lax lands by a redirect', async () => {
    const b = s.browser('lax');
    const there = await b.startLogin('/bff/login?returnUrl=/a%3Fb');
    const answer = await b.callback(s.op.approve(there.href));

    assert.ok([302, 303].includes(answer.status));
    assert.equal(new URL(answer.headers.location, b.origin).href,
        `${b.origin}/a?b`);
    assert.match(answer.headers['cache-control'], /no-store/);
    const [cookie] = sessionCookiesSet(answer, /^__Host-Http-bff-lax$/);
    assert.equal(cookie.attributes.samesite, 'Lax');
    assert.equal((await b.api('/api/x')).status, 200);
});

test('CB-5: parameters that nobody knows are ignored', async () => {
    const { answer } = await attempt(s, { change: (q) => {
        q.set('session_state', 'abc.def');
        q.set('whatever', '1');
    } });
    assertLoggedIn(answer);
});

// [what, change of the callback's URL, code or codes]
const kWrong = [
    ['CB-2: state missing', (q) => q.delete('state'), ['state_mismatch',
        'bad_request', 'login_expired']],
    ['CB-2: state empty', (q) => q.set('state', ''), ['state_mismatch',
        'bad_request', 'login_expired']],
    ['CB-2: state of nobody', (q) => q.set('state', 'x'.repeat(43)),
        ['state_mismatch', 'login_expired']],
    ['CB-2: state with one letter changed', (q) => q.set('state', flip(
        q.get('state'))), ['state_mismatch', 'login_expired']],
    ['CB-2: state with one letter more', (q) => q.set('state',
        `${q.get('state')}A`), ['state_mismatch', 'login_expired']],
    ['CB-2: state too long', (q) => q.set('state', 'x'.repeat(5000)),
        ['state_mismatch', 'login_expired', 'bad_request']],
    ['CB-1: state doubled', (q) => q.append('state', q.get('state')),
        ['bad_request', 'state_mismatch']],
    ['CB-1: code doubled', (q) => q.append('code', 'other'), 'bad_request'],
    ['CB-1: iss doubled', (q) => q.append('iss', q.get('iss')),
        ['bad_request', 'issuer_mismatch']],
    ['CB-1: an unknown parameter doubled', (q) => {
        q.append('session_state', 'a');
        q.append('session_state', 'b');
    }, 'bad_request'],
    ['code missing', (q) => q.delete('code'), 'bad_request'],
    ['code empty', (q) => q.set('code', ''), 'bad_request'],
    ['code and error together', (q) => q.set('error', 'access_denied'),
        ['bad_request']],
    ['CB-5: an id_token in the callback', (q) => q.set('id_token', 'a.b.c'),
        'bad_request'],
    ['CB-5: an access_token in the callback', (q) => q.set('access_token', 'a'),
        'bad_request'],
    ['JARM-2: a response that nobody asked for', (q) => {
        q.set('response', 'a.b.c');
        q.delete('code');
    }, 'bad_request'],
    ['ISS-1: another issuer', (q) => q.set('iss', 'https://evil.test'),
        'issuer_mismatch'],
    ['ISS-1: the issuer with a slash', (q) => q.set('iss', `${q.get('iss')}/`),
        'issuer_mismatch'],
    ['ISS-1: the issuer in capitals', (q) => q.set('iss',
        q.get('iss').toUpperCase()), 'issuer_mismatch'],
    ['ISS-1: the issuer encoded twice', (q) => q.set('iss',
        encodeURIComponent(q.get('iss'))), 'issuer_mismatch'],
    ['ISS-1: an empty issuer', (q) => q.set('iss', ''), 'issuer_mismatch'],
    ['ISS-2: the announced issuer missing', (q) => q.delete('iss'),
        'issuer_mismatch'],
    ['ISS-2: an error without the announced issuer', (q) => {
        q.delete('code');
        q.delete('iss');
        q.set('error', 'access_denied');
    }, 'issuer_mismatch'],
    ['ISS-1: an error with another issuer', (q) => {
        q.delete('code');
        q.set('error', 'access_denied');
        q.set('iss', 'https://evil.test');
    }, 'issuer_mismatch'],
    ['a percent sign that starts nothing', (q, url) => url.href.replace(
        /code=[^&]*/, 'code=%zz'), 'bad_request'],
    ['no parameters at all', (q, url) => url.href.split('?')[0],
        ['state_mismatch', 'bad_request', 'login_expired']],
];

function flip(text) {
    return (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
}

for (const [what, change, codes] of kWrong) {
    test(`${what}: 400 and the provider hears nothing`, async () => {
        const { answer, url, browser } = await attempt(s, { change });

        assertRefused(answer, 400, codes);
        assert.equal(s.op.calls('token').length, 0);
        assert.deepEqual(browser.jar.named(kSessionCookie), []);
        assert.equal(answer.headers.location, undefined);
        assertHidden(answer, [new URL(url).searchParams.get('code')]);
    });
}

// A login that began here comes back to an NGINX that has asked nothing yet.
async function elsewhere(change) {
    const browser = s.browser();
    const there = await browser.startLogin();
    const back = new URL(s.op.approve(there.href));
    const place = await Place.make();
    const other = await Nginx.start({ place, http: `
        bff_provider corp {
            issuer ${s.op.issuer};
            client_id shop;
            client_secret "shop secret";
            session_key ${kKey};
        }
        server { listen ${place.tls()}; location / { bff corp; } }` });

    try {
        s.op.requests = [];
        back.port = place.port();
        change(back.searchParams);
        return await browser.callback(back);
    } finally {
        await other.stop();
    }
}

test('CB-1: a wrong state asks nothing at all, not even for metadata',
    async () => {
        assertRefused(await elsewhere((q) => q.set('state', 'x'.repeat(43))),
            400, 'state_mismatch');
        assert.deepEqual(s.op.requests, []);
    });

test('CB-1: a wrong issuer asks nothing at all, not even for metadata',
    async () => {
        assertRefused(await elsewhere((q) => q.set('iss', 'https://evil.test')),
            400, 'issuer_mismatch');
        assert.deepEqual(s.op.requests, []);
    });

test('CB-1: a missing issuer asks whether it was announced, and no more',
    async () => {
        assertRefused(await elsewhere((q) => q.delete('iss')), 400,
            'issuer_mismatch');
        assert.deepEqual(s.op.requests.map((r) => r.endpoint), ['metadata']);
    });

test('CB-1: a good answer is taken where nothing was known', async () => {
    assertLoggedIn(await elsewhere(() => {}));
    assert.deepEqual(s.op.requests.map((r) => r.endpoint),
        ['metadata', 'token', 'jwks']);
});

test('CB-2: ten minutes after it began a login is over', { skip: kNoClock },
    () => play(({ op, at }) => `
        bff_provider corp {
            issuer ${op.issuer};
            client_id shop;
            client_secret "shop secret";
            session_key ${kKey};
        }
        server { listen ${at.tls()}; location / { bff corp; } }`,
    { clock: true }, async (s) => {
        const [early, late] = [s.browser(), s.browser()];
        const urls = [await early.startLogin(), await late.startLogin()];

        s.op.claims = (claims) => ({ ...claims, exp: claims.exp + 3600 });
        s.nginx.setForward(590);
        assertLoggedIn(await early.callback(s.op.approve(urls[0].href)));
        s.nginx.setForward(601);
        s.op.requests = [];
        assertRefused(await late.callback(s.op.approve(urls[1].href)), 400,
            'login_expired');
        assert.deepEqual(s.op.requests, []);
    }));

test('CB-1: without the login\'s cookie the callback is refused', async () => {
    const b = s.browser();
    const there = await b.startLogin();
    const other = s.browser();
    assertRefused(await other.callback(s.op.approve(there.href)), 400,
        'login_expired');
    assert.equal(s.op.calls('token').length, 0);
});

test('CB-2: the cookie of another login does not help', async () => {
    const b = s.browser();
    const mine = await b.startLogin();
    const victim = await s.browser().startLogin();
    assertRefused(await b.callback(s.op.approve(victim.href)), 400,
        ['login_expired', 'state_mismatch']);
    assert.equal(s.op.calls('token').length, 0);

    const [cookie] = b.jar.named(kLoginCookie);
    assert.ok(cookie, 'the login of this tab must live on');
    assertLoggedIn(await b.callback(s.op.approve(mine.href)));
});

test('a tampered login cookie is no login, whichever octet it is', async () => {
    const b = s.browser();
    const there = await b.startLogin();
    const back = s.op.approve(there.href);
    const [cookie] = b.jar.named(kLoginCookie);
    const good = cookie.value;
    const step = Math.ceil(good.length / 40);

    for (let at = 0; at < good.length; at += step) {
        cookie.value = good.slice(0, at) + (good[at] === 'A' ? 'Q' : 'A')
            + good.slice(at + 1);
        const answer = await b.clone().callback(back);
        assertRefused(answer, 400, ['login_expired', 'state_mismatch']);
    }

    assert.equal(s.op.calls('token').length, 0);
    cookie.value = good;
    assertLoggedIn(await b.callback(back));
});

test('a session cookie cannot stand for a login\'s cookie', async () => {
    const b = s.browser();
    await b.login('/');
    const session = b.jar.get('__Host-Http-bff-corp').value;
    const there = await b.startLogin();
    const [cookie] = b.jar.named(kLoginCookie);
    cookie.value = session;
    b.jar.delete('__Host-Http-bff-corp');
    const before = s.op.calls('token').length;
    assertRefused(await b.callback(s.op.approve(there.href)), 400,
        ['login_expired', 'state_mismatch']);
    assert.equal(s.op.calls('token').length, before);
});

test('CB-7 BCP-6: URL and cookie replayed: the code is redeemed once', async () => {
    const b = s.browser();
    const there = await b.startLogin();
    const thief = b.clone();
    const back = s.op.approve(there.href);

    assertLoggedIn(await b.callback(back));
    const again = await thief.callback(back);
    assertRefused(again, 400, 'login_expired');
    assert.equal(s.op.calls('token').length, 1);
    assert.deepEqual(thief.jar.named(kSessionCookie), []);
});

test('CB-7: the same callback many times at once redeems the code once',
    async () => {
        const b = s.browser();
        const there = await b.startLogin();
        const back = s.op.approve(there.href);
        const all = await Promise.all(Array.from({ length: 8 },
            () => b.clone().callback(back)));

        assert.equal(all.filter((a) => a.status === 200).length, 1);
        assert.equal(all.filter((a) => a.status === 400).length, 7);
        assert.equal(s.op.calls('token').length, 1);
    });

test('CB-7: a callback that failed is used up as well', async () => {
    const b = s.browser();
    const there = await b.startLogin();
    const thief = b.clone();
    const back = s.op.approve(there.href);

    s.op.tokenAnswer = () => '{}';
    assert.equal((await b.callback(back)).status, 502);
    s.op.tokenAnswer = (usual) => usual;
    assertRefused(await thief.callback(back), 400, 'login_expired');
    assert.equal(s.op.calls('token').length, 1);
});

test('CB-7: a reload of the callback with a live session goes to /', async () => {
    const b = s.browser('lax');
    const there = await b.startLogin();
    const back = s.op.approve(there.href);
    assert.ok([302, 303].includes((await b.callback(back)).status));

    const page = await b.navigate(back, { from: 'same-origin' });
    assert.equal(page.status, 200, page.body);
    assert.equal(page.url.href, `${b.origin}/`);
    assert.equal(s.op.calls('token').length, 1);
});

test('CB-6: HEAD and a prefetch do not use the login up', async () => {
    const b = s.browser();
    const there = await b.startLogin();
    const back = s.op.approve(there.href);

    await b.callback(back, { method: 'HEAD' });
    await b.callback(back, { headers: { 'Sec-Purpose': 'prefetch' } });
    assert.equal(s.op.calls('token').length, 0);
    assertLoggedIn(await b.callback(back));
});

function refusal(error, more = {}) {
    return (q) => {
        q.delete('code');
        q.set('error', error);
        Object.entries(more).forEach(([k, v]) => q.set(k, v));
    };
}

test('CB-4: an error of the provider is 403 login_refused and names it',
    async () => {
        const { answer, browser } = await attempt(s,
            { change: refusal('access_denied', { error_description: 'no' }) });
        assertRefused(answer, 403, 'login_refused');
        assert.match(answer.body, /access_denied/);
        assert.equal(s.op.calls('token').length, 0);
        assert.deepEqual(browser.jar.named(kSessionCookie), []);
        assert.deepEqual(browser.jar.named(kLoginCookie), []);
    });

test('CB-4: a script gets the error as provider_error', async () => {
    const { answer } = await attempt(s, { change: refusal('access_denied'),
        callback: { headers: { Accept: 'application/json',
            'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' } } });
    assert.equal(answer.status, 403);
    assert.equal(answer.json().code, 'login_refused');
    assert.equal(answer.json().provider_error, 'access_denied');
});

test('CB-4: what the provider says never becomes HTML, nor a target', async () => {
    const evil = '<script>alert(1)</script>"\'&';
    const { answer } = await attempt(s, { change: refusal(evil,
        { error_description: evil, error_uri: 'https://evil.test/' }) });
    assert.equal(answer.status, 403);
    assert.doesNotMatch(answer.everything, /<script>alert/);
    assert.equal(answer.headers.location, undefined);
    assert.equal(answer.headers.refresh, undefined);
});

test('CB-4: a very long error is cut or refused, and nothing breaks', async () => {
    const { answer } = await attempt(s, { change: refusal('x'.repeat(3000)) });
    assertRefused(answer, [400, 403], ['login_refused', 'bad_request']);
    assert.ok(answer.body.length < 3000);
});

test('CB-4: an error with a wrong state is a wrong state', async () => {
    const { answer } = await attempt(s, { change: refusal('access_denied',
        { state: 'x'.repeat(43) }) });
    assertRefused(answer, 400, ['state_mismatch', 'login_expired']);
});

test('CB-9: a code that the provider refuses is 502 code_rejected', async () => {
    const { answer, browser } = await attempt(s, { change: (q) => q.set('code',
        'made-up') });
    assertRefused(answer, 502, 'code_rejected');
    assert.equal(s.op.calls('token').length, 1);
    assert.deepEqual(browser.jar.named(kSessionCookie), []);
    assertHidden(answer, ['the provider says', 'made-up']);
});

test('CK-22: a login that fails leaves no session cookie, also no older one',
    async () => {
        const b = s.browser();
        await b.login('/');
        const { answer } = await attempt(s, { browser: b,
            change: refusal('access_denied') });
        assert.equal(answer.status, 403);
        assert.deepEqual(sessionCookiesSet(answer), []);
    });

test('the log names the reason of a refused callback, in one line', async () => {
    const mark = s.nginx.mark();
    const { url } = await attempt(s, { change: (q) => q.set('iss',
        'https://evil.test') });
    const lines = s.nginx.log(mark).split('\n')
        .filter((line) => /bff: /.test(line) && !line.includes('[debug]'));

    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0], /iss/);
    assert.match(lines[0], /corp/);
    assert.ok(!lines[0].split(', client:')[0].includes(
        new URL(url).searchParams.get('code')));
});
