// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How the provider's name becomes an address: literals and localhost need
// nobody, a resolver of the provider or of http{} is asked for the rest.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, kKey } from '../lib/checks.mjs';
import { Dns } from '../lib/dns.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const configuration = (inHttp, inProvider) => ({ op, dns, at }) => `
    ${inHttp(dns)}

    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        insecure_http on;
        timeout 3s;
        ${inProvider(dns)}
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

const nowhere = () => '';
const here = (dns) => `resolver 127.0.0.1:${dns.port};`;

function scene(name, { http = nowhere, inside = nowhere, host, names }, act) {
    test(name, () => play(configuration(http, inside), {
        provider: { host },
        prepare: async (s) => {
            s.dns = await Dns.start(names ?? { 'id.test': { a: ['127.0.0.1'] } });
        },
        finish: (s) => s.dns?.stop(),
    }, act));
}

async function works(s) {
    assertLoggedIn((await attempt(s)).answer);
}

scene('a literal address asks nobody', { host: '127.0.0.1', inside: here },
    async (s) => {
        await works(s);
        assert.equal(s.dns.queries.length, 0);
    });

scene('localhost works without a resolver', { host: 'localhost' }, works);

scene('the resolver of the provider is asked', { host: 'id.test', inside: here },
    async (s) => {
        await works(s);
        assert.ok(s.dns.queries.some((q) => q.name === 'id.test'));
        s.op.requests.forEach((r) => assert.match(r.headers.host, /^id\.test:/));
    });

scene('the resolver of http{} is asked', { host: 'id.test', http: here }, works);

scene('the resolver of the provider goes before that of http{}', {
    host: 'id.test', inside: here,
    http: () => 'resolver 127.0.0.1:9;',
}, works);

scene('A and AAAA: the address that answers is used', {
    host: 'id.test', inside: here,
    names: { 'id.test': { a: ['127.0.0.1'], aaaa: ['::1'] } },
}, works);

scene('of several addresses one that refuses is passed over', {
    host: 'id.test', inside: here,
    names: { 'id.test': { a: ['127.0.0.2', '127.0.0.1', '127.0.0.3'] } },
}, works);

scene('a name that does not exist is 503, and works once it does', {
    host: 'id.test', names: {}, inside: (dns) =>
        `resolver 127.0.0.1:${dns.port} valid=1s;`,
}, async (s) => {
    const start = () => s.browser().navigate('/bff/login', { follow: false });
    const mark = s.nginx.mark();
    assertRefused(await start(), 503, 'provider_unavailable');
    assert.equal(s.nginx.complaints(mark).length, 1);
    assert.match(s.nginx.log(mark), /id\.test/);

    s.dns.names = { 'id.test': { a: ['127.0.0.1'] } };
    await until('a login', async () => (await start()).status === 302);
});

scene('a name server that is silent is 503 within the time-out', {
    host: 'id.test', inside: (dns) => `resolver 127.0.0.1:${dns.port};`,
}, async (s) => {
    s.dns.socket.removeAllListeners('message');
    const answer = await s.browser().navigate('/bff/login', { follow: false });
    assertRefused(answer, 503, 'provider_unavailable');
});

scene('an endpoint on another host is looked up by its own name', {
    host: 'id.test', inside: here,
    names: { 'id.test': { a: ['127.0.0.1'] },
        'tokens.test': { a: ['127.0.0.1'] } },
}, async (s) => {
    s.op.metadata = (usual) => ({ ...usual, token_endpoint:
        usual.token_endpoint.replace('id.test', 'tokens.test') });
    await works(s);
    const [token] = s.op.calls('token');
    assert.match(token.headers.host, /^tokens\.test:/);
});

scene('a name of several labels, with digits and a hyphen, is looked up', {
    host: 'id-1.sub.test', inside: here,
    names: { 'id-1.sub.test': { a: ['127.0.0.1'] } },
}, works);
