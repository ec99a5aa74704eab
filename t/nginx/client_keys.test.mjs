// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The client proves who it is by a JWT: with each type of key, in each form of
// file, and with its secret. The provider knows what the module publishes.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';

import { assertLoggedIn, assertProblem, assertRefused, kKey }
    from '../lib/checks.mjs';
import { decodeJwt } from '../lib/jose.mjs';
import { attempt, play, stage } from '../lib/stage.mjs';

const kSecret = 'correct horse battery staple 0123';

const configuration = (lines) => (s) => `
    bff_provider corp {
        issuer ${s.op.issuer};
        client_id shop;
        session_key ${kKey};
        ${lines(s)}
    }

    server {
        listen ${s.at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

// What the module publishes is what the provider has registered.
async function register(s) {
    const answer = await s.browser().api('/bff/jwks',
        { headers: { 'Sec-Fetch-Site': 'none' } });
    assert.equal(answer.status, 200);
    s.op.client.jwks = answer.json();
}

function scene(name, { auth = 'private_key_jwt', lines }, act = works) {
    test(name, () => play(configuration(lines), {
        provider: { client: { secret: kSecret, auth } }, ready: register,
    }, act));
}

async function works(s) {
    assertLoggedIn((await attempt(s)).answer);
    assert.deepEqual(s.op.refusals, []);
    return s.op.calls('token')[0];
}

function sent(call) {
    return decodeJwt(call.form.get('client_assertion'));
}

const kPairs = {
    RS256: () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ES384: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    ES512: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    EdDSA: () => crypto.generateKeyPairSync('ed25519'),
};

const privateKey = (alg) => kPairs[alg]().privateKey;

function keyFile(s, name, key, type = 'pkcs8') {
    const text = type === 'jwk' ? JSON.stringify(key.export({ format: 'jwk' }))
        : key.export({ format: 'pem', type });
    return s.at.file(name, text, 0o600);
}

const kForms = { RS256: ['pkcs8', 'pkcs1', 'jwk'], EdDSA: ['pkcs8', 'jwk'] };

for (const alg of Object.keys(kPairs)) {
    for (const type of kForms[alg] ?? ['pkcs8', 'sec1', 'jwk']) {
        scene(`BFF-32 BCP-9 CA-2: private_key_jwt with ${alg}, ${type}`, {
            lines: (s) => `client_key ${
                keyFile(s, 'key', privateKey(alg), type)};`,
        }, async (s) => {
            const { header } = sent(await works(s));
            assert.equal(header.alg, alg);
            assert.equal(header.typ, 'JWT');
            assert.equal(header.kid, s.op.client.jwks.keys[0].kid);
        });
    }
}

for (const alg of ['RS384', 'RS512', 'PS256', 'PS384', 'PS512']) {
    scene(`CA-2: client_key with alg=${alg} and a kid of its own`, {
        lines: (s) => `client_key ${keyFile(s, 'key', privateKey('RS256'))
        } kid=my-key alg=${alg};`,
    }, async (s) => {
        const { header } = sent(await works(s));
        assert.deepEqual(header, { alg, kid: 'my-key', typ: 'JWT' });
    });
}

scene('CA-1: an assertion is the only credential, with client_id beside it', {
    lines: (s) => `client_secret "${kSecret}";
        client_key ${keyFile(s, 'key', privateKey('ES256'))};`,
}, async (s) => {
    const { form, headers } = await works(s);
    assert.equal(headers.authorization, undefined);
    assert.equal(form.has('client_secret'), false);
    assert.deepEqual(form.getAll('client_id'), ['shop']);
    assert.equal(form.getAll('client_assertion').length, 1);
});

scene('CA-2: the claims: who, for whom, when, once, for a minute', {
    lines: (s) => `client_key ${keyFile(s, 'key', privateKey('ES256'))};`,
}, async (s) => {
    const { payload } = sent(await works(s));
    const { iss, sub, aud, jti, iat, exp, ...rest } = payload;
    assert.deepEqual({ iss, sub, aud, rest },
        { iss: 'shop', sub: 'shop', aud: s.op.issuer, rest: {} });
    assert.equal(exp - iat, 60);
    assert.ok(Buffer.from(jti, 'base64url').length >= 16);
});

scene('CA-3: each request has an assertion of its own', {
    lines: (s) => `client_key ${keyFile(s, 'key', privateKey('ES256'))};`,
}, async (s) => {
    for (let i = 0; i < 3; i++) {
        await works(s);
    }
    const seen = s.op.calls('token').map((call) => sent(call).payload.jti);
    assert.equal(new Set(seen).size, 3);
});

scene('CA-2: client_secret_jwt signs with the secret by HS256', {
    auth: 'client_secret_jwt',
    lines: () => `client_secret "${kSecret}"; client_auth client_secret_jwt;`,
}, async (s) => {
    const call = await works(s);
    assert.deepEqual(sent(call).header, { alg: 'HS256', typ: 'JWT' });
    assert.equal(call.form.has('client_secret'), false);
    assert.equal(call.headers.authorization, undefined);
});

scene('a method that is written out wins over a key', {
    auth: 'client_secret_post',
    lines: (s) => `client_secret "${kSecret}"; client_auth client_secret_post;
        client_key ${keyFile(s, 'key', privateKey('ES256'))};`,
});

scene('CA-4: the first key signs, all are published', {
    lines: (s) => ['EdDSA', 'RS256', 'ES256'].map((alg) =>
        `client_key ${keyFile(s, alg, privateKey(alg))} kid=${alg};`)
        .join('\n'),
}, async (s) => {
    assert.deepEqual(s.op.client.jwks.keys.map(({ kid, alg, use }) =>
        [kid, alg, use]), [['EdDSA', 'EdDSA', 'sig'],
        ['RS256', 'RS256', 'sig'], ['ES256', 'ES256', 'sig']]);
    assert.equal(sent(await works(s)).header.kid, 'EdDSA');
});

test('CA-4: keys change places by a reload, and every login goes on',
    () => play((s) => configuration(() => `include keys.conf;`)(s), {
        provider: { client: { auth: 'private_key_jwt' } },
        ready: register,
        prepare: (s) => {
            s.use = (...kids) => s.at.file('keys.conf', kids.map((kid) =>
                `client_key ${kid}.pem kid=${kid};\n`).join(''));
            keyFile(s, 'old.pem', privateKey('RS256'));
            keyFile(s, 'new.pem', privateKey('ES256'));
            s.use('old', 'new');
        },
    }, async (s) => {
        const now = async (kid) => {
            s.op.requests = [];
            assert.equal(sent(await works(s)).header.kid, kid);
        };
        await now('old');
        s.use('new', 'old');
        await s.nginx.reload();
        await now('new');
        s.use('new');
        await s.nginx.reload();
        await register(s);
        await now('new');
        assert.equal(s.op.client.jwks.keys.length, 1);
    }));

scene('a key that the provider does not know is 502 code_rejected', {
    lines: (s) => `client_key ${keyFile(s, 'key', privateKey('ES256'))};`,
}, async (s) => {
    s.op.client.jwks = { keys: [] };
    const mark = s.nginx.mark();
    assertRefused((await attempt(s)).answer, 502, 'code_rejected');
    assert.match(s.nginx.complaints(mark).join('\n'), /invalid_client/);
    const { form } = s.op.calls('token')[0];
    assert.ok(!s.nginx.log().includes(form.get('client_assertion')));
});

const s = stage(configuration((s) => `client_secret "shop secret";`));

test('jwks is an empty set where there is nothing to publish', async () => {
    const answer = await s.browser().api('/bff/jwks');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.deepEqual(answer.setCookies, []);
    assert.deepEqual(answer.json(), { keys: [] });
});

test('jwks answers HEAD without a body and nothing else', async () => {
    const head = await s.browser().api('/bff/jwks', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.body, '');

    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const answer = await s.browser().api('/bff/jwks', { method });
        assertProblem(answer, 405, 'bad_request');
        assert.equal(answer.headers.allow, 'GET, HEAD');
    }
});

test('jwks is there for whoever asks from anywhere, session or none',
    async () => {
        const b = s.browser();
        await b.login('/');
        const answer = await b.api('/bff/jwks', { headers: {
            'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' } });
        assert.equal(answer.status, 200);
    });
