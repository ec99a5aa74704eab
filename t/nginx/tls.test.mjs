// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// TLS to the provider: who is believed, who is not, and that the server's name
// is sent and checked.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, kKey } from '../lib/checks.mjs';
import { Dns } from '../lib/dns.mjs';
import { Authority, authority, serverCertificate } from '../lib/pki.mjs';
import { attempt, play } from '../lib/stage.mjs';

const configuration = (more) => ({ op, dns, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        resolver 127.0.0.1:${dns.port};
        ${more}
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

const kTrust = () =>
    `ssl_trusted_certificate ${authority().certificate};`;

// options: host, certificate (made when the test runs), trust
function scene(name, options, act) {
    test(name, () => play((s) => configuration(
        (options.trust ?? kTrust)(s))(s), {
        provider: { host: options.host ?? 'id.test', tls: true },
        prepare: async (s) => {
            s.dns = await Dns.start({ 'id.test': { a: ['127.0.0.1'] } });
            const files = await options.certificate?.(s);
            if (files) {
                await s.op.useCertificate(files);
            }
        },
        finish: (s) => s.dns?.stop(),
    }, act));
}

async function works(s) {
    assertLoggedIn((await attempt(s)).answer);
}

function fails(reason) {
    return async (s) => {
        const mark = s.nginx.mark();
        const answer = await s.browser().navigate('/bff/login',
            { follow: false });
        assertRefused(answer, 503, 'provider_unavailable');
        assert.equal(s.op.requests.length, 0, 'something was sent');
        assert.equal(s.nginx.complaints(mark).length, 1);
        assert.match(s.nginx.log(mark), reason);
    };
}

scene('ssl_trusted_certificate: an authority of one\'s own is believed', {},
    works);

scene('the name is sent as SNI', {}, async (s) => {
    await works(s);
    s.op.requests.forEach((r) => assert.equal(r.sni, 'id.test', r.endpoint));
});

scene('the address goes without SNI and is checked as an address',
    { host: '127.0.0.1' }, async (s) => {
        await works(s);
        s.op.requests.forEach((r) => assert.ok(!r.sni, String(r.sni)));
    });

scene('localhost with TLS works', { host: 'localhost' }, works);

scene('TLS sessions are reused', {}, async (s) => {
    await works(s);
    await works(s);
    await works(s);
    assert.ok(s.op.calls('token').some((r) => r.resumed),
        'every call was a whole handshake');
});

scene('DISC-3: the system\'s authorities do not know ours',
    { trust: () => '' }, fails(/certificate|verify/));

scene('DISC-3: another authority is not believed', {
    certificate: () => new Authority('evil').issue({ names: ['id.test'] }),
}, fails(/certificate|verify/));

scene('DISC-3: another host\'s certificate is not believed', {
    certificate: () => authority().issue({ names: ['evil.test'] }),
}, fails(/certificate|verify|match/));

scene('DISC-3: another address in the certificate is not believed', {
    host: '127.0.0.1',
    certificate: () => authority().issue({ names: ['127.0.0.1'],
        addresses: ['127.0.0.2'] }),
}, fails(/certificate|verify|match/));

scene('DISC-3: a wildcard does not stand for the whole name', {
    certificate: () => authority().issue({ names: ['*.id.test'] }),
}, fails(/certificate|verify|match/));

scene('DISC-3: an expired certificate is not believed', {
    certificate: () => authority().issue({ names: ['id.test'],
        expired: true }),
}, fails(/expired/));

// [what, certificate, what the log says]
const kWrong = [
    ['an expired certificate', () => authority().issue({ names: ['id.test'],
        expired: true }), /expired/],
    ['another host\'s certificate', () => authority().issue({
        names: ['evil.test'] }), /certificate|verify|match/],
    ['an unknown authority', () => new Authority('evil').issue({
        names: ['id.test'] }), /certificate|verify/],
];

// The metadata came over good TLS; these two have doors of their own.
for (const door of ['jwks', 'token']) {
    for (const [what, certificate, reason] of kWrong) {
        scene(`DISC-3: ${what} at the ${door} endpoint is not believed`, {},
            async (s) => {
                await s.op.useCertificate(certificate(), [door]);
                const mark = s.nginx.mark();
                const { answer } = await attempt(s);
                assertRefused(answer, 503, 'provider_unavailable');
                assert.equal(s.op.calls(door).length, 0, 'something was sent');
                assert.equal(s.nginx.complaints(mark).length, 1);
                assert.match(s.nginx.log(mark), reason);

                await s.op.useCertificate(serverCertificate(), [door]);
                await works(s);
            });
    }
}

scene('ssl_verify off believes anybody, and warns', {
    trust: () => 'ssl_verify off;',
    certificate: () => new Authority('evil').issue({ names: ['x'],
        expired: true }),
}, async (s) => {
    await works(s);
    assert.match(s.nginx.log(), /\[warn\].*ssl_verify/);
});

const own = new Authority('with a list');

scene('ssl_crl: a revoked certificate is not believed', {
    certificate: () => {
        const files = own.issue({ names: ['id.test'] });
        own.revoke(files);
        return files;
    },
    trust: () => `ssl_trusted_certificate ${own.certificate};
        ssl_crl ${own.crl()};`,
}, fails(/revoked/));

scene('ssl_crl: one that is not on the list is believed', {
    certificate: () => own.issue({ names: ['id.test'] }),
    trust: () => `ssl_trusted_certificate ${own.certificate};
        ssl_crl ${own.crl()};`,
}, works);

scene('a provider that speaks no TLS is not spoken to in clear', {
    certificate: async (s) => {
        const { issuer } = s.op;
        s.op.tls = null;
        for (const door of ['main', 'jwks', 'token']) {
            await s.op.refuse(door);
            await s.op.accept(door);
        }
        Object.defineProperty(s.op, 'issuer', { value: issuer });
    },
}, fails(/SSL/));

scene('a certificate that is right again works at the next login', {
    certificate: () => new Authority('evil').issue({ names: ['id.test'] }),
}, async (s) => {
    const { until } = await import('../lib/wait.mjs');
    const start = () => s.browser().navigate('/bff/login', { follow: false });

    assert.equal((await start()).status, 503);
    await s.op.useCertificate(serverCertificate());
    await until('a login', async () => (await start()).status === 302);
    await works(s);
});
