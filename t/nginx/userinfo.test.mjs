// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Userinfo, at login and for a page that asks: what reaches the provider, which
// answers count, and that no other one makes a session or ends one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';

import { assertErrorPage, assertHidden, assertLoggedIn, assertProblem,
    assertRefused, kKey, kSessionCookie } from '../lib/checks.mjs';
import { SigningKey, signJwt, tamper } from '../lib/jose.mjs';
import { Nginx } from '../lib/nginx.mjs';
import { attempt, play, stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const block = (op, name, more) => `
    bff_provider ${name} {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_name __Host-Http-bff-corp;
        session_claims sub name nickname email address acr;
        ${more}
    }
`;

const site = (at, name) => `
    log_format ${name} '$uri $bff_action';

    server {
        listen ${at.tls(name)};
        access_log ${at.prefix}/${name}.log ${name};
        location / { return 200 home; }
        location /api/ { bff ${name}; }
    }
`;

// main asks at login, quiet does not.
const s = stage(({ op, at }) => `
    ${block(op, 'main', 'userinfo on;')}
    ${block(op, 'quiet', '')}
    ${site(at, 'main')}
    ${site(at, 'quiet')}
`);

const now = () => Math.floor(Date.now() / 1000);

async function loggedIn(name = 'main') {
    const browser = s.browser(name);
    await browser.login('/');
    s.op.requests = [];
    return browser;
}

// A signed answer: usual claims and header, changed; or any text.
function sign(change = () => {}, header = {}, key = s.op.keys[0]) {
    s.op.userinfoType = 'application/jwt';
    s.op.userinfo = (usual) => {
        const claims = { iss: s.op.issuer, aud: 'shop', ...usual };
        change(claims);
        return signJwt({ ...key.header(), typ: 'JWT', ...header }, claims, key);
    };
}

function assertAsked({ method, url, version, headers, body }) {
    assert.equal(`${method} ${url} HTTP/${version}`, 'GET /userinfo HTTP/1.1');
    assert.equal(headers.authorization, `Bearer ${s.op.tokens.access_token}`);
    assert.equal(headers.accept, 'application/json, application/jwt');
    assert.equal(headers.host, new URL(s.op.usualMetadata().userinfo_endpoint).host);
    assert.equal(headers.cookie, undefined);
    assert.equal(headers['content-length'], undefined);
    assert.equal(body, '');
}

function assertOneLine(mark, what) {
    const lines = s.nginx.complaints(mark);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0], what);

    for (const secret of Object.values(s.op.tokens)) {
        assert.ok(!s.nginx.log(mark).includes(secret), 'the log tells a token');
    }
}

test('UI-1 BCP-8: at login one GET with the token in the header only', async () => {
    assertLoggedIn((await attempt(s)).answer);
    assert.equal(s.op.calls('userinfo').length, 1);
    assertAsked(s.op.calls('userinfo')[0]);
    assert.ok(s.op.requests.every((r) => !r.url.includes('at-')));
});

test('UI-6: without "userinfo on" nobody asks', async () => {
    const browser = s.browser('quiet');
    await browser.login('/');
    assert.equal(s.op.calls('userinfo').length, 0);
    assert.equal((await browser.session()).claims.nickname, undefined);
});

test('UI-6: its claims are kept, those of the ID token win', async () => {
    s.op.userinfo = (usual) => ({ ...usual, name: 'Somebody Else', acr: '7',
        not_kept: 1 });
    const { claims } = await (await loggedIn()).session();
    assert.deepEqual(claims, { sub: 'user-1', name: 'Ada Lovelace',
        nickname: 'ada', email: 'ada@example.com',
        address: { locality: 'London' }, acr: '7' });
});

test('IDT-18: an ID token that fails is not followed by userinfo', async () => {
    s.op.claims = (usual) => ({ ...usual, nonce: 'x'.repeat(43) });
    assertRefused((await attempt(s)).answer, 502, 'id_token_invalid');
    s.op.claims = (usual) => usual;
    s.op.idToken = ({ claims, header, key }) =>
        tamper(signJwt(header, claims, key), 2);
    assertRefused((await attempt(s)).answer, 502, 'id_token_invalid');
    assert.equal(s.op.calls('userinfo').length, 0);
});

