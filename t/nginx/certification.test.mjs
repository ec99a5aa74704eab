// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The OpenID Foundation's certification plans for relying parties, Basic,
// Form Post Basic and Config: each module by its name, with the provider doing
// what the module's provider does, and the behaviour that it demands of us.
//
// Where a module leaves a choice (a missing kid among several keys, an unsigned
// ID token), the test says which one we have made.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, kKey, kSessionCookie }
    from '../lib/checks.mjs';
import { SigningKey, signJwt, tamper } from '../lib/jose.mjs';
import { play } from '../lib/stage.mjs';

const provider = (issuer, more) => `
    bff_provider corp {
        issuer ${issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        ${more}
    }
`;

const configuration = (more) => ({ op, at }) => `
    ${provider(op.issuer, more)}

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

// The suite's provider ends no code-flow module before userinfo was called
// (UI-6).
const kUserinfo = 'userinfo on;';
const kFormPost = 'response_mode form_post;';
const kClaims = 'session_claims sub name email email_verified address '
    + 'phone_number;';
const kScope = 'scope "openid profile email address phone";';

// --- what a browser does with the answer of the authorization endpoint ---

async function byQuery(s, browser, there) {
    return browser.callback(s.op.approve(there.href));
}

async function byForm(s, browser, there) {
    assert.equal(there.searchParams.get('response_mode'), 'form_post');
    const { url, body } = s.op.approveByForm(there.href);

    return browser.navigate(url, { from: 'cross-site', follow: false,
        method: 'POST', body, headers: { Origin: s.op.issuer,
            'Content-Type': 'application/x-www-form-urlencoded',
            'Content-Length': Buffer.byteLength(body) } });
}

async function login(s) {
    const browser = s.browser();
    const there = await browser.startLogin();
    return { browser, there, answer: await s.comeBack(s, browser, there) };
}

// --- what a module demands ---

async function signsIn(s) {
    s.op.requests = [];
    const { answer, browser, there } = await login(s);

    assertLoggedIn(answer);
    assertAuthorizationRequest(s, browser, there);
    assert.equal((await browser.session()).claims.sub, 'user-1');
    assert.equal(s.op.calls('token').length, 1);
    assertUserinfoRequest(s);
    return { browser };
}

function assertAuthorizationRequest(s, browser, there) {
    const q = there.searchParams;

    assert.equal(`${there.origin}${there.pathname}`,
        s.op.usualMetadata().authorization_endpoint);
    assert.equal(q.get('response_type'), 'code');
    assert.equal(q.get('client_id'), 'shop');
    assert.equal(q.get('redirect_uri'), `${browser.origin}/bff/callback`);
    assert.ok(q.get('scope').split(' ').includes('openid'));
    assert.match(q.get('nonce'), /^[\w-]{43}$/);
    assert.match(q.get('state'), /^[\w-]{22,}$/);
}

function assertUserinfoRequest(s) {
    const [{ headers, query }, ...more] = s.op.calls('userinfo');

    assert.deepEqual(more, []);
    assert.equal(headers.authorization, `Bearer ${s.op.tokens.access_token}`);
    assert.equal(query.has('access_token'), false);
}

// Nothing of the login is left, and nothing was done with its tokens.
function refuses(code, reason) {
    return async (s) => {
        const mark = s.nginx.mark();
        const { answer, browser } = await login(s);

        assertRefused(answer, 502, code);
        assert.deepEqual(browser.jar.named(kSessionCookie), []);
        assert.equal((await browser.session()).authenticated, false);
        assert.equal(s.op.calls('userinfo').length,
            code === 'userinfo_invalid' ? 1 : 0);

        const lines = s.nginx.complaints(mark);
        assert.equal(lines.length, 1, lines.join('\n'));
        assert.match(lines[0], reason);
    };
}

function claims(change) {
    return (s) => {
        s.op.claims = (usual) => {
            change(usual);
            return usual;
        };
    };
}

function token(make) {
    return (s) => { s.op.idToken = make; };
}

const withoutKid = token(({ claims, header, key }) =>
    signJwt({ ...header, kid: undefined }, claims, key));

const unsigned = token(({ claims }) => signJwt({ alg: 'none' }, claims));

// --- the modules: [name, what the provider does, what we do, directives] ---

const kBasic = [
    ['oidcc-client-test', () => {}, signsIn],
    ['oidcc-client-test-invalid-iss', claims((c) => {
        c.iss = `${c.iss}1`;
    }), refuses('id_token_invalid', /"iss"/)],
    ['oidcc-client-test-missing-sub', claims((c) => delete c.sub),
        refuses('id_token_invalid', /"sub"/)],
    ['oidcc-client-test-invalid-aud', claims((c) => { c.aud = `${c.aud}1`; }),
        refuses('id_token_invalid', /"aud"/)],
    ['oidcc-client-test-missing-iat', claims((c) => delete c.iat),
        refuses('id_token_invalid', /"iat"/)],
    ['oidcc-client-test-kid-absent-single-jwks', withoutKid, signsIn],

    // Each key is tried, so it is accepted; refusing would be right as well.
    ['oidcc-client-test-kid-absent-multiple-jwks', (s) => {
        s.op.keys = [new SigningKey(), new SigningKey(), new SigningKey()];
        s.op.jwks = ({ keys }) => ({ keys: [...keys].reverse() });
        withoutKid(s);
    }, signsIn],
    ['oidcc-client-test-idtoken-sig-rs256', (s) => {
        s.op.keys = [new SigningKey('RS256')];
    }, signsIn],

    // Who takes an unsigned token passes as well; we are skipped by the suite.
    ['oidcc-client-test-idtoken-sig-none', unsigned,
        refuses('id_token_invalid', /"alg"/)],
    ['oidcc-client-test-invalid-sig-rs256', token(({ claims, header, key }) =>
        tamper(signJwt(header, claims, key), 2)),
    refuses('id_token_invalid', /signature/)],
    ['oidcc-client-test-userinfo-invalid-sub', (s) => {
        s.op.userinfo = (usual) => ({ ...usual, sub: `${usual.sub}1` });
    }, refuses('userinfo_invalid', /"sub"/)],
    ['oidcc-client-test-nonce-invalid', claims((c) => {
        c.nonce = `${c.nonce}1`;
    }), refuses('id_token_invalid', /"nonce"/)],
    ['oidcc-client-test-scope-userinfo-claims', userinfoHasIt,
        showsUserinfo, `${kScope} ${kClaims}`],
    ['oidcc-client-test-client-secret-basic', () => {}, usesBasic],
];

const kConfig = [
    ['oidcc-client-test-discovery-openid-config', () => {}, asksFor('metadata')],
    ['oidcc-client-test-discovery-jwks-uri-keys', () => {}, asksFor('jwks')],
    ['oidcc-client-test-discovery-issuer-mismatch', (s) => {
        s.op.metadata = (usual) => ({ ...usual, issuer: `${usual.issuer}1` });
    }, neverLeaves],
    ['oidcc-client-test-idtoken-sig-none', unsigned,
        refuses('id_token_invalid', /"alg"/)],
    ['oidcc-client-test-signing-key-rotation-just-before-signing', () => {},
        followsRotation(rotateBeforeSigning)],
    ['oidcc-client-test-signing-key-rotation', () => {},
        followsRotation((s) => { s.op.keys = [new SigningKey()]; })],
];

const kOfUserinfo = { name: 'Ada L.', email: 'ada@userinfo.test',
    email_verified: true, address: { locality: 'London' },
    phone_number: '+44 20' };

// The ID token tells nothing but who it is.
function userinfoHasIt(s) {
    s.op.claims = ({ name, email, ...rest }) => rest;
    s.op.userinfo = (usual) => ({ sub: usual.sub, ...kOfUserinfo });
}

async function showsUserinfo(s) {
    const { browser } = await signsIn(s);
    const { claims } = await browser.session();

    assert.deepEqual(Object.fromEntries(Object.keys(kOfUserinfo)
        .map((name) => [name, claims[name]])), kOfUserinfo);
}

async function usesBasic(s) {
    s.op.client.auth = 'client_secret_basic';
    await signsIn(s);

    const [{ headers, form }] = s.op.calls('token');
    assert.equal(headers.authorization,
        `Basic ${Buffer.from('shop:shop+secret').toString('base64')}`);
    assert.equal(form.has('client_secret'), false);
}

function asksFor(endpoint) {
    return async (s) => {
        await signsIn(s);

        const [{ method, url }, ...more] = s.op.calls(endpoint);
        assert.deepEqual(more, []);
        assert.equal(`${method} ${url}`, { jwks: 'GET /jwks',
            metadata: 'GET /.well-known/openid-configuration' }[endpoint]);
    };
}

// Not even the first step is taken.
async function neverLeaves(s) {
    const answer = await s.browser().navigate('/bff/login', { follow: false });

    assertRefused(answer, 502, 'provider_misconfigured');
    assert.equal(answer.headers.location, undefined);
    assert.match(s.nginx.complaints()[0], /"issuer"/);
}

// After our keys were fetched, and while a login is under way.
function rotateBeforeSigning(s) {
    s.op.idToken = ({ claims }) => {
        const key = new SigningKey();
        s.op.keys = [key];
        s.op.idToken = null;
        return signJwt({ ...key.header() }, claims, key);
    };
}

function followsRotation(rotate) {
    return async (s) => {
        await signsIn(s);
        rotate(s);
        await signsIn(s);
        assert.equal(s.op.calls('jwks').length, 1);
        await signsIn(s);
        assert.equal(s.op.calls('jwks').length, 0);
    };
}

// --- the plans ---

function plan(name, modules, { directives = '', comeBack = byQuery } = {}) {
    for (const [module, prepare, act, more = ''] of modules) {
        test(`${name}: ${module}`, () =>
            play(configuration(`${kUserinfo} ${directives} ${more}`), {}, (s) => {
                s.comeBack = comeBack;
                prepare(s);
                return act(s);
            }));
    }
}

plan('Basic RP', kBasic);
plan('Config RP', kConfig);
plan('Form Post Basic RP', kBasic, { directives: kFormPost, comeBack: byForm });
