// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How the module shows the token endpoint who it is: one method, exactly, and
// a secret of any letters arrives as it was written.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, kKey } from '../lib/checks.mjs';
import { attempt, play } from '../lib/stage.mjs';

const configuration = ({ id, secret, more }) => ({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id "${id}";
        ${secret === null ? ''
        : `client_secret file:${at.file('secret', `${secret}\n`)};`}
        session_key ${kKey};
        ${more}
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

// client: what the provider has registered
function scene(name, { id = 'shop', secret = 'secret', auth, more = '' }, act) {
    test(name, () => play(configuration({ id, secret, more }),
        { provider: { client: { id, secret, auth } } }, async (s) => {
            const { answer, there } = await attempt(s);
            assert.equal(there.searchParams.get('client_id'), id);
            assertLoggedIn(answer);
            await act(s.op.calls('token')[0], s);
        }));
}

scene('CA-1: client_secret_basic is the default, and nothing in the body',
    { auth: 'client_secret_basic' }, (call) => {
        assert.match(call.headers.authorization, /^Basic /);
        assert.equal(call.form.has('client_secret'), false);
    });

scene('CA-1: id and secret of any letters are form-encoded in Basic', {
    id: 'https://shop.test/a b', secret: 'p%+: &=/ä"\\~', auth: 'client_secret_basic',
}, (call) => {
    const text = Buffer.from(call.headers.authorization.slice(6), 'base64')
        .toString();
    assert.match(text, /^[A-Za-z0-9%+._*~-]+:[A-Za-z0-9%+._*~-]+$/);
});

scene('CA-1: client_secret_post puts both in the body and no header', {
    secret: 'p%+: &=/ä', auth: 'client_secret_post',
    more: 'client_auth client_secret_post;',
}, (call) => {
    assert.equal(call.headers.authorization, undefined);
    assert.deepEqual(call.form.getAll('client_id'), ['shop']);
    assert.deepEqual(call.form.getAll('client_secret'), ['p%+: &=/ä']);
});

scene('client_auth none sends client_id and warns', {
    secret: null, auth: 'none', more: 'client_auth none;',
}, (call, s) => {
    assert.equal(call.headers.authorization, undefined);
    assert.deepEqual(call.form.getAll('client_id'), ['shop']);
    assert.equal(call.form.has('client_secret'), false);
    assert.match(s.nginx.log(), /\[warn\].*client_auth/);
});

test('CB-9: a wrong secret is 502 code_rejected, and the log names the error',
    () => play(configuration({ id: 'shop', secret: 'wrong', more: '' }), {},
        async (s) => {
            const mark = s.nginx.mark();
            assertRefused((await attempt(s)).answer, 502, 'code_rejected');
            const lines = s.nginx.complaints(mark);
            assert.equal(lines.length, 1);
            assert.match(lines[0], /invalid_client/);
            assert.doesNotMatch(lines[0], /wrong/);
        }));

test('file: drops one newline at the end and nothing else', () =>
    play(configuration({ id: 'shop', secret: ' s ', more: '' }),
        { provider: { client: { secret: ' s ' } } }, async (s) => {
            assertLoggedIn((await attempt(s)).answer);
        }));