for (const name of ['main', 'quiet']) {
    test(`BFF-29: GET userinfo asks with the session's token (${name})`,
        async () => {
            const browser = await loggedIn(name);
            s.op.userinfo = (usual) => ({ zoë: '\u{1F600}</script>', ...usual });
            const answer = await browser.api('/bff/userinfo');

            assert.equal(answer.status, 200);
            assert.equal(answer.headers['content-type'], 'application/json');
            assert.match(answer.headers['cache-control'], /no-store/);
            assert.deepEqual(answer.setCookies, []);
            assert.deepEqual(answer.json(), { zoë: '\u{1F600}</script>',
                sub: 'user-1', name: 'Ada Lovelace', nickname: 'ada',
                address: { locality: 'London' } });
            assert.equal(s.op.calls('userinfo').length, 1);
            assertAsked(s.op.calls('userinfo')[0]);
            assertHidden(answer, Object.values(s.op.tokens));
            await until('a line in the access log', () =>
                /^\/bff\/userinfo userinfo$/m
                    .test(s.nginx.file(`${name}.log`)));
        });
}

test('BFF-21: of a signed answer a page gets the payload, not the token',
    async () => {
        sign((c) => { c.exp = now() + 60; });
        const browser = await loggedIn();
        const answer = await browser.api('/bff/userinfo');
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-type'], 'application/json');

        const { iss, aud, sub, nickname } = answer.json();
        assert.deepEqual({ iss, aud, sub, nickname }, { iss: s.op.issuer,
            aud: 'shop', sub: 'user-1', nickname: 'ada' });
        assert.doesNotMatch(answer.body, /eyJ/);
    });

test('HEAD userinfo has the headers and no body', async () => {
    const browser = await loggedIn();
    const answer = await browser.api('/bff/userinfo', { method: 'HEAD' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.body, '');
    assert.equal(s.op.calls('userinfo')[0].method, 'GET');
});

test('userinfo has no other methods', async () => {
    const browser = await loggedIn();

    for (const method of ['POST', 'PUT', 'DELETE']) {
        const answer = await browser.api('/bff/userinfo', { method });
        assertProblem(answer, 405, 'bad_request');
        assert.equal(answer.headers.allow, 'GET, HEAD');
    }
    assert.equal(s.op.calls('userinfo').length, 0);
});

test('userinfo without a session: 401, and nobody is asked', async () => {
    const problem = assertProblem(await s.browser().api('/bff/userinfo'),
        401, 'no_session');
    assert.match(problem.login_url, /\/bff\/login$/);
    assert.equal(s.op.calls('userinfo').length, 0);
});

test('BFF-10: userinfo tells another site\'s page nothing', async () => {
    const browser = await loggedIn();

    for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' },
        { Origin: 'https://evil.test' }, { 'X-CSRF': null,
            'Sec-Fetch-Site': 'same-site' }]) {
        assertProblem(await browser.api('/bff/userinfo', { headers }),
            403, 'csrf');
    }
    assert.equal(s.op.calls('userinfo').length, 0);
});

test('userinfo with an access token that has expired: 401 session_expired',
    async () => {
        s.op.expiresIn = 0;
        s.op.refreshToken = null;
        const browser = await loggedIn();
        assertProblem(await browser.api('/bff/userinfo'), 401,
            'session_expired');
        assert.equal(s.op.calls('userinfo').length, 0);
        assert.equal((await browser.session()).authenticated, true);
    });

test('UI-3: two sessions get each its own', async () => {
    const one = await loggedIn();
    s.op.claims = (usual) => ({ ...usual, sub: 'user-2' });
    const two = await loggedIn();

    const [a, b] = await Promise.all([one, two].map((x) =>
        x.api('/bff/userinfo')));
    assert.equal(a.json().sub, 'user-1');
    assert.equal(b.json().sub, 'user-2');

    s.op.userinfo = (usual) => ({ ...usual, sub: 'user-1' });
    assert.equal((await one.api('/bff/userinfo')).status, 200);
    assertProblem(await two.api('/bff/userinfo'), 502, 'userinfo_invalid');
});

