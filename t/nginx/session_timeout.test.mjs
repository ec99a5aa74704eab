// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The end of a session: absolute, inside the sealed cookie, and the same for
// all who look. The times are short so that the end can be waited for.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey, sessionCookiesSet } from '../lib/checks.mjs';
import { attempt, play, stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        session_timeout 3s;
    }

    bff_provider long {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        session_timeout 2d;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }

    server {
        listen ${at.tls('long')};
        location / { return 200 home; }
        location /api/ { bff long; proxy_pass http://${api.address}; }
    }
`);

test('CK-27: a session ends although its cookie is sent on', async () => {
    const { answer, browser: b } = await attempt(s);
    const [{ name, value }] = sessionCookiesSet(answer);
    const cookies = `${name}=${value}`;
    assert.ok((await b.session()).expires_in <= 3);

    const late = await until('the session to end', async () => {
        const seen = await b.api('/api/x', { cookies });
        return seen.status === 401 && seen;
    });
    assert.ok(['no_session', 'session_expired'].includes(late.json().code));
    assert.equal(new URL(late.json().login_url, b.origin).pathname, '/bff/login');

    const session = await b.api('/bff/session', { cookies });
    assert.equal(session.json().authenticated, false);
});

test('the use of a session does not extend its absolute end', async () => {
    const b = s.browser();
    await b.login('/');
    const cookies = b.jar.header(new URL(b.origin));
    let uses = 0;

    await until('the session to end', async () => {
        uses++;
        return (await b.api('/api/x', { cookies })).status === 401;
    });
    assert.ok(uses > 1, 'it never lived');
});

test('a session that ended leads a page to login, and login works', async () => {
    const b = s.browser();
    await b.login('/');
    const old = b.jar.get('__Host-Http-bff-corp').value;
    await until('the session to end', async () =>
        (await b.api('/api/x', { cookies: `__Host-Http-bff-corp=${old}` }))
            .status === 401);

    b.jar.set(`__Host-Http-bff-corp=${old}; Path=/; Secure; HttpOnly`,
        new URL(b.origin));
    const page = await b.navigate('/api/page');
    assert.equal(page.status, 200);
    assert.equal(s.op.calls('authorize').length, 2);
});

test('session_timeout says what session tells, and nothing outlives it',
    async () => {
        const { answer, browser: b } = await attempt(s,
            { browser: s.browser('long') });
        const { expires_in } = await b.session();
        assert.ok(expires_in > 172700 && expires_in <= 172800, `${expires_in}`);

        const [{ attributes }] = sessionCookiesSet(answer,
            /^__Host-Http-bff-long$/);
        assert.ok(attributes['max-age'] === undefined
            || Number(attributes['max-age']) <= 172800);
    });

test('a session_timeout that is shortened counts for older sessions as well',
    () => play(({ op, api, at }) => `
        bff_provider corp {
            issuer ${op.issuer};
            client_id shop;
            client_secret "shop secret";
            session_key ${kKey};
            session_timeout 8h;
        }
        server {
            listen ${at.tls()};
            location / { return 200 home; }
            location /api/ { bff corp; proxy_pass http://${api.address}; }
        }
    `, {}, async (own) => {
        const { browser: b } = await attempt(own);
        assert.ok((await b.session()).expires_in > 3600);
        own.at.file('nginx.conf', own.nginx.file('nginx.conf').replace(
            'session_timeout 8h', 'session_timeout 1m'));
        await own.nginx.reload();
        const left = (await b.session()).expires_in;
        assert.ok(left > 0 && left <= 60, `${left}`);
    }));

test('an access token that ended goes nowhere while none can be renewed',
    async () => {
        s.op.expiresIn = 1;
        s.op.refreshToken = null;
        const b = s.browser('long');
        await b.login('/');
        const ended = await until('the token to end', async () => {
            const answer = await b.api('/api/x');
            return answer.status !== 200 && answer;
        });
        assert.equal(ended.status, 401, ended.body);
        const seen = await s.api.during(() => b.api('/api/x'));
        assert.deepEqual(seen, []);
    });

test('a session whose token has no known end lives on', async () => {
    s.op.tokenAnswer = ({ expires_in, ...rest }) => rest;
    const b = s.browser('long');
    await b.login('/');
    assert.equal((await b.api('/api/x')).status, 200);
    const session = await b.session();
    assert.equal(session.authenticated, true);
    assert.ok(!(session.access_token_expires_in < 0));
});
