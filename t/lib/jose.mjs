// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Keys and compact signatures, right ones and wrong ones.
//
// A payload may be given as text, so that a test can sign what no JSON writer
// would write: duplicate members, numbers as strings, broken syntax.

import crypto from 'node:crypto';

const kMake = {
    RS256: (o) => crypto.generateKeyPairSync('rsa', { modulusLength: o.bits ?? 2048 }),
    PS256: (o) => crypto.generateKeyPairSync('rsa', { modulusLength: o.bits ?? 2048 }),
    ES256: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ES384: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    ES512: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-521' }),
    EdDSA: () => crypto.generateKeyPairSync('ed25519'),
};

kMake.RS384 = kMake.RS512 = kMake.PS384 = kMake.PS512 = kMake.RS256;

const kHash = { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512',
    PS256: 'sha256', PS384: 'sha384', PS512: 'sha512', ES256: 'sha256',
    ES384: 'sha384', ES512: 'sha512', EdDSA: 'sha512', HS256: 'sha256',
    HS384: 'sha384', HS512: 'sha512' };

let count = 0;

export class SigningKey {
    // options: kid (null: none), bits, jwk: further or other members
    constructor(alg = 'RS256', options = {}) {
        const pair = kMake[alg](options);
        this.alg = alg;
        this.kid = options.kid === undefined ? `key-${++count}` : options.kid;
        this.privateKey = pair.privateKey;
        this.publicKey = pair.publicKey;
        this.extra = options.jwk ?? {};
    }

    jwk() {
        return { ...this.publicKey.export({ format: 'jwk' }), use: 'sig',
            alg: this.alg, ...(this.kid === null ? {} : { kid: this.kid }),
            ...this.extra };
    }

    header() {
        return { alg: this.alg, ...(this.kid === null ? {} : { kid: this.kid }) };
    }
}

export function b64(data) {
    return Buffer.from(data).toString('base64url');
}

// A compact JWS with this header, whose alg decides how it is signed; a header
// that is text signs as the key does.
export function signJwt(header, payload, key) {
    const input = `${b64(text(header))}.${b64(text(payload))}`;
    return `${input}.${b64(signature(header.alg ?? key.alg, input, key))}`;
}

function text(part) {
    return typeof part === 'string' ? part : JSON.stringify(part);
}

function signature(alg, input, key) {
    if (alg === 'none') {
        return '';
    }

    if (alg.startsWith('HS')) {
        return crypto.createHmac(`sha${alg.slice(2)}`, key).update(input).digest();
    }

    const hash = alg === 'EdDSA' ? null : kHash[alg];
    return crypto.sign(hash, Buffer.from(input), how(alg, key.privateKey));
}

function how(alg, key) {
    if (alg.startsWith('PS')) {
        return { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
            saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST };
    }

    return alg.startsWith('ES') ? { key, dsaEncoding: 'ieee-p1363' } : { key };
}

// Is this signature by the key: a public JWK, or the secret of a MAC?
export function verifyJwt(jwt, key) {
    const [header, payload, signed] = jwt.split('.');
    const input = Buffer.from(`${header}.${payload}`);
    const bytes = Buffer.from(signed, 'base64url');
    const { alg } = decodeJwt(jwt).header;

    if (alg.startsWith('HS')) {
        return bytes.equals(signature(alg, input, key));
    }

    const publicKey = crypto.createPublicKey({ key, format: 'jwk' });
    return crypto.verify(alg === 'EdDSA' ? null : kHash[alg], input,
        how(alg, publicKey), bytes);
}

// The value of at_hash and c_hash for this algorithm.
export function halfHash(alg, value) {
    const hash = crypto.createHash(kHash[alg]).update(value, 'ascii').digest();
    return b64(hash.subarray(0, hash.length / 2));
}

// The same token with one octet of the named part changed.
export function tamper(jwt, part) {
    const parts = jwt.split('.');
    const bytes = Buffer.from(parts[part], 'base64url');
    bytes[Math.floor(bytes.length / 2)] ^= 1;
    parts[part] = b64(bytes);
    return parts.join('.');
}

export function decodeJwt(jwt) {
    const [header, payload] = jwt.split('.');
    return { header: JSON.parse(Buffer.from(header, 'base64url')),
        payload: JSON.parse(Buffer.from(payload, 'base64url')) };
}