// Every answer that breaks a rule, at login and for a page that asks.
function violation(what, spoil, reason = /userinfo/) {
    test(`${what}: no session`, async () => {
        await attempt(s);                   // metadata and keys are known
        spoil();
        const mark = s.nginx.mark();
        const { answer, browser } = await attempt(s);

        assertErrorPage(answer, 502, 'userinfo_invalid');
        assertRefused(answer, 502, 'userinfo_invalid');
        assert.deepEqual(browser.jar.named(kSessionCookie), []);
        assertHidden(answer, Object.values(s.op.tokens));
        assertOneLine(mark, reason);

        s.op.reset();
        assertLoggedIn((await attempt(s, { browser })).answer);
    });

    test(`${what}: GET userinfo is 502, the session stays`, async () => {
        const browser = await loggedIn('quiet');
        spoil();
        const mark = s.nginx.mark();
        const answer = await browser.api('/bff/userinfo');

        assertProblem(answer, 502, 'userinfo_invalid');
        assert.deepEqual(answer.setCookies, []);
        assertHidden(answer, Object.values(s.op.tokens));
        assertOneLine(mark, reason);

        assert.equal((await browser.session()).authenticated, true);
        s.op.reset();
        assert.equal((await browser.api('/bff/userinfo')).status, 200);
    });
}

const claims = (change) => () => {
    s.op.userinfo = (usual) => {
        change(usual);
        return usual;
    };
};
const text = (body, type = 'application/json') => () => {
    s.op.userinfo = () => body;
    s.op.userinfoType = type;
};
const sent = (way) => () => { s.op.wire.userinfo = way; };
const status = (code, headers = {}) =>
    sent(wire.instead({ status: code, headers, body: '{"sub":"user-1"}' }));

violation('UI-3: sub missing', claims((c) => delete c.sub), /sub/);
violation('UI-3: another sub', claims((c) => { c.sub = 'user-2'; }), /sub/);
violation('UI-3: sub in capitals', claims((c) => { c.sub = 'USER-1'; }), /sub/);
violation('UI-3: sub empty', claims((c) => { c.sub = ''; }), /sub/);
violation('UI-3: sub is a number', claims((c) => { c.sub = 1; }), /sub/);
violation('UI-3: sub is a list', claims((c) => { c.sub = ['user-1']; }), /sub/);
violation('BFF-21: the access token among the claims', () => {
    s.op.userinfo = (usual, { headers }) =>
        ({ ...usual, you_said: headers.authorization });
}, /access token/);

violation('UI-2: text/html', text('{"sub":"user-1"}', 'text/html'),
    /Content-Type/);
violation('UI-2: application/json+x',
    text('{"sub":"user-1"}', 'application/json+x'), /Content-Type/);
violation('UI-2: no Content-Type', sent(wire.raw('HTTP/1.1 200 OK\r\n'
    + 'Content-Length: 16\r\n\r\n{"sub":"user-1"}')), /Content-Type/);
violation('UI-2: JSON as application/jwt',
    text('{"sub":"user-1"}', 'application/jwt'), /JWT/);
violation('UI-2: a JWT as application/json', () => {
    sign();
    s.op.userinfoType = 'application/json';
}, /JSON/);
violation('UI-2: a doubled sub', text('{"sub":"user-1","sub":"user-1"}'), /JSON/);
violation('UI-2: a doubled member within',
    text('{"sub":"user-1","x":{"y":1,"y":2}}'), /JSON/);
