// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider of the tests believes a client only for the one right proof, so
// that a login in them means something.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ClientCheck } from '../lib/client_auth.mjs';
import { SigningKey, signJwt } from '../lib/jose.mjs';
import { authority } from '../lib/pki.mjs';
import crypto from 'node:crypto';
import fs from 'node:fs';

const kIssuer = 'https://id.test';
const kSecret = 'a secret of more than 32 characters';
const kType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const key = new SigningKey('ES256', { kid: 'one' });
const stranger = new SigningKey('ES256', { kid: 'one' });
const client = (auth, more) => ({ id: 'shop', secret: kSecret, auth,
    jwks: { keys: [key.jwk()] }, ...more });

function claims(change) {
    const now = Math.floor(Date.now() / 1000);
    return { iss: 'shop', sub: 'shop', aud: kIssuer, iat: now, exp: now + 60,
        jti: crypto.randomBytes(16).toString('base64url'), ...change };
}

const kHeader = { alg: 'ES256', kid: 'one', typ: 'JWT' };

function assertion(change = {}, header = {}, by = key) {
    return { client_id: 'shop', client_assertion_type: kType,
        client_assertion: signJwt({ ...kHeader, ...header }, claims(change), by) };
}

function request(form, headers = {}, certificate) {
    return { headers, form: new URLSearchParams(form), certificate };
}

const basic = (id, secret) => ({ authorization:
    `Basic ${Buffer.from(`${id}:${encodeURIComponent(secret)}`).toString('base64')}` });

// [what, the registered method, form, headers]
const kRefused = [
    ['no credential', 'private_key_jwt', { client_id: 'shop' }],
    ['another method', 'private_key_jwt', {}, basic('shop', kSecret)],
    ['a second method', 'private_key_jwt', assertion(), basic('shop', kSecret)],
    ['a secret beside it', 'private_key_jwt',
        { ...assertion(), client_secret: kSecret }],
    ['a wrong type', 'private_key_jwt',
        { ...assertion(), client_assertion_type: 'jwt' }],
    ['another client_id', 'private_key_jwt',
        { ...assertion(), client_id: 'other' }],
    ['another key', 'private_key_jwt', assertion({}, {}, stranger)],
    ['an unknown kid', 'private_key_jwt', assertion({}, { kid: 'two' })],
    ['no kid', 'private_key_jwt', assertion({}, { kid: undefined })],
    ['no typ', 'private_key_jwt', assertion({}, { typ: undefined })],
    ['a MAC', 'private_key_jwt', assertion({}, { alg: 'HS256' }, kSecret)],
    ['no signature', 'private_key_jwt', assertion({}, { alg: 'none' })],
    ['another iss', 'private_key_jwt', assertion({ iss: 'other' })],
    ['another sub', 'private_key_jwt', assertion({ sub: 'other' })],
    ['another aud', 'private_key_jwt', assertion({ aud: `${kIssuer}/token` })],
    ['a list in aud', 'private_key_jwt', assertion({ aud: [kIssuer] })],
    ['no jti', 'private_key_jwt', assertion({ jti: undefined })],
    ['a short jti', 'private_key_jwt', assertion({ jti: 'AAAA' })],
    ['no exp', 'private_key_jwt', assertion({ exp: undefined })],
    ['a past exp', 'private_key_jwt', assertion({ exp: 1 })],
    ['a far exp', 'private_key_jwt', assertion({ exp: 99999999999 })],
    ['no iat', 'private_key_jwt', assertion({ iat: undefined })],
    ['an old iat', 'private_key_jwt', assertion({ iat: 1 })],
    ['another secret', 'client_secret_jwt',
        assertion({}, { alg: 'HS256' }, 'wrong')],
    ['a signature', 'client_secret_jwt', assertion()],
    ['Basic with another secret', 'client_secret_basic', {},
        basic('shop', 'wrong')],
    ['Basic where post is registered', 'client_secret_post', {},
        basic('shop', kSecret)],
    ['a secret of nobody', 'client_secret_post', { client_secret: kSecret }],
    ['a secret of a public client', 'none',
        { client_id: 'shop', client_secret: kSecret }],
];

for (const [what, auth, form, headers] of kRefused) {
    test(`the provider refuses ${what} (${auth})`, () => {
        const check = new ClientCheck(kIssuer, client(auth));
        assert.ok(check.wrong(request(form, headers)));
    });
}

test('the provider accepts each right proof, an assertion once', () => {
    const signed = new ClientCheck(kIssuer, client('private_key_jwt'));
    const once = request(assertion());
    assert.equal(signed.wrong(once), undefined);
    assert.match(signed.wrong(once), /jti/);
    assert.equal(signed.wrong(request(assertion())), undefined);

    for (const [auth, form, headers] of [
        ['client_secret_jwt', assertion({}, { alg: 'HS256' }, kSecret)],
        ['client_secret_basic', {}, basic('shop', kSecret)],
        ['client_secret_post', { client_id: 'shop', client_secret: kSecret }],
        [null, {}, basic('shop', kSecret)],
        ['none', { client_id: 'shop' }]]) {
        const check = new ClientCheck(kIssuer, client(auth));
        assert.equal(check.wrong(request(form, headers)), undefined, auth);
    }
});

test('the provider wants the registered certificate and nothing beside it',
    () => {
        const { certificate } = authority().issue({ client: true });
        const raw = (file) => new crypto.X509Certificate(
            fs.readFileSync(file)).raw;
        const check = new ClientCheck(kIssuer,
            client('tls_client_auth', { certificate }));
        const other = authority().issue({ client: true });
        const id = { client_id: 'shop' };

        assert.equal(check.wrong(request(id, {}, raw(certificate))), undefined);
        assert.ok(check.wrong(request(id)));
        assert.ok(check.wrong(request({}, {}, raw(certificate))));
        assert.ok(check.wrong(request(id, {}, raw(other.certificate))));
        assert.ok(check.wrong(request(assertion(), {}, raw(certificate))));
        assert.ok(check.wrong(request({ ...id, client_secret: kSecret }, {},
            raw(certificate))));
    });
