// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Every token of t/lib/token_rows, at every place where the provider's word is
// taken: a login, a refresh, a back-channel logout, signed userinfo. Nothing
// but the one question of that place reaches the provider, nothing reaches a
// server that a token names, and the log says which check has failed.

import assert from 'node:assert/strict';
import https from 'node:https';
import { after, beforeEach, test } from 'node:test';

import { navigationHeaders } from '../lib/browser.mjs';
import { kKey, sessionCookiesSet } from '../lib/checks.mjs';
import { SigningKey, b64, signJwt } from '../lib/jose.mjs';
import { kEvent } from '../lib/logout_token.mjs';
import { stage } from '../lib/stage.mjs';
import { kRows, tools } from '../lib/token_rows.mjs';
import { Upstream } from '../lib/upstream.mjs';

const agent = new https.Agent({ keepAlive: true });
const key = (alg, kid, options) => new SigningKey(alg, { kid, ...options });
const keys = { a: key('RS256', 'a'), b: key('RS256', 'b'),
    e: key('ES256', 'e'), e3: key('ES384', 'e3'), d: key('EdDSA', 'd'),
    weak: key('RS256', 'weak', { bits: 1024 }) };
const evil = key('RS256', 'evil');
const kUnsound = [{ ...keys.b.jwk(), kid: 'one', e: 'AQ' },
    { kty: 'OKP', crv: 'Ed25519', kid: 'small', use: 'sig',
        x: b64(Buffer.from([1, ...Array(31).fill(0)])) }];

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        id_token_alg RS256 ES256 ES384 EdDSA;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://127.0.0.1:${api.port}; }
    }
`, { prepare: async (own) => { own.jku = await Upstream.start(); } });

beforeEach(() => {
    s.op.keys = Object.values(keys);
    s.op.jwks = (set) => ({ keys: [...set.keys, ...kUnsound] });
});

after(async () => {
    agent.destroy();
    await s.jku.stop();
});

// --- the places ---

function ask(browser, target, options = {}) {
    return browser.request(target, { agent, ...options,
        headers: { Connection: 'keep-alive', ...options.headers } });
}

function script(browser, target, method = 'GET') {
    return ask(browser, target, { method, headers: { 'X-CSRF': '1',
        'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin' } });
}

function use(make) {
    s.op.idToken = ({ claims, header }) => make({ claims, header });
}

async function logIn(browser = s.browser()) {
    const headers = navigationHeaders('same-origin');
    const there = await ask(browser, '/bff/login', { headers });
    return ask(browser, s.op.approve(there.headers.location), { headers });
}

async function loggedIn() {
    const browser = s.browser();
    s.op.idToken = null;
    assert.equal((await logIn(browser)).status, 200);
    s.op.requests = [];
    return browser;
}

const kPlaces = {
    login: async (make, { good, tokenCode = 'id_token_invalid' }) => {
        use(make);
        const answer = await logIn();
        const wrong = [
            good !== (answer.status === 200) && `${answer.status}`,
            good !== (sessionCookiesSet(answer).length > 0) && 'session cookie',
            !good && answer.status !== 502 && `${answer.status}`,
            !good && !answer.body.includes(tokenCode) && answer.body,
        ];
        return { wrong, question: 'token' };
    },

    refresh: async (make, { good }) => {
        const browser = await loggedIn();
        const copy = browser.clone();
        use(make);
        const answer = await script(browser, '/bff/refresh', 'POST');
        s.api.requests = [];
        const again = await script(copy, '/api/x');
        const sent = s.api.requests.map((r) => r.header('authorization'));
        const fresh = [`Bearer ${s.op.tokens.access_token}`];
        return { question: 'token', wrong: [
            answer.status !== (good ? 204 : 401) && `${answer.status}`,
            !good && !answer.body.includes('session_expired') && answer.body,
            again.status !== (good ? 200 : 401) && `then ${again.status}`,
            sent.join() !== (good ? fresh : []).join() && `sent ${sent}`,
        ] };
    },

    logout: async (make, { good }) => {
        const now = Math.floor(Date.now() / 1000);
        const token = make({ header: { ...keys.a.header(), typ: 'logout+jwt' },
            claims: { iss: s.op.issuer, aud: 'shop', iat: now, exp: now + 120,
                jti: `${Math.random()}`, sub: 'nobody', sid: 'none',
                events: { [kEvent]: {} } } });
        const body = new URLSearchParams({ logout_token: token }).toString();
        const isLarge = body.length > 16384;
        const answer = await ask(s.browser(), '/bff/backchannel', {
            method: 'POST', body, headers: { 'Content-Length': body.length,
                'Content-Type': 'application/x-www-form-urlencoded' } });
        return { isLarge, wrong: [answer.status
            !== (isLarge ? 413 : good ? 200 : 400) && `${answer.status}`] };
    },

    userinfo: async (make, { good }) => {
        s.op.userinfoType = 'application/jwt';
        s.op.userinfo = (usual) => make({ header: keys.a.header(),
            claims: { iss: s.op.issuer, aud: 'shop', ...usual } });
        const answer = await script(s.somebody, '/bff/userinfo');
        return { question: 'userinfo', wrong: [
            answer.status !== (good ? 200 : 502) && `${answer.status}`,
            !good && !answer.body.includes('userinfo_invalid') && answer.body,
        ] };
    },
};

// --- a row at a place ---

async function trouble(place, [what, make, more]) {
    const { good = false, log, fetches = false } = more ?? {};
    const mark = s.nginx.mark();
    s.op.requests = [];

    const { wrong, question, isLarge } = await kPlaces[place]((seen) =>
        make(tools({ ...seen, keys, evil, jku: `http://${s.jku.address}` })),
    { ...more, good });

    const calls = s.op.requests.map(({ endpoint }) => endpoint);
    const usual = question ? [question] : [];
    const fits = [usual, fetches && [...usual, 'jwks']].some((some) =>
        some && some.join() === calls.join());
    const lines = s.nginx.log(mark).split('\n').filter((line) => line !== '');
    const told = s.nginx.complaints(mark);

    return [...wrong, !fits && `asked ${calls}`,
        s.jku.connections !== 0 && 'asked whom the token names',
        !good && !isLarge && told.length !== 1 && `${told.length} lines`,
        !good && !isLarge && place === 'login' && !log.test(told[0]) && told[0],
        good && told.length > 0 && told[0],
        lines.some((line) => !/^\d{4}\//.test(line)) && 'a torn line',
    ].filter(Boolean).map((why) => `${place}: ${what}: ${why}`);
}

