// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider's metadata: where it is looked for, what it may say, what in it
// stops a login, and that it is fetched once for everybody.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, kKey } from '../lib/checks.mjs';
import { signJwt } from '../lib/jose.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const configuration = (more = '', issuer) => ({ op, at }) => `
    bff_provider corp {
        issuer ${issuer?.(op) ?? op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        ${typeof more === 'function' ? more(op) : more}
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

function scene(name, act, options = {}) {
    test(name, () => play(configuration(options.more, options.issuer), options,
        act));
}

scene('DISC-1 BCP-10: an issuer with a path keeps it', async (s) => {
    assertLoggedIn((await attempt(s)).answer);
    assert.equal(s.op.requests[0].url,
        '/realms/one/.well-known/openid-configuration');
}, { provider: { path: '/realms/one' } });

scene('DISC-1: a slash at the issuer\'s end is not doubled', async (s) => {
    s.op.metadata = (usual) => ({ ...usual, issuer: `${s.op.issuer}/` });
    s.op.claims = (usual) => ({ ...usual, iss: `${s.op.issuer}/` });
    s.op.callback = (usual) => ({ ...usual, iss: `${s.op.issuer}/` });
    assertLoggedIn((await attempt(s)).answer);
    assert.equal(s.op.requests[0].url, '/.well-known/openid-configuration');
}, { issuer: (op) => `${op.issuer}/` });

scene('the metadata is asked for as a polite client does', async (s) => {
    await s.browser().startLogin();
    const [{ method, headers, body }] = s.op.calls('metadata');
    assert.equal(method, 'GET');
    assert.equal(headers.host, new URL(s.op.issuer).host);
    assert.equal(headers.cookie, undefined);
    assert.equal(headers.authorization, undefined);
    assert.equal(body, '');
});

scene('config_url says where else the metadata is', async (s) => {
    assertRefused(await s.browser().navigate('/bff/login', { follow: false }),
        502, 'provider_misconfigured');
    assert.equal(s.op.requests[0].url, '/elsewhere?x=1');
}, { more: (op) => `config_url ${op.issuer}/elsewhere?x=1;` });

scene('endpoints by hand are used, and then nothing else need be known',
    async (s) => {
        s.op.wire.metadata = wire.instead({ status: 404, body: 'none here' });
        const { answer, there } = await attempt(s);
        assertLoggedIn(answer);
        assert.equal(there.pathname, '/authorize');
        assert.equal(s.op.calls('token').length, 1);
    }, { more: (op) => `
        authorization_endpoint ${op.usualMetadata().authorization_endpoint};
        token_endpoint ${op.usualMetadata().token_endpoint};
        jwks_uri ${op.usualMetadata().jwks_uri};` });

scene('an authorization endpoint with a query keeps it', async (s) => {
    s.op.metadata = (usual) => ({ ...usual,
        authorization_endpoint: `${s.op.issuer}/authorize?tenant=a%20b` });
    const url = await s.browser().startLogin();
    assert.match(url.search, /^\?tenant=a%20b&/);
    assert.equal(url.searchParams.getAll('client_id').length, 1);
});

// [what, change of the metadata]
const kBroken = [
    ['DISC-2: another issuer', (m) => { m.issuer = 'https://evil.test'; }],
    ['DISC-2: the issuer with a slash', (m) => { m.issuer += '/'; }],
    ['DISC-2: the issuer in capitals', (m) => {
        m.issuer = m.issuer.toUpperCase();
    }],
    ['DISC-2: the issuer by another name of its host', (m) => {
        m.issuer = m.issuer.replace('127.0.0.1', 'localhost');
    }],
    ['DISC-2: the issuer with a blank', (m) => { m.issuer += ' '; }],
    ['DISC-2: an issuer that is null', (m) => { m.issuer = null; }],
    ['DISC-2: no issuer', (m) => delete m.issuer],
    ['DISC-2: an issuer that is a number', (m) => { m.issuer = 1; }],
    ['DISC-4: no authorization_endpoint',
        (m) => delete m.authorization_endpoint],
    ['DISC-4: no token_endpoint', (m) => delete m.token_endpoint],
    ['DISC-4: no jwks_uri', (m) => delete m.jwks_uri],
    ['DISC-4: a token_endpoint that is a list', (m) => {
        m.token_endpoint = [m.token_endpoint];
    }],
    ['DISC-4: a token_endpoint that is no URL', (m) => {
        m.token_endpoint = '/token';
    }],
    ['DISC-4: a token_endpoint of another scheme', (m) => {
        m.token_endpoint = 'file:///etc/passwd';
    }],
    ['DISC-4: an http token_endpoint off loopback', (m) => {
        m.token_endpoint = 'http://id.example.com/token';
    }],
    ['DISC-4: an http authorization_endpoint off loopback', (m) => {
        m.authorization_endpoint = 'http://id.example.com/authorize';
    }],
    ['DISC-4: an http jwks_uri off loopback', (m) => {
        m.jwks_uri = 'http://id.example.com/keys';
    }],
    ['DISC-4: a jwks_uri that is empty', (m) => { m.jwks_uri = ''; }],
    ['an iss flag that is no flag', (m) => {
        m.authorization_response_iss_parameter_supported = 'no';
    }],
    ['an authorization_endpoint with a line break', (m) => {
        m.authorization_endpoint += '\r\nSet-Cookie: a=b';
    }],
    ['an authorization_endpoint that is a script', (m) => {
        m.authorization_endpoint = 'javascript:alert(1)';
    }],
];

for (const [what, spoil] of kBroken) {
    scene(`${what}: no login, 502 provider_misconfigured`, async (s) => {
        s.op.metadata = (usual) => {
            spoil(usual);
            return usual;
        };
        await refusesThenRecovers(s, 502, 'provider_misconfigured');
    });
}

// [what, way of the answer]
const kUnreadable = [
    ['DISC-3: not JSON', wire.instead({ body: '<html>hello</html>' })],
    ['DISC-3: an empty body', wire.instead({ body: '' })],
    ['DISC-3: a list', wire.instead({ body: '[]' })],
    ['DISC-3: null', wire.instead({ body: 'null' })],
    ['JSON with something behind it', (socket, answer) => wire.plain(socket,
        { ...answer, body: `${answer.body} x` })],
    ['33 levels deep', wire.deep(33)],
    ['100000 levels deep', wire.deep(100000)],
    ['a member twice', wire.withMember('"issuer":"https://evil.test"')],
    ['text that is no UTF-8', wire.instead({ body:
        Buffer.from('{"issuer":"\xff\xfe"}', 'latin1') })],
];

for (const [what, way] of kUnreadable) {
    scene(`metadata with ${what}: 502 provider_misconfigured`, async (s) => {
        s.op.wire.metadata = way;
        await refusesThenRecovers(s, 502, 'provider_misconfigured');
    });
}

scene('metadata of more than 256 KiB is not read', async (s) => {
    s.op.wire.metadata = wire.huge(260 * 1024);
    await refusesThenRecovers(s, 502, 'provider_misconfigured');
});

scene('metadata of 200 KiB and 20 levels is read', async (s) => {
    s.op.wire.metadata = (socket, answer) => wire.huge(200 * 1024)(socket, {
        ...answer, body: answer.body.replace(/}$/,
            `,"deep":${'['.repeat(20)}${']'.repeat(20)}}`) });
    await s.browser().startLogin();
});

async function refusesThenRecovers(s, status, code) {
    const mark = s.nginx.mark();
    const answer = await s.browser().navigate('/bff/login', { follow: false });

    assertRefused(answer, status, code);
    assert.equal(answer.headers.location, undefined);
    assert.deepEqual(answer.setCookies, []);
    const lines = s.nginx.complaints(mark);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0], /corp/);

    s.op.reset();
    await until('a login once the provider is right', async () =>
        (await s.browser().navigate('/bff/login', { follow: false }))
            .status === 302);
    assertLoggedIn((await attempt(s)).answer);
}

