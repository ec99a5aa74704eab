// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How a strict provider finds out which client asks: by exactly one method,
// the one that was registered, and with a proof that was never used before.

import fs from 'node:fs';
import crypto from 'node:crypto';

import { decodeJwt, verifyJwt } from './jose.mjs';

const kAssertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const kLongest = 300; // seconds that an assertion may live

export class ClientCheck {
    #issuer;
    #client;
    #seen = new Set();

    // client: { id, secret, auth, jwks, certificate }. auth null: basic or
    // post. jwks: { keys }, certificate: a file in PEM.
    constructor(issuer, client) {
        this.#issuer = issuer;
        this.#client = client;
    }

    // What is wrong with the request's proof; undefined when it is good.
    // request: { headers, form, certificate }
    wrong(request) {
        const used = methods(request);
        const { auth } = this.#client;

        if (used.length > 1) {
            return `two methods: ${used}`;
        }

        switch (auth ?? used[0]) {
        case 'client_secret_basic': return used[0] !== 'client_secret_basic'
            ? 'no Basic' : this.#wrongBasic(request);
        case 'client_secret_post': return used[0] !== 'client_secret_post'
            ? 'no client_secret' : this.#wrongPost(request);
        case 'client_secret_jwt':
        case 'private_key_jwt': return used[0] !== 'assertion'
            ? 'no client_assertion' : this.#wrongAssertion(request);
        case 'tls_client_auth':
        case 'self_signed_tls_client_auth': return used.length > 0
            ? `${used} beside a certificate` : this.#wrongCertificate(request);
        case 'none': return used.length > 0 ? `${used} of a public client`
            : this.#wrongId(request);
        default: return 'no credentials';
        }
    }

    #wrongId({ form }) {
        const ids = form.getAll('client_id');
        return ids.length !== 1 || ids[0] !== this.#client.id
            ? `client_id is ${ids}` : undefined;
    }

    #wrongBasic({ headers }) {
        const { id, secret } = this.#client;
        const pair = Buffer.from(headers.authorization.slice(6), 'base64')
            .toString().split(':').map(formDecode).join('\n');
        return pair !== `${id}\n${secret}` ? 'wrong id or secret' : undefined;
    }

    #wrongPost(request) {
        return this.#wrongId(request)
            ?? (request.form.get('client_secret') !== this.#client.secret
                ? 'wrong secret' : undefined);
    }

    // RFC 8705, 2: the certificate that was registered, whoever signed it.
    #wrongCertificate(request) {
        const { raw } = new crypto.X509Certificate(
            fs.readFileSync(this.#client.certificate));
        return this.#wrongId(request)
            ?? (!request.certificate ? 'no certificate'
                : !raw.equals(request.certificate) ? 'another certificate'
                    : undefined);
    }

    #wrongAssertion({ form }) {
        if (form.has('client_id') && form.get('client_id') !== this.#client.id) {
            return 'another client_id than the assertion\'s';
        }
        if (form.get('client_assertion_type') !== kAssertionType) {
            return 'wrong client_assertion_type';
        }

        const assertion = form.get('client_assertion');
        const { header, payload } = decodeJwt(assertion);
        return this.#wrongSignature(assertion, header)
            ?? this.#wrongClaims(payload) ?? this.#wrongJti(payload.jti);
    }

    #wrongSignature(assertion, header) {
        const { auth, secret, jwks } = this.#client;

        if (header.typ !== 'JWT') {
            return `typ is ${header.typ}`;
        }
        if (auth === 'client_secret_jwt') {
            return header.alg !== 'HS256' || !verifyJwt(assertion, secret)
                ? 'wrong MAC' : undefined;
        }

        const keys = jwks.keys.filter((key) => key.kid === header.kid);
        return keys.length !== 1 ? `${keys.length} keys of kid ${header.kid}`
            : keys[0].alg !== header.alg ? `alg is ${header.alg}`
                : !verifyJwt(assertion, keys[0]) ? 'wrong signature' : undefined;
    }

    // RFC 7523, 3; the audience as rfc7523bis wants it: the issuer, no list.
    #wrongClaims({ iss, sub, aud, iat, exp }) {
        const { id } = this.#client;
        const now = Date.now() / 1000;

        return iss !== id || sub !== id ? `iss ${iss}, sub ${sub}`
            : aud !== this.#issuer ? `aud is ${JSON.stringify(aud)}`
                : !(iat <= now + 1 && iat > now - 60) ? `iat is ${iat}`
                    : !(exp > now && exp <= iat + kLongest) ? `exp is ${exp}`
                        : undefined;
    }

    #wrongJti(jti) {
        if (typeof jti !== 'string'
            || Buffer.from(jti, 'base64url').length < 16) {
            return `jti is ${jti}`;
        }
        if (this.#seen.has(jti)) {
            return 'jti was used before';
        }

        this.#seen.add(jti);
        return undefined;
    }
}

function methods({ headers, form }) {
    return [
        headers.authorization?.startsWith('Basic ') && 'client_secret_basic',
        form.has('client_secret') && 'client_secret_post',
        form.has('client_assertion') && 'assertion',
    ].filter(Boolean);
}

function formDecode(text) {
    return decodeURIComponent(text.replaceAll('+', ' '));
}
