// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider's keys: which one is taken, when they are fetched anew, and what
// in a key set is skipped or refused.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, kKey } from '../lib/checks.mjs';
import { SigningKey, b64, halfHash, signJwt } from '../lib/jose.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

// HMAC wants a key of its own length at least (RFC 7518, section 3.2).
const kSecret = 'a secret of more than sixty-four octets, as long as each of '
    + 'the three wants it to be';

const configuration = (algorithms = 'RS256') => ({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "${kSecret}";
        session_key ${kKey};
        ${algorithms && `id_token_alg ${algorithms};`}
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

const kClient = { provider: { client: { secret: kSecret } } };

// Keys are remembered, so each of these has an NGINX of its own.
function scene(name, algorithms, keys, act, options = {}) {
    test(name, () => play(configuration(algorithms), { ...kClient, ...options
    }, (s) => {
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

            s.op.idToken = null;
            s.op.claims = (claims, { accessToken }) => ({ ...claims, at_hash:
                halfHash(/512|EdDSA/.test(alg) ? 'RS384' : 'RS512',
                    accessToken) });
            await refuses(s);
        });
}

scene('KEY-1: only RS256 is taken where nothing is configured', '',
    () => [new SigningKey('RS256')], async (s) => {
        await accepts(s);
        for (const alg of ['ES256', 'EdDSA', 'PS256', 'RS512']) {
            s.op.keys = [new SigningKey(alg)];
            await refuses(s);
        }
    });

for (const alg of ['HS384', 'HS512']) {
    scene(`KEY-2: ${alg} is verified with the client secret when configured`,
        alg, () => [new SigningKey('RS256')], async (s) => {
            const hmac = (name, secret) => ({ claims }) => signJwt(
                { alg: name }, { ...claims, at_hash: undefined }, secret);

            s.op.idToken = hmac(alg, kSecret);
            await accepts(s);
            s.op.idToken = hmac(alg, `${kSecret}!`);
            await refuses(s);
            s.op.idToken = hmac('HS256', kSecret);
            await refuses(s);
        });
}

scene('KEY-2: with HS256 no key of the key set is the secret', 'HS256',
    () => [new SigningKey('RS256')], async (s) => {
        const k = b64(crypto.randomBytes(32));
        s.op.jwks = () => ({ keys: [{ kty: 'oct', k, kid: 'a', use: 'sig' }] });
        s.op.idToken = ({ claims }) => signJwt({ alg: 'HS256', kid: 'a' },
            { ...claims, at_hash: undefined }, Buffer.from(k, 'base64url'));
        await refuses(s);
        assert.equal(s.op.calls('jwks').length, 0);
    });

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

// Eight keys are tried, a ninth one is not.
for (const [place, act] of [[8, accepts], [9, refuses]]) {
    const others = (options) => Array.from({ length: place - 1 },
        () => new SigningKey('RS256', options));

    scene(`KEY-4: of keys with one kid the one at place ${place}: ${act.name}`,
        'RS256', () => [new SigningKey('RS256', { kid: 'same' })], (s) => {
            const before = others({ kid: 'same' }).map((key) => key.jwk());
            s.op.jwks = ({ keys }) => ({ keys: [...before, ...keys] });
            return act(s);
        });

    scene(`KEY-5: of keys without kid the one at place ${place}: ${act.name}`,
        'RS256', () => [new SigningKey('RS256', { kid: null })], async (s) => {
            const before = others({}).map((key) => key.jwk());
            s.op.jwks = ({ keys }) => ({ keys: [...before, ...keys] });
            await act(s);
            assert.equal(s.op.calls('jwks').length, place - 7);
        });
}

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

scene('KEY-6: without kid, a bad signature fetches once and is refused',
    'RS256', () => [new SigningKey()], async (s) => {
        await accepts(s);
        s.op.idToken = ({ claims, header }) => signJwt(
            { ...header, kid: undefined }, claims, new SigningKey());
        await refuses(s);
        assert.equal(s.op.calls('jwks').length, 2);
    });

scene('KEY-6: an unknown kid that stays unknown fetches once and is refused',
    'RS256', () => [new SigningKey()], async (s) => {
        await accepts(s);
        s.op.idToken = ({ claims, header, key }) => signJwt(
            { ...header, kid: 'nobody' }, claims, key);
        await refuses(s);
        assert.equal(s.op.calls('jwks').length, 2);
    });

scene('KEY-7: many logins after a rotation fetch the keys once', 'RS256',
    () => [new SigningKey()], async (s) => {
        await accepts(s);
        s.op.keys = [new SigningKey()];
        await Promise.all(Array.from({ length: 16 }, () => accepts(s)));
        assert.equal(s.op.calls('jwks').length, 2);
    }, { workers: 4 });

scene('KEY-7: two rotations in a row work', 'RS256',
    () => [new SigningKey()], async (s) => {
        await accepts(s);
        s.op.keys = [new SigningKey()];
        await accepts(s);
        s.op.keys = [new SigningKey()];
        await accepts(s);
    });

function forge(s) {
    s.op.idToken = ({ claims, header, key }) => signJwt(
        { ...header, kid: `forged-${crypto.randomUUID()}` }, claims, key);
}

// One may have dropped into the bucket in the meantime.
function assertBurst(s) {
    const calls = s.op.calls('jwks').length;
    assert.ok(calls === 4 || calls === 5, `${calls} calls`);
}

scene('KEY-7: forged kids cannot flood the provider', 'RS256',
    () => [new SigningKey()], async (s) => {
        await accepts(s);
        forge(s);
        for (let i = 0; i < 8; i++) {
            await refuses(s);
        }
        assertBurst(s);
    });

scene('KEY-7: nor can they from all workers, and right tokens are taken',
    'RS256', () => [new SigningKey()], async (s) => {
        await accepts(s);
        forge(s);
        for (let i = 0; i < 4; i++) {
            await Promise.all(Array.from({ length: 8 }, () => refuses(s)));
        }
        s.op.idToken = null;
        await accepts(s);
        assertBurst(s);
    }, { workers: 4 });

scene('KEY-7: after a flood a rotation is found when the bucket has a drop',
    'RS256', () => [new SigningKey()], async (s) => {
        await accepts(s);
        forge(s);
        for (let i = 0; i < 5; i++) {
            await refuses(s);
        }

        s.op.idToken = null;
        s.op.keys = [new SigningKey()];
        await until('the new key', async () =>
            (await attempt(s)).answer.status === 200);
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
    ['the kid in other letters', { kid: 'A' }],
    ['use that is a list', { use: ['sig'] }],
    ['key_ops that is a string', { use: undefined, key_ops: 'verify' }],
    ['use enc and key_ops verify', { use: 'enc', key_ops: ['verify'] }],
    ['use sig and key_ops encrypt', { key_ops: ['encrypt'] }],
    ['an alg that is a number', { alg: 256 }],
    ['an exponent of one', { e: 'AQ' }],
];

for (const [what, jwk] of kUnfit) {
    scene(`KEY-3: a key with ${what} is no candidate`, 'RS256',
        () => [new SigningKey('RS256', { kid: 'a', jwk })], refuses);
}

// [what, the token's algorithm, the only key's]
const kOtherTypes = [
    ['a curve that is not the algorithm\'s', 'ES256', 'ES384'],
    ['another curve that is not the algorithm\'s', 'ES512', 'ES256'],
    ['a kty that is not the algorithm\'s', 'RS256', 'ES256'],
    ['another kty that is not the algorithm\'s', 'ES256', 'EdDSA'],
];

for (const [what, wanted, given] of kOtherTypes) {
    scene(`KEY-3: a key of ${what} is no candidate`, wanted,
        () => [new SigningKey(given, { kid: 'a', jwk: { alg: undefined } })],
        async (s) => {
            const right = new SigningKey(wanted, { kid: 'a' });
            s.op.idToken = ({ claims }) => signJwt({ alg: wanted, kid: 'a' },
                { ...claims, at_hash: undefined }, right);
            await refuses(s);
            s.op.keys.push(right);
            await accepts(s);
        });
}

scene('KEY-3: a key with neither use nor alg fits', 'RS256',
    () => [new SigningKey('RS256', { jwk: { use: undefined, alg: undefined } })],
    accepts);

scene('KEY-3: key_ops with verify fits', 'RS256',
    () => [new SigningKey('RS256', { jwk: { use: undefined,
        key_ops: ['verify'] } })], accepts);

scene('KEY-3: an RSA key of 1024 bit is no candidate', 'RS256',
    () => [new SigningKey('RS256', { bits: 1024 })], refuses);

scene('KEY-3: an RSA key of 2047 bit is no candidate', 'RS256',
    () => [new SigningKey('RS256', { bits: 2047 })], refuses);

for (const alg of ['RS256', 'ES256', 'EdDSA']) {
    scene(`KEY-8: a key for ${alg} that tells its private half is refused`, alg,
        () => [new SigningKey(alg, { kid: 'a' })], async (s) => {
            const [own] = s.op.keys;
            s.op.jwks = () => ({ keys: [{ ...own.jwk(),
                ...own.privateKey.export({ format: 'jwk' }) }] });
            await refuses(s);
            s.op.jwks = (usual) => usual;
            await accepts(s);
        });
}

// [what, the whole set]
const kNoSets = [
    ['keys that are no list', { keys: {} }],
    ['no keys', { key: [] }],
    ['keys that are null', { keys: null }],
];

for (const [what, set] of kNoSets) {
    scene(`KEY-8: ${what}: 502 provider_misconfigured`, 'RS256', () => [key()],
        async (s) => {
            s.op.jwks = () => set;
            await refuses(s, 'provider_misconfigured');
        });
}

scene('KEY-8: a set without one usable key is a set', 'RS256', () => [key()],
    async (s) => {
        s.op.jwks = () => ({ keys: [] });
        await refuses(s);
        assert.equal(s.op.calls('jwks').length, 2);
    });

scene('KEY-3: a symmetric key in the set verifies nothing', 'RS256',
    () => [new SigningKey('RS256', { kid: 'a' })], async (s) => {
        const k = b64(kSecret);
        s.op.jwks = () => ({ keys: [{ kty: 'oct', k, kid: 'a' }] });
        s.op.idToken = ({ claims }) => signJwt({ alg: 'HS256', kid: 'a' },
            claims, Buffer.from(k, 'base64url'));
        await refuses(s);
    });

scene('KEY-9: an ES256 signature in DER is refused', 'ES256',
    () => [new SigningKey('ES256')], async (s) => {
        s.op.idToken = ({ claims, header, key }) => {
            const input = signJwt(header, claims, key)
                .split('.').slice(0, 2).join('.');
            return `${input}.${b64(crypto.sign('sha256', Buffer.from(input),
                key.privateKey))}`;
        };
        await refuses(s);
    });

// [what, algorithm, change of the signature's octets]
const kSpellings = [
    ['ES256 with a zero octet in front of r and of s', 'ES256', (raw) =>
        Buffer.concat([Buffer.from([0]), raw.subarray(0, 32), Buffer.from([0]),
            raw.subarray(32)])],
    ['ES384 that is one octet short', 'ES384', (raw) => raw.subarray(0, 95)],
    ['ES512 with one octet more', 'ES512', (raw) =>
        Buffer.concat([raw, Buffer.from([0])])],
    ['RS256 with one octet more', 'RS256', (raw) =>
        Buffer.concat([Buffer.from([0]), raw])],
    ['EdDSA with one octet more', 'EdDSA', (raw) =>
        Buffer.concat([raw, Buffer.from([0])])],
];

for (const [what, alg, change] of kSpellings) {
    scene(`KEY-9: a signature by ${what} is refused`, alg,
        () => [new SigningKey(alg)], async (s) => {
            s.op.idToken = ({ claims, header, key }) => {
                const parts = signJwt(header, claims, key).split('.');
                const raw = Buffer.from(parts[2], 'base64url');
                return [...parts.slice(0, 2), b64(change(raw))].join('.');
            };
            await refuses(s);
            s.op.idToken = null;
            await accepts(s);
        });
}

for (const saltLength of [0, 20, crypto.constants.RSA_PSS_SALTLEN_MAX_SIGN]) {
    scene(`KEY-9: PS256 with a salt of ${saltLength} is refused`, 'PS256',
        () => [new SigningKey('PS256')], async (s) => {
            s.op.idToken = ({ claims, header, key }) => {
                const input = signJwt(header, claims, key)
                    .split('.').slice(0, 2).join('.');
                return `${input}.${b64(crypto.sign('sha256',
                    Buffer.from(input), { key: key.privateKey, saltLength,
                        padding: crypto.constants.RSA_PKCS1_PSS_PADDING }))}`;
            };
            await refuses(s);
        });
}

scene('KEY-10: an encrypted token is refused and fetches nothing', 'RS256',
    () => [new SigningKey()], async (s) => {
        s.op.idToken = () => [JSON.stringify({ alg: 'RSA-OAEP', enc: 'A128GCM',
            kid: s.op.keys[0].kid }), 'key', 'iv', 'text', 'tag'].map(b64)
            .join('.');
        await refuses(s);
        assert.equal(s.op.calls('jwks').length, 0);
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
