// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Whose Authorization goes upstream: the session's, the client's own where
// bff_accept_bearer lets it, or nobody's (bff_authorization off,
// bff_unauthenticated pass). What the API got is looked at as bytes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Http2 } from '../lib/browser.mjs';
import { assertProblem, kKey } from '../lib/checks.mjs';
import { exchange, parseAnswer } from '../lib/raw.mjs';
import { stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }
    bff_provider other {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        endpoints_path /bff-other/;
    }

    proxy_cache_path ${at.prefix}/cache keys_zone=cache:1m;
    map $arg_api $upstream { one ${api.address}; two ${api.address}; }

    server {
        listen ${at.tls('main', 'http2')};
        root ${at.prefix}/www;
        bff_trusted_origin https://app.test;

        location / { return 200 home; }
        location /plain/ { proxy_pass http://${api.address}; }
        location /usual/ { bff corp; proxy_pass http://${api.address}; }

        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
        location /own/ {
            bff corp;
            bff_accept_bearer on;
            proxy_pass http://${api.address};
        }
        location /own-pass/ {
            bff corp;
            bff_accept_bearer on;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
        location /own-redirect/ {
            bff corp;
            bff_accept_bearer on;
            bff_unauthenticated redirect;
            proxy_pass http://${api.address};
        }
        location /own-strict/ {
            bff corp;
            bff_accept_bearer on;
            bff_csrf strict;
            proxy_pass http://${api.address};
        }
        location /own-any/ {
            bff corp;
            bff_accept_bearer on;
            satisfy any;
            deny all;
            proxy_pass http://${api.address};
        }
        location /own-allowed/ {
            bff corp;
            bff_accept_bearer on;
            satisfy any;
            allow all;
            proxy_pass http://${api.address};
        }
        location /own-cached/ {
            bff corp;
            bff_accept_bearer on;
            proxy_cache cache;
            proxy_cache_valid any 1h;
            proxy_cache_key $uri;
            proxy_pass http://${api.address};
        }
        location /own-try/ {
            bff corp;
            bff_accept_bearer on;
            try_files /none @usual;
        }
        location @usual { bff corp; proxy_pass http://${api.address}; }
        location /own-out/ {
            bff corp;
            bff_accept_bearer on;
            try_files /none @plain;
        }
        location @plain { proxy_pass http://${api.address}; }
        location /try-own/ {
            bff corp;
            bff_unauthenticated pass;
            try_files /none @own;
        }
        location @own {
            bff corp;
            bff_accept_bearer on;
            proxy_pass http://${api.address};
        }
        location /own-ssi/ {
            bff corp;
            bff_accept_bearer on;
            ssi on;
            ssi_types *;
        }
        location /other/ { bff other; proxy_pass http://${api.address}; }

        location /off/ {
            bff corp;
            bff_authorization off;
            proxy_pass http://${api.address};
        }
        location /off-pass/ {
            bff corp;
            bff_authorization off;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
        location /off-own/ {
            bff corp;
            bff_authorization off;
            bff_accept_bearer on;
            proxy_pass http://${api.address};
        }
        location /off-any/ {
            bff corp;
            bff_authorization off;
            satisfy any;
            deny all;
            proxy_pass http://${api.address};
        }
        location /off-basic/ {
            bff corp;
            bff_authorization off;
            proxy_set_header Authorization "Basic b3VyOm93bg==";
            proxy_set_header X-Token $bff_access_token;
            proxy_pass http://${api.address};
        }
        location /off-try/ {
            bff corp;
            bff_authorization off;
            try_files /none @usual;
        }
        location /usual-off/ { bff corp; try_files /none @off; }
        location @off {
            bff corp;
            bff_authorization off;
            proxy_pass http://${api.address};
        }
        location /off-ssi/ { bff corp; ssi on; ssi_types *; }

        location /mapped/ { bff corp; proxy_pass http://$upstream; }
        location /limited/ {
            bff corp;
            limit_except GET { deny all; }
            proxy_pass http://${api.address};
        }
    }
`, { prepare: ({ at }) => {
    const include = (path) => `<!--# include virtual="${path}" -->`;
    at.file('www/own-ssi/page.html', ['/own/part', '/usual/part', '/other/part',
        '/plain/part'].map(include).join(''));
    at.file('www/off-ssi/page.html', ['/off/part', '/usual/part']
        .map(include).join(''));
} });

const kName = '__Host-Http-bff-corp';
const kJunk = 'junk'.repeat(50);
let user; // with a session
let other; // with one of the other provider

async function people() {
    if (!user) {
        user = s.browser();
        await user.login('/');
        user.token = s.op.tokens.access_token;
        user.cookie = user.jar.header(new URL(user.origin));
        other = s.browser();
        await other.navigate('/bff-other/login?returnUrl=/');
        other.cookie = other.jar.header(new URL(other.origin));
    }
}

// Header lines as a mobile application sends them, or as nobody should.
function send(path, lines, method = 'GET') {
    return exchange(s.at.port('main'), `${method} ${path} HTTP/1.1\r\n`
        + `Host: shop.test:${s.at.port('main')}\r\nConnection: close\r\n`
        + lines.map((line) => `${line}\r\n`).join('')
        + (method === 'GET' ? '\r\n' : 'Content-Length: 0\r\n\r\n'),
    'shop.test');
}

// [what, path, lines, status, Authorization lines that the API saw or null
// when it saw nothing, options]
function rows() {
    const mine = 'Authorization: Bearer mine.Token_1~+/==';
    const value = 'Bearer mine.Token_1~+/==';
    const session = `Cookie: ${user.cookie}`;
    const csrf = 'X-CSRF: 1';
    const ours = `Bearer ${user.token}`;
    const junk = (name) => `Cookie: ${name}=${kJunk}`;

    return [
        ['own', '/own/x', [mine], 200, [value]],
        ['own, POST', '/own/x', [mine], 200, [value], { method: 'POST' }],
        ['own, from another site', '/own/x', [mine, 'Origin: https://evil.test',
            'Sec-Fetch-Site: cross-site'], 200, [value], { method: 'POST' }],
        ['own, strict', '/own-strict/x', [mine], 200, [value],
            { method: 'POST' }],
        ['own with other cookies', '/own/x', [mine, 'Cookie: a=b; c=d'], 200,
            [value], { cookies: ['a=b; c=d'] }],
        ['own as a page', '/own-redirect/x', [mine,
            'Sec-Fetch-Mode: navigate'], 200, [value]],
        ['own and pass', '/own-pass/x', [mine], 200, [value]],
        ['scheme in lower case', '/own/x', ['authorization: bearer abc'], 200,
            ['bearer abc']],
        ['scheme in upper case', '/own/x', ['AUTHORIZATION: BEARER abc'], 200,
            ['BEARER abc']],
        ['with DPoP, untouched', '/own/x', [mine, 'DPoP: proof'], 200, [value],
            { dpop: ['proof'] }],
        ['with DPoP, on to where nobody asks', '/own-out/x',
            [mine, 'DPoP: proof'], 200, [value], { dpop: ['proof'] }],

        // not asked for
        ['own where it is off', '/usual/x', [mine], 401, null],
        ['own where it is off, pass', '/pass/x', [mine, 'DPoP: proof'], 200,
            []],

        // no bearer token
        ...[['Basic', 'Basic YTpi'], ['Digest', 'Digest username="a"'],
            ['DPoP', 'DPoP abc'], ['Negotiate', 'Negotiate abc'],
            ['no token', 'Bearer'], ['spaces only', 'Bearer   '],
            ['no space', 'Bearerabc'], ['a tab', 'Bearer\tabc'],
            ['two words', 'Bearer a b'], ['a list', 'Bearer a, Basic YTpi'],
            ['a list that ends with it', 'Basic YTpi, Bearer a'],
            ['quotes', 'Bearer "abc"'], ['padding alone', 'Bearer ='],
            ['padding within', 'Bearer a=b'], ['not ASCII', 'Bearer \xe4'],
            ['an empty line', ''], ['a scheme that begins so', 'BearerX abc'],
            ['Bearer=', 'Bearer=abc'], ['a semicolon', 'Bearer a;b'],
        ].flatMap(([what, authorization]) => [
            [what, '/own/x', [`Authorization: ${authorization}`], 401, null],
            [`${what}, pass`, '/own-pass/x',
                [`Authorization: ${authorization}`], 200, []]]),
        ['two tokens', '/own/x', [mine, mine], 400, null],
        ['a token and Basic', '/own/x', [mine, 'Authorization: Basic YTpi'],
            400, null],
        ['Basic and a token', '/own/x', ['Authorization: Basic YTpi', mine],
            400, null],
        ['Proxy-Authorization', '/own/x', ['Proxy-Authorization: Bearer a'],
            401, null],
        ['X-Authorization', '/own/x', ['X-Authorization: Bearer a'], 401, null],

        // a cookie of the session's name: it is a browser
        ['session and own', '/own/x', [mine, session, csrf], 200, [ours]],
        ['session and own, from nowhere', '/own/x', [mine, session], 403, null],
        ['session and own, strict', '/own-strict/x', [mine, session,
            'Sec-Fetch-Site: same-origin'], 403, null],
        ['junk and own', '/own/x', [mine, junk(kName)], 401, null],
        ['an empty cookie and own', '/own/x', [mine, `Cookie: ${kName}=`], 401,
            null],
        ['a chunk alone and own', '/own/x', [mine, junk(`${kName}.1`)], 401,
            null],
        ['half a session and own', '/own/x', [mine,
            `Cookie: ${user.cookie.slice(0, -5)}`], 401, null],
        ['twice the session and own', '/own/x', [mine,
            `Cookie: ${user.cookie}; ${user.cookie}`], 401, null],
        ['junk on a second line', '/own/x', [mine, 'Cookie: a=b',
            junk(kName)], 401, null],
        ['junk and own, redirect', '/own-redirect/x', [mine, junk(kName)], 302,
            null],
        ['junk and own, pass', '/own-pass/x', [mine, junk(kName)], 200, []],

        // not of this name
        ['a login that is pending', '/own/x', [mine,
            `Cookie: ${kName}-login-abc=1; a=b`], 200, [value],
        { cookies: ['a=b'] }],
        ['the other provider\'s session', '/own/x', [mine,
            `Cookie: ${other.cookie}; a=b`], 200, [value],
        { cookies: ['a=b'] }],
        ['another case of the name', '/own/x', [mine,
            `Cookie: ${kName.toLowerCase()}=1`], 200, [value],
        { cookies: [`${kName.toLowerCase()}=1`] }],

        // satisfy any: a token that nobody has looked at is no reason
        ['satisfy any', '/own-any/x', [mine], 403, null],
        ['satisfy any, session', '/own-any/x', [session, csrf], 200, [ours]],

        ['satisfy any, allowed', '/own-allowed/x', [mine], 200, [value]],
        ['satisfy any, allowed, Basic', '/own-allowed/x',
            ['Authorization: Basic YTpi'], 200, []],
        ['satisfy any, allowed, junk', '/own-allowed/x', [mine, junk(kName)],
            200, []],

        // from one location to another
        ['to a place that wants a session', '/own-try/x', [mine], 401, null],
        ['from one that takes it away', '/try-own/x', [mine], 200, [value]],
        ['from one that takes it away, Basic', '/try-own/x',
            ['Authorization: Basic YTpi'], 401, null],

        // bff_authorization off
        ['off, session', '/off/x', [session, csrf], 200, []],
        ['off, session and own', '/off/x', [session, csrf, mine,
            'DPoP: proof'], 200, []],
        ['off, no session', '/off/x', [], 401, null],
        ['off, no session and own', '/off/x', [mine], 401, null],
        ['off, junk', '/off/x', [junk(kName), csrf], 401, null],
        ['off, foreign', '/off/x', [session, 'Origin: https://evil.test'], 403,
            null],
        ['off and pass, nobody', '/off-pass/x', [mine, 'DPoP: proof'], 200, []],
        ['off and pass, session', '/off-pass/x', [session, csrf, mine], 200,
            []],
        ['off and own', '/off-own/x', [mine], 200, [value]],
        ['off and own, session', '/off-own/x', [mine, session, csrf], 200, []],
        ['off, satisfy any', '/off-any/x', [session, csrf], 200, []],
        ['off, satisfy any, nobody', '/off-any/x', [mine], 401, null],
        ['off with words of its own', '/off-basic/x', [session, csrf, mine],
            200, ['Basic b3VyOm93bg=='], { token: [user.token] }],
        ['off, then on', '/off-try/x', [session, csrf], 200, [ours]],
        ['on, then off', '/usual-off/x', [session, csrf, mine], 200, []],

        // bff_unauthenticated pass
        ['pass, nobody', '/pass/x', [], 200, []],
        ['pass, Basic', '/pass/x', ['Authorization: Basic YTpi'], 200, []],
        ['pass, junk', '/pass/x', [`${junk(kName)}; a=b`, mine], 200, [],
            { cookies: ['a=b'] }],
        ['pass, junk alone', '/pass/x', [junk(kName)], 200, []],
        ['pass, chunk alone', '/pass/x', [junk(`${kName}.2`)], 200, []],
        ['pass, twice the session', '/pass/x',
            [`Cookie: ${user.cookie}; ${user.cookie}`, csrf], 200, []],
        ['pass, the other provider\'s session', '/pass/x',
            [`Cookie: ${other.cookie}`, csrf], 200, []],
        ['pass, session', '/pass/x', [session, csrf, mine, 'DPoP: proof'], 200,
            [ours]],
        ['pass, session, foreign', '/pass/x', [session, csrf,
            'Origin: https://evil.test'], 403, null],
        ['pass, session, POST from nowhere', '/pass/x', [session], 403, null,
            { method: 'POST' }],

        // BFF-14, 16: a map is the list of where the token may go
        ['BFF-14: in the list', '/mapped/x?api=one', [session, csrf], 200,
            [ours]],
        ['BFF-16: not in the list', '/mapped/x?api=evil.test', [session, csrf],
            500, null],
        ['BFF-16: the list\'s own host, in other words',
            `/mapped/x?api=${s.api.address}`, [session, csrf], 500, null],
        ['BFF-16: no value', '/mapped/x', [session, csrf], 500, null],
        ['BFF-16: two values', '/mapped/x?api=evil.test&api=one',
            [session, csrf], 500, null],

        // BFF-17
        ['BFF-17: a method in the list', '/limited/x', [session, csrf], 200,
            [ours]],
        ['BFF-17: one that is not', '/limited/x', [session, csrf], 403, null,
            { method: 'DELETE' }],
    ];
}

async function check([, path, lines, status, authorization, options = {}]) {
    let text;
    const seen = await s.api.during(async () => {
        text = await send(path, lines, options.method);
    });
    const answer = parseAnswer(text);

    assert.equal(answer.status, status, answer.body);
    assert.deepEqual(seen.map((r) => r.all('authorization')),
        authorization === null ? [] : [authorization]);
    assert.deepEqual(seen.flatMap((r) => r.all('cookie')),
        options.cookies ?? []);
    assert.deepEqual(seen.flatMap((r) => r.all('dpop')), options.dpop ?? []);
    assert.deepEqual(seen.flatMap((r) => r.all('x-token')),
        options.token ?? []);

    // whatever the line is called: no token where there should be none
    const leaks = authorization?.length === 0
        ? [user.token, 'mine', 'YTpi', 'proof', kName] : [kName];
    assert.deepEqual(leaks.filter((leak) =>
        seen.some((r) => r.raw.includes(leak))), []);
    assert.ok(!text.includes(user.token));
}

test('BFF-20: whose Authorization the API sees, row by row', async () => {
    const wrong = [];

    await people();
    for (const row of rows()) {
        await check(row).catch((e) => wrong.push(`${row[0]}: ${e.message}`));
    }
    assert.deepEqual(wrong, []);
});

test('HTTP/2: a token of the client\'s own, without and with junk', async () => {
    const h2 = new Http2(s.browser().origin);
    const seen = await s.api.during(async () => {
        const one = await h2.ask('/own/x', { authorization: 'Bearer mine' });
        assert.equal(one.status, 200, one.body);
        const two = await h2.ask('/own/x', { authorization: 'Bearer mine',
            cookie: ['a=b', `${kName}=junk`] });
        assert.equal(two.status, 401, two.body);
    });
    await h2.close();
    assert.deepEqual(seen.map((r) => r.all('authorization')),
        [['Bearer mine']]);
});

test('junk that passes is taken from the browser', async () => {
    const text = await send('/pass/x', [`Cookie: ${kName}=${kJunk}`]);
    assert.match(text, new RegExp(`Set-Cookie: ${kName}=;.*Max-Age=0`, 'i'));
});

test('subrequests: the client\'s token goes where it is accepted, and to nobody'
    + ' else\'s place', async () => {
    const seen = await s.api.during(() => send('/own-ssi/page.html',
        ['Authorization: Bearer mine']));
    assert.deepEqual(seen.map((r) => [r.target, r.all('authorization')]), [
        ['/own/part', ['Bearer mine']], ['/plain/part', ['Bearer mine']]]);
});

test('subrequests: off is off, beside one where it is on', async () => {
    await people();
    const seen = await s.api.during(() => send('/off-ssi/page.html',
        [`Cookie: ${user.cookie}`, 'X-CSRF: 1']));
    assert.deepEqual(seen.map((r) => [r.target, r.all('authorization')]), [
        ['/off/part', []], ['/usual/part', [`Bearer ${user.token}`]]]);
});

test('an answer to a client\'s own token is for nobody else', async () => {
    const seen = await s.api.during(async () => {
        for (const who of ['ada', 'bob']) {
            await send('/own-cached/x', [`Authorization: Bearer ${who}`]);
        }
        assertProblem(await s.browser().api('/own-cached/x'), 401,
            'no_session');
    });
    assert.deepEqual(seen.map((r) => r.header('authorization')),
        ['Bearer ada', 'Bearer bob']);
});

test('off: where no token goes upstream, its end is no matter', async () => {
    const b = s.browser();
    s.op.tokenAnswer = ({ refresh_token: _, ...rest }) =>
        ({ ...rest, expires_in: 0 });
    await b.login('/');

    assertProblem(await b.api('/usual/x'), 401, 'session_expired');
    const seen = await s.api.during(async () =>
        assert.equal((await b.api('/off/x')).status, 200));
    assert.deepEqual(seen.map((r) => r.all('authorization')), [[]]);
});
