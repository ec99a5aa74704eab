// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider's keys: which one is taken, when they are fetched anew, and what
// in a key set is skipped or refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, kKey } from '../lib/checks.mjs';
import { SigningKey, b64, signJwt } from '../lib/jose.mjs';
import { attempt, play } from '../lib/stage.mjs';

// HMAC wants a key of its own length at least (RFC 7518, section 3.2).
const kSecret = 'a secret of more than thirty-two octets';

const configuration = (algorithms = 'RS256') => ({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "${kSecret}";
        session_key ${kKey};
        id_token_alg ${algorithms};
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

const kClient = { provider: { client: { secret: kSecret } } };

// Keys are remembered, so each of these has an NGINX of its own.
function scene(name, algorithms, keys, act) {
    test(name, () => play(configuration(algorithms), kClient, (s) => {
        s.op.keys = keys();
        return act(s);
    }));
}

async function accepts(s) {
    assertLoggedIn((await attempt(s)).answer);
}

async function refuses(s, code = 'id_token_invalid') {
    const { answer } = await attempt(s);
    assertRefused(answer, 502, code);
}

for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512',
    'ES256', 'ES384', 'ES512', 'EdDSA']) {
    scene(`KEY-1 IDT-13: ${alg} is verified, at_hash included`, alg,
        () => [new SigningKey(alg)], async (s) => {
            await accepts(s);
            s.op.idToken = ({ claims, header, key }) => signJwt(header,
                claims, new SigningKey(key.alg, { kid: key.kid }));
            await refuses(s);
        });
}

scene('KEY-2: HS256 is verified with the client secret when configured',
    'HS256', () => [new SigningKey('RS256')], async (s) => {
        const hmac = (secret) => ({ claims }) => {
            delete claims.at_hash;
            return signJwt({ alg: 'HS256' }, claims, secret);
        };

        s.op.idToken = hmac(kSecret);
        await accepts(s);
        s.op.idToken = hmac(`${kSecret}!`);
        await refuses(s);
        s.op.idToken = null;
        await refuses(s);
    });

scene('KEY-4: of several keys the one with the token\'s kid is taken', 'RS256',
    () => [new SigningKey(), new SigningKey(), new SigningKey('ES256')],
    accepts);

scene('KEY-5: without kid every fitting key is tried', 'RS256',
    () => [new SigningKey(), new SigningKey(), new SigningKey()],
    async (s) => {
        s.op.jwks = ({ keys }) => ({ keys: [...keys].reverse() });
        s.op.idToken = ({ claims, header, key }) =>
            signJwt({ ...header, kid: undefined }, claims, key);
        await accepts(s);
    });

scene('KEY-4: two keys with one kid are both tried', 'RS256',
    () => [new SigningKey('RS256', { kid: 'same' }),
        new SigningKey('RS256', { kid: 'same' })], async (s) => {
        s.op.jwks = ({ keys }) => ({ keys: [...keys].reverse() });
        await accepts(s);
    });

scene('KEY-6: an unknown kid fetches the keys anew, once', 'RS256',
    () => [new SigningKey()], async (s) => {
        await accepts(s);
        await accepts(s);
        assert.equal(s.op.calls('jwks').length, 1);
        s.op.keys = [new SigningKey()];
        await accepts(s);
        assert.equal(s.op.calls('jwks').length, 2);
        await accepts(s);
        assert.equal(s.op.calls('jwks').length, 2);
    });

scene('KEY-6: a known kid with a bad signature fetches nothing', 'RS256',
    () => [new SigningKey('RS256', { kid: 'a' })], async (s) => {
        await accepts(s);
        s.op.idToken = ({ claims, header }) => signJwt(header, claims,
            new SigningKey('RS256', { kid: 'a' }));
        await refuses(s);
        assert.equal(s.op.calls('jwks').length, 1);
    });

scene('KEY-6: keys without kid are fetched anew when none verifies', 'RS256',
    () => [new SigningKey('RS256', { kid: null })], async (s) => {
        await accepts(s);
        s.op.keys = [new SigningKey('RS256', { kid: null })];
        await accepts(s);
        assert.equal(s.op.calls('jwks').length, 2);
    });

scene('KEY-7: two rotations in a row work', 'RS256',
    () => [new SigningKey()], async (s) => {
        await accepts(s);
        s.op.keys = [new SigningKey()];
        await accepts(s);
        s.op.keys = [new SigningKey()];
        await accepts(s);
    });