scene('DISC-6: whatever the metadata says, PKCE, nonce and algorithm stay',
    async (s) => {
        s.op.metadata = (usual) => ({ ...usual,
            code_challenge_methods_supported: ['plain'],
            id_token_signing_alg_values_supported: ['none', 'HS256'] });
        const { searchParams } = await s.browser().startLogin();
        assert.equal(searchParams.get('code_challenge_method'), 'S256');
        assert.match(searchParams.get('nonce'), /^[A-Za-z0-9_-]{43}$/);

        s.op.idToken = ({ claims }) => signJwt({ alg: 'none' }, claims);
        assertRefused((await attempt(s)).answer, 502, 'id_token_invalid');
        s.op.idToken = ({ claims }) => signJwt({ alg: 'HS256' }, claims,
            'shop secret');
        assertRefused((await attempt(s)).answer, 502, 'id_token_invalid');
        s.op.idToken = null;
        assertLoggedIn((await attempt(s)).answer);
    });

scene('DISC-6: metadata without PKCE changes nothing either', async (s) => {
    s.op.metadata = (usual) => ({ ...usual,
        code_challenge_methods_supported: undefined });
    const { searchParams } = await s.browser().startLogin();
    assert.equal(searchParams.get('code_challenge_method'), 'S256');
});

