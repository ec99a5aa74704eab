// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The client proves who it is by its certificate (RFC 8705), at the addresses
// that the provider has for that.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, kKey } from '../lib/checks.mjs';
import { authority } from '../lib/pki.mjs';
import { attempt, play } from '../lib/stage.mjs';

const configuration = (lines) => (s) => `
    bff_provider corp {
        issuer ${s.op.issuer};
        client_id shop;
        session_key ${kKey};
        ssl_trusted_certificate ${authority().certificate};
        ${lines(s)}
    }

    server {
        listen ${s.at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

const kShown = (s) => `client_certificate ${s.files.certificate};
    client_certificate_key ${s.files.key};`;
const kMutual = (s) => `client_auth tls_client_auth; ${kShown(s)}`;

// auth: as registered, mtls: as of Provider, files: made when the test runs
function scene(name, options, act) {
    const auth = options.auth ?? 'tls_client_auth';
    const lines = options.lines ?? kMutual;

    test(name, () => play(configuration(lines), {
        provider: { tls: true, mtls: options.mtls ?? true, client: { auth } },
        prepare: (s) => {
            s.files = options.files?.() ?? authority().issue({ client: true });
            s.op.client.certificate = s.files.certificate;
        },
    }, act));
}

function raw(file) {
    return new crypto.X509Certificate(fs.readFileSync(file)).raw;
}

async function works(s) {
    assertLoggedIn((await attempt(s)).answer);
    assert.deepEqual(s.op.refusals, []);
    return s.op.calls('token').at(-1);
}

function assertShown(s, call) {
    assert.ok(call.certificate?.equals(raw(s.files.certificate)),
        'not our certificate');
}

scene('MT-1: tls_client_auth: the certificate, client_id, and nothing else',
    {}, async (s) => {
        const call = await works(s);
        assertShown(s, call);
        assert.deepEqual(call.form.getAll('client_id'), ['shop']);
        assert.equal(call.headers.authorization, undefined);
        assert.equal(call.form.has('client_secret'), false);
        assert.equal(call.form.has('client_assertion'), false);
    });

scene('MT-1: a secret and a key beside it are not sent', {
    lines: (s) => `${kMutual(s)} client_secret unused; client_key ${
        s.files.key};`,
}, async (s) => {
    const call = await works(s);
    assert.equal(call.headers.authorization, undefined);
    assert.equal(call.form.has('client_secret'), false);
    assert.equal(call.form.has('client_assertion'), false);
});

scene('self_signed_tls_client_auth: jwks publishes the certificate in x5c', {
    auth: 'self_signed_tls_client_auth',
    files: () => authority().selfSigned(),
    lines: (s) => `client_auth self_signed_tls_client_auth; ${kShown(s)}`,
}, async (s) => {
    const { keys } = (await s.browser().api('/bff/jwks')).json();
    assert.equal(keys.length, 1);
    const { x5c, d, ...key } = keys[0];
    assert.equal(d, undefined);
    assert.equal(x5c.length, 1);
    assert.ok(Buffer.from(x5c[0], 'base64').equals(raw(s.files.certificate)));

    const own = new crypto.X509Certificate(fs.readFileSync(s.files.certificate));
    const { kty, crv, x, y } = own.publicKey.export({ format: 'jwk' });
    assert.deepEqual([key.kty, key.crv, key.x, key.y], [kty, crv, x, y]);
    assertShown(s, await works(s));
});

scene('MT-1: the aliases are preferred where there are any',
    { mtls: 'aliases' }, async (s) => {
        const call = await works(s);
        assert.equal(call.port, s.op.ports.mtls);
        assertShown(s, call);
        for (const endpoint of ['metadata', 'jwks']) {
            assert.notEqual(s.op.calls(endpoint)[0].port, s.op.ports.mtls);
            assert.equal(s.op.calls(endpoint)[0].certificate, undefined);
        }
    });

scene('MT-1: the aliases are not used without a certificate', {
    auth: 'client_secret_basic', mtls: 'aliases',
    lines: () => `client_secret "shop secret";`,
}, async (s) => {
    assert.equal((await works(s)).port, s.op.ports.token);
});

scene('MT-1: an endpoint by hand wins over its alias', {
    auth: 'client_secret_basic', mtls: 'aliases',
    lines: (s) => `client_secret "shop secret"; ${kShown(s)}
        token_endpoint ${s.op.usualMetadata().token_endpoint};`,
}, async (s) => {
    assert.equal((await works(s)).port, s.op.ports.token);
});

scene('CA-1: a certificate beside a secret is shown, and is no second method', {
    auth: 'client_secret_basic', mtls: 'aliases',
    lines: (s) => `client_secret "shop secret"; ${kShown(s)}`,
}, async (s) => {
    const call = await works(s);
    assert.equal(call.port, s.op.ports.mtls);
    assertShown(s, call);
    assert.match(call.headers.authorization, /^Basic /);
    assert.equal(call.form.has('client_id'), false);
});

scene('DISC-4: an alias that is not https is 502 provider_misconfigured',
    { mtls: 'aliases' }, async (s) => {
        s.op.metadata = (usual) => ({ ...usual, mtls_endpoint_aliases: {
            token_endpoint: 'http://id.test/token' } });
        const mark = s.nginx.mark();
        const answer = await s.browser().navigate('/bff/login',
            { follow: false });
        assertRefused(answer, 502, 'provider_misconfigured');
        assert.match(s.nginx.complaints(mark).join(), /token_endpoint/);
    });

scene('a certificate that is not the registered one is 502 code_rejected',
    {}, async (s) => {
        s.op.client.certificate =
            authority().issue({ client: true }).certificate;
        assertRefused((await attempt(s)).answer, 502, 'code_rejected');
        assert.deepEqual(s.op.refusals, ['another certificate']);
    });

scene('a resumed TLS session is still that of the certificate', {},
    async (s) => {
        for (let i = 0; i < 3; i++) {
            assertShown(s, await works(s));
        }
        assert.ok(s.op.calls('token').some((call) => call.resumed),
            'every call was a whole handshake');
    });

test('a new certificate counts from the reload on', () => play(
    configuration(() => `client_auth tls_client_auth;
        client_certificate own.crt; client_certificate_key own.key;`), {
        provider: { tls: true, mtls: true,
            client: { auth: 'tls_client_auth' } },
        prepare: (s) => {
            s.use = (files) => {
                s.files = files;
                s.op.client.certificate = files.certificate;
                s.at.file('own.crt', fs.readFileSync(files.certificate));
                s.at.file('own.key', fs.readFileSync(files.key), 0o600);
            };
            s.use(authority().issue({ client: true }));
        },
    }, async (s) => {
        assertShown(s, await works(s));
        s.use(authority().issue({ client: true }));
        await s.nginx.reload();
        assertShown(s, await works(s));
    }));