// What a token says that it is, and what it may be where it goes.
const kOfOthers = ['at+jwt', 'AT+JWT', 'application/at+jwt', 'dpop+jwt',
    'oauth-authz-req+jwt', 'secevent+jwt', 'id+jwt', 7, null, [], ['JWT'], {}];
const kTypes = {
    login: { good: [undefined, 'JWT', 'jwt'],
        bad: ['logout+jwt', 'Logout+JWT', 'application/logout+jwt'] },
    logout: { good: [undefined, 'JWT', 'jwt', 'application/jwt', 'logout+jwt',
        'LOGOUT+JWT', 'application/logout+jwt'],
    bad: ['', 'logout', 'logout+jwt ', 'xlogout+jwt', 'logout+jwt\0'] },
};
kTypes.refresh = kTypes.userinfo = kTypes.login;

function types(place) {
    const row = (typ, good) => [`typ ${JSON.stringify(typ)}`, (t) =>
        t.sign({ ...t.header, typ }, t.claims), { good, log: /"typ"/ }];
    const { good, bad } = kTypes[place];

    return [...good.map((typ) => row(typ, true)),
        ...[...bad, ...kOfOthers].map((typ) => row(typ, false))];
}

// Of each group some are enough where the same eyes look again. Those whose key
// is unknown are not among them: at a refresh that may be the key set's fault.
const some = (rows, count) => rows.filter((row, i) =>
    !row[2]?.fetches && i % Math.ceil(rows.length / count) === 0);

const kTaken = {
    login: (rows) => rows,
    refresh: (rows) => some(rows, 6),
    logout: (rows) => rows,
    userinfo: (rows, group) => group === 'claims' ? [] : some(rows, 20),
};

for (const [place, taken] of Object.entries(kTaken)) {
    const groups = { types: types(place), ...kRows };

    for (const [group, rows] of Object.entries(groups)) {
        test(`KEY-9 IDT-17: ${group} at ${place}`, async () => {
            s.somebody ??= await loggedIn();
            const troubles = [];

            for (const row of taken(rows, group)) {
                troubles.push(...await trouble(place, row));
            }
            assert.deepEqual(troubles, []);
        });
    }
}