violation('UI-2: 33 levels', sent(wire.deep(32)), /deep/);
violation('UI-2: a list', text('[{"sub":"user-1"}]'), /JSON/);
violation('UI-2: null', text('null'), /JSON/);
violation('UI-2: nothing', text(''), /JSON/);
violation('UI-2: no JSON', text('sub=user-1'), /JSON/);
violation('UI-2: half of it', text('{"sub":"user-1"'), /JSON/);
violation('UI-2: gzip that nobody asked for', sent((socket, answer) => {
    const body = zlib.gzipSync(answer.body);
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
        + `Content-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.end(body);
}), /userinfo/);

for (const code of [201, 204, 206, 400, 401, 403, 404, 410]) {
    violation(`UI-2: status ${code}`, status(code), new RegExp(`${code}`));
}
violation('UI-2: a redirect is not followed', () => {
    s.op.wire.userinfo = wire.redirect(`${s.op.issuer}/elsewhere`);
}, /302/);
violation('UI-1: a token that the provider does not know', () => {
    s.op.wire.userinfo = wire.instead({ status: 401, headers: {
        'WWW-Authenticate': 'Bearer error="invalid_token", '
            + 'error_description="<b>no</b>"' } });
}, /401 \(invalid_token\)/);

violation('UI-4: iss missing', () => sign((c) => delete c.iss), /iss/);
violation('UI-4: another iss',
    () => sign((c) => { c.iss = 'https://evil.test'; }), /iss/);
violation('UI-4: aud missing', () => sign((c) => delete c.aud), /aud/);
violation('UI-4: another aud', () => sign((c) => { c.aud = 'other'; }), /aud/);
violation('UI-4: aud a list without us',
    () => sign((c) => { c.aud = ['other']; }), /aud/);
violation('UI-4: expired', () => sign((c) => { c.exp = now() - 70; }), /exp/);
violation('UI-4: exp as text',
    () => sign((c) => { c.exp = String(now() + 60); }), /exp/);
violation('UI-4: iat in the future',
    () => sign((c) => { c.iat = now() + 120; }), /iat/);
violation('UI-4: nbf in the future',
    () => sign((c) => { c.nbf = now() + 120; }), /nbf/);
violation('UI-3: signed, another sub',
    () => sign((c) => { c.sub = 'user-2'; }), /sub/);
violation('UI-3: signed, no sub', () => sign((c) => delete c.sub), /sub/);
violation('IDT-2: typ at+jwt', () => sign(() => {}, { typ: 'at+jwt' }), /typ/);
violation('IDT-2: typ logout+jwt',
    () => sign(() => {}, { typ: 'logout+jwt' }), /typ/);
violation('KEY-1: alg none', () => sign(() => {}, { alg: 'none' }), /alg/);
violation('KEY-1: an algorithm that is not allowed',
    () => sign(() => {}, { alg: 'PS256' }), /alg/);
violation('KEY-2: HS256 with the client secret', () => {
    s.op.userinfoType = 'application/jwt';
    s.op.userinfo = (usual) => signJwt({ alg: 'HS256' },
        { iss: s.op.issuer, aud: 'shop', ...usual }, 'shop secret');
}, /alg/);
violation('UI-4: a wrong key with a kid that is known', () => sign(() => {}, {},
    new SigningKey('RS256', { kid: s.op.keys[0].kid })), /signature/);
violation('UI-4: a key that is not published', () => sign(() => {}, {},
    new SigningKey('RS256', { kid: 'forged' })), /publish/);
violation('UI-4: a changed payload', () => {
    sign();
    const make = s.op.userinfo;
    s.op.userinfo = (usual) => tamper(make(usual), 1);
}, /signature/);
violation('UI-4: unsigned', () => {
    sign();
    const make = s.op.userinfo;
    s.op.userinfo = (usual) => make(usual).replace(/[^.]+$/, '');
}, /JWT/);
violation('KEY-10: encrypted', text('e30.AA.AA.AA.AA', 'application/jwt'),
    /encrypted \(JWE\)/);
violation('KEY-9: a doubled claim', () => {
    sign();
    s.op.userinfo = (usual) => signJwt(s.op.keys[0].header(),
        JSON.stringify({ iss: s.op.issuer, aud: 'shop', ...usual })
            .replace('{', '{"sub":"evil",'), s.op.keys[0]);
}, /userinfo/);

// [what, how the answer is changed]: all of them count.
const kGood = [
    ['UI-2: application/json with a charset', () => {
        s.op.userinfoType = 'application/json; charset=utf-8';
    }],
    ['UI-2: application/json in capitals', () => {
        s.op.userinfoType = 'Application/JSON';
    }],
    ['UI-2: 32 levels', sent(wire.deep(31))],
    ['UI-4: signed', () => sign()],
    ['UI-4: signed, with good dates', () => sign((c) => Object.assign(c,
        { exp: now() - 20, iat: now() + 20, nbf: now() + 20 }))],
    ['UI-4: signed, aud a list', () => sign((c) => { c.aud = ['x', 'shop']; })],
    ['IDT-2: signed, without typ', () => sign(() => {}, { typ: undefined })],
];

for (const [what, change] of kGood) {
    test(`${what}: accepted at login and at GET userinfo`, async () => {
        change();
        const { answer, browser } = await attempt(s);
        assertLoggedIn(answer);
        assert.equal((await browser.session()).claims.nickname, 'ada');

        const page = await browser.api('/bff/userinfo');
        assert.equal(page.status, 200, page.body);
        assert.equal(page.json().sub, 'user-1');
    });
}

test('CK-22: userinfo that fails at login ends the session before it',
    async () => {
        const browser = await loggedIn();
        s.op.userinfo = (usual) => ({ ...usual, sub: 'user-2' });
        const { answer } = await attempt(s, { browser });
        assertErrorPage(answer, 502, 'userinfo_invalid');
        assert.deepEqual(browser.jar.named(kSessionCookie), []);
        assert.equal((await browser.session()).authenticated, false);
    });

test('a session that lives does not notice another login\'s userinfo',
    async () => {
        const browser = await loggedIn();
        s.op.userinfo = () => '[]';
        assertRefused((await attempt(s)).answer, 502, 'userinfo_invalid');
        assert.equal((await browser.session()).claims.sub, 'user-1');
    });

const one = (more) => ({ op, at }) =>
    block(op, 'corp', typeof more === 'function' ? more(op) : more)
        + site(at, 'corp');

const noEndpoint = ({ userinfo_endpoint, ...rest }) => rest;

test('UI-6: "userinfo on" at a provider without it: told before the login',
    () => play(one('userinfo on;'), {}, async (s) => {
        s.op.metadata = noEndpoint;
        const mark = s.nginx.mark();
        const answer = await s.browser('corp').navigate('/bff/login',
            { follow: false });
        assertRefused(answer, 502, 'provider_misconfigured');

        const lines = s.nginx.complaints(mark);
        assert.equal(lines.length, 1, lines.join('\n'));
        assert.match(lines[0], /"userinfo_endpoint".*"userinfo on"/);
    }));

test('GET userinfo at a provider without it: 502, the session stays',
    () => play(one(''), {}, async (s) => {
        s.op.metadata = noEndpoint;
        const browser = s.browser('corp');
        await browser.login('/');
        const mark = s.nginx.mark();
        assertProblem(await browser.api('/bff/userinfo'), 502,
            'provider_misconfigured');
        assert.match(s.nginx.complaints(mark)[0], /"userinfo_endpoint"/);
        assert.equal((await browser.session()).authenticated, true);
    }));

test('userinfo_endpoint by hand is asked, a query in it kept', () => play(
    one((op) => `userinfo on;
        userinfo_endpoint ${op.usualMetadata().userinfo_endpoint}?schema=openid;`),
    {}, async (s) => {
        s.op.metadata = noEndpoint;
        const browser = s.browser('corp');
        await browser.login('/');
        assert.equal(s.op.calls('userinfo')[0].url, '/userinfo?schema=openid');
        assert.equal((await browser.session()).claims.nickname, 'ada');
    }));

test('after a restart GET userinfo first asks for what it must know', () =>
    play(one(''), {}, async (s) => {
        const browser = s.browser('corp');
        await browser.login('/');
        await restart(s, one(''));
        s.op.requests = [];
        s.op.userinfoType = 'application/jwt';
        s.op.userinfo = (usual) => signJwt(s.op.keys[0].header(),
            { iss: s.op.issuer, aud: 'shop', ...usual }, s.op.keys[0]);

        assert.equal((await browser.api('/bff/userinfo')).status, 200);
        assert.deepEqual(s.op.requests.map((r) => r.endpoint),
            ['metadata', 'userinfo', 'jwks']);
    }));

// Another NGINX in the same place.
async function restart(s, configuration) {
    const { place } = s.nginx;
    const remove = place.remove;
    place.remove = () => {};
    await s.nginx.stop();
    place.remove = remove;
    s.nginx = await Nginx.start({ place, http: configuration(s) });
}