scene('KEY-7: forged kids cannot flood the provider', 'RS256',
    () => [new SigningKey()], async (s) => {
        await accepts(s);
        s.op.idToken = ({ claims, header, key }) => signJwt(
            { ...header, kid: `forged-${Math.random()}` }, claims, key);

        for (let i = 0; i < 8; i++) {
            await refuses(s, ['id_token_invalid', 'provider_misconfigured']);
        }

        assert.ok(s.op.calls('jwks').length <= 5,
            `${s.op.calls('jwks').length} calls`);
    });

const key = () => new SigningKey('RS256', { kid: 'good' });

// [what, keys that stand before the good one]
const kSkipped = [
    ['an unknown kty', { kty: 'XYZ', kid: 'x' }],
    ['an unknown crv', { kty: 'EC', crv: 'P-999', x: 'AA', y: 'AA', kid: 'x' }],
    ['a key without kty', { kid: 'x' }],
    ['a key whose members are numbers', { kty: 'RSA', n: 1, e: 2, kid: 'x' }],
    ['a key that is no object', 'nonsense'],
    ['a key with broken base64', { kty: 'RSA', n: '!!', e: 'AQAB', kid: 'x' }],
    ['a point that is on no curve', { kty: 'EC', crv: 'P-256',
        x: b64(Buffer.alloc(32, 1)), y: b64(Buffer.alloc(32, 1)), kid: 'x' }],
];

for (const [what, bad] of kSkipped) {
    scene(`KEY-8: ${what} is skipped`, 'RS256', () => [key()], async (s) => {
        s.op.jwks = ({ keys }) => ({ keys: [bad, ...keys] });
        await accepts(s);
    });
}

// [what, members of the only key]
const kUnfit = [
    ['use enc', { use: 'enc' }],
    ['key_ops without verify', { use: undefined, key_ops: ['encrypt'] }],
    ['another alg', { alg: 'RS512' }],
    ['another kid', { kid: 'other' }],
];

for (const [what, jwk] of kUnfit) {
    scene(`KEY-3: a key with ${what} is no candidate`, 'RS256',
        () => [new SigningKey('RS256', { kid: 'a', jwk })], refuses);
}

scene('KEY-3: a key with neither use nor alg fits', 'RS256',
    () => [new SigningKey('RS256', { jwk: { use: undefined, alg: undefined } })],
    accepts);

scene('KEY-3: key_ops with verify fits', 'RS256',
    () => [new SigningKey('RS256', { jwk: { use: undefined,
        key_ops: ['verify'] } })], accepts);

scene('KEY-3: an RSA key of 1024 bit is no candidate', 'RS256',
    () => [new SigningKey('RS256', { bits: 1024 })],
    (s) => refuses(s, ['id_token_invalid', 'provider_misconfigured']));

scene('KEY-8: a key that tells its private half is refused', 'RS256',
    () => [new SigningKey('RS256', { kid: 'a' })], async (s) => {
        const [own] = s.op.keys;
        s.op.jwks = () => ({ keys: [{ ...own.jwk(),
            ...own.privateKey.export({ format: 'jwk' }) }] });
        await refuses(s, ['id_token_invalid', 'provider_misconfigured']);
    });

scene('KEY-3: a symmetric key in the set verifies nothing', 'RS256',
    () => [new SigningKey('RS256', { kid: 'a' })], async (s) => {
        const k = b64(kSecret);
        s.op.jwks = () => ({ keys: [{ kty: 'oct', k, kid: 'a' }] });
        s.op.idToken = ({ claims }) => signJwt({ alg: 'HS256', kid: 'a' },
            claims, Buffer.from(k, 'base64url'));
        await refuses(s, ['id_token_invalid', 'provider_misconfigured']);
    });

scene('KEY-9: an ES256 signature in DER is refused', 'ES256',
    () => [new SigningKey('ES256')], async (s) => {
        const { default: crypto } = await import('node:crypto');
        s.op.idToken = ({ claims, header, key }) => {
            const input = signJwt(header, claims, key)
                .split('.').slice(0, 2).join('.');
            return `${input}.${b64(crypto.sign('sha256', Buffer.from(input),
                key.privateKey))}`;
        };
        await refuses(s);
    });

scene('KEY-1: a list of algorithms takes each of them', 'RS256 ES256 EdDSA',
    () => [new SigningKey('ES256')], async (s) => {
        await accepts(s);
        s.op.keys = [new SigningKey('EdDSA')];
        await accepts(s);
        s.op.keys = [new SigningKey('PS256')];
        await refuses(s);
    });

scene('a rotation that keeps the old key disturbs nobody', 'RS256',
    () => [key()], async (s) => {
        await accepts(s);
        s.op.keys = [new SigningKey(), ...s.op.keys];
        await accepts(s);
    });