scene('ISS-3: iss that was not announced may be absent or right', async (s) => {
    s.op.metadata = (usual) => ({ ...usual,
        authorization_response_iss_parameter_supported: undefined });
    assertLoggedIn((await attempt(s)).answer);
    assertLoggedIn((await attempt(s, { change: (q) =>
        q.set('iss', s.op.issuer) })).answer);
    assertRefused((await attempt(s, { change: (q) =>
        q.set('iss', 'https://evil.test') })).answer, 400, 'issuer_mismatch');
});

scene('DISC-5: NGINX starts without the provider and finds it later',
    async (s) => {
        const b = s.browser();
        assert.equal((await b.request('/')).status, 200);
        assertRefused(await b.navigate('/bff/login', { follow: false }), 503,
            'provider_unavailable');

        await s.op.accept('main');
        await until('a login once the provider is there', async () =>
            (await b.navigate('/bff/login', { follow: false })).status === 302);
    }, { prepare: ({ op }) => op.refuse('main') });

scene('nothing is asked of the provider before somebody needs it', async (s) => {
    await s.browser().request('/');
    await s.browser().api('/api/x');
    await s.browser().api('/bff/session');
    assert.equal(s.op.requests.length, 0);
});

scene('DISC-5: four workers and many logins at once ask once', async (s) => {
    const all = await Promise.all(Array.from({ length: 40 },
        () => attempt(s)));
    all.forEach(({ answer }) => assertLoggedIn(answer));

    assert.equal(s.op.calls('metadata').length, 1);
    assert.equal(s.op.calls('jwks').length, 1);
    assert.equal(s.op.calls('token').length, 40);
}, { workers: 4 });

scene('DISC-5: many logins share one failure, and one success after it',
    async (s) => {
        s.op.wire.metadata = wire.closeBefore;
        const all = await Promise.all(Array.from({ length: 12 }, () =>
            s.browser().navigate('/bff/login', { follow: false })));
        all.forEach((a) => assertRefused(a, 503, 'provider_unavailable'));

        s.op.reset();
        await until('the next login to work', async () =>
            (await s.browser().navigate('/bff/login', { follow: false }))
                .status === 302);
    }, { workers: 4 });

scene('DISC-5: what is known survives a reload and the provider\'s absence',
    async (s) => {
        assertLoggedIn((await attempt(s)).answer);
        await s.nginx.reload();
        await s.op.refuse('main');
        await s.op.refuse('jwks');
        assertLoggedIn((await attempt(s)).answer);
    });

scene('master_process off: everything in one process', async (s) => {
    assertLoggedIn((await attempt(s)).answer);
}, { master: 'off' });
