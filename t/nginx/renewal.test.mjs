// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What the provider publishes is renewed when its time is over, without
// anybody waiting for it, and the old copy serves while the provider is away.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn } from '../lib/checks.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const kHour = 3600;

const configuration = ({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_timeout 24h;
    }

    server {
        listen ${at.tls()};
        location / { bff corp; return 200 home; }
    }
`;

// A login with a provider whose clock goes along.
async function login(s, seconds) {
    const now = Math.floor(Date.now() / 1000) + seconds;
    s.op.claims = (usual) => ({ ...usual, iat: now, exp: now + 300 });
    assertLoggedIn((await attempt(s)).answer);
}

test('DISC-5: after an hour metadata and keys are asked for once more', () =>
    play(configuration, { clock: true }, async (s) => {
        await login(s, 0);
        assert.equal(s.op.calls('metadata').length, 1);

        s.nginx.setForward(kHour + 1);
        await login(s, kHour + 1);
        await until('the renewal', () => s.op.calls('metadata').length === 2
            && s.op.calls('jwks').length === 2);
    }));

test('DISC-5: a stale copy serves while the provider is away', () =>
    play(configuration, { clock: true }, async (s) => {
        await login(s, 0);

        s.nginx.setForward(kHour + 1);
        s.op.wire = { metadata: wire.resetBefore, jwks: wire.resetBefore };
        await login(s, kHour + 1);
        await until('the line in the log', () =>
            /serving with the last known copy/.test(s.nginx.log()));
        await login(s, kHour + 1);
    }));

test('before its time is over nothing is asked again', () =>
    play(configuration, { clock: true }, async (s) => {
        await login(s, 0);
        s.nginx.setForward(kHour - 60);
        await login(s, kHour - 60);
        assert.equal(s.op.calls('metadata').length, 1);
        assert.equal(s.op.calls('jwks').length, 1);
    }));

// [Cache-Control, seconds that the copy serves]
const kLifetimes = [
    ['max-age=7200', 7200],
    ['public, max-age="7200", must-revalidate', 7200],
    ['max-age=1', 300],
    ['max-age=0', 300],
    ['no-store', kHour],
    ['max-age=100000000', 24 * kHour],
    ['max-age=99999999999999999999', 300],
];

for (const [value, seconds] of kLifetimes) {
    test(`KEY-8: keys with Cache-Control: ${value} serve ${seconds} s`, () =>
        play(configuration, { clock: true }, async (s) => {
            s.op.wire.jwks = wire.instead({ headers:
                { 'Cache-Control': value } });
            await login(s, 0);

            s.nginx.setForward(seconds - 30);
            await login(s, seconds - 30);
            assert.equal(s.op.calls('jwks').length, 1);

            s.nginx.setForward(seconds + 1);
            await login(s, seconds + 1);
            await until('the renewal', () => s.op.calls('jwks').length === 2);
        }));
}
