// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A provider that fails is left alone for some seconds, by all workers, and
// whoever comes in between is told when to come back. Who does is let in.
//
// The waits that a test must not race against are asked for by the provider,
// half a minute each; the module's own are read off its answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { assertLoggedIn, assertRefused, kKey } from '../lib/checks.mjs';
import { SigningKey } from '../lib/jose.mjs';
import { kNoClock } from '../lib/nginx.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const configuration = ({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        timeout 2s;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }
`;

function scene(name, act, options = {}) {
    test(name, { skip: options.clock && kNoClock },
        () => play(configuration, options, act));
}

function start(s) {
    return s.browser().navigate('/bff/login', { follow: false });
}

const unavailable = (headers = {}, status = 503) =>
    wire.instead({ status, body: 'not now', headers });
const kHalfAMinute = { 'Retry-After': '30' };

function told(answer) {
    assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/);
    return Number(answer.headers['retry-after']);
}

// A person who does as the answer says, no more and no less.
async function comeBackWhenTold(answer) {
    await sleep(told(answer) * 1000);
}

// Logins until the provider was asked so many times; the answers of those
// that asked.
async function failUntilAsked(s, times, begin = start, endpoint = 'metadata') {
    const answers = [];

    while (answers.length < times) {
        const before = s.op.calls(endpoint).length;
        const answer = await begin(s);
        if (s.op.calls(endpoint).length > before) {
            answers.push(answer);
        } else {
            await comeBackWhenTold(answer);
        }
    }

    return answers;
}

scene('DISC-5: twice the next login asks at once, then 1, 2, 4 seconds',
    async (s) => {
        s.op.wire.metadata = wire.closeBefore;
        assertRefused(await start(s), 503, 'provider_unavailable');
        assertRefused(await start(s), 503, 'provider_unavailable');
        assertRefused(await start(s), 503, 'provider_unavailable');
        assert.equal(s.op.calls('metadata').length, 3);

        const answers = await failUntilAsked(s, 2);
        assert.deepEqual(answers.map(told), [2, 4]);
    });

scene('DISC-5: four workers leave the provider alone together', async (s) => {
    s.op.wire.metadata = unavailable(kHalfAMinute);
    assert.equal(told(await start(s)), 30);

    const mark = s.nginx.mark();
    await until('several workers had some of them', async () => {
        const all = await Promise.all(
            Array.from({ length: 40 }, () => start(s)));
        all.forEach((answer) => {
            assertRefused(answer, 503, 'provider_unavailable');
            assert.ok(told(answer) <= 30);
        });

        return new Set(s.nginx.complaints(mark).map((line) =>
            /\] (\d+)#/.exec(line)[1])).size > 1;
    });

    assert.equal(s.op.calls('metadata').length, 1);
    assert.match(s.nginx.complaints(mark)[0],
        /metadata could not be had.*asked again in \d+ s/);
}, { workers: 4 });

scene('DISC-5: many logins that wait for one failure count it once',
    async (s) => {
        s.op.wire.metadata = wire.silent;
        const all = await Promise.all(Array.from({ length: 20 },
            () => start(s)));
        all.forEach((a) => assertRefused(a, 503, 'provider_unavailable'));
        assert.equal(s.op.calls('metadata').length, 1);

        s.op.reset();
        assert.equal((await start(s)).status, 302);
    }, { workers: 4 });

scene('DISC-5: after two failures the first login works at once', async (s) => {
    s.op.wire.metadata = wire.closeBefore;
    await start(s);
    await start(s);
    s.op.reset();
    assertLoggedIn((await attempt(s)).answer);
});

scene('DISC-5: after more failures it works when it was said to', async (s) => {
    s.op.wire.metadata = wire.closeBefore;
    const [, , , answer] = await failUntilAsked(s, 4);
    s.op.reset();
    await comeBackWhenTold(answer);
    assertLoggedIn((await attempt(s)).answer);
});

scene('Retry-After: after that time the first login works', async (s) => {
    s.op.wire.metadata = unavailable({ 'Retry-After': '3' });
    await start(s);
    s.op.wire.metadata = undefined;
    const answer = await start(s);
    assertRefused(answer, 503, 'provider_unavailable');
    assert.equal(s.op.calls('metadata').length, 1);

    await comeBackWhenTold(answer);
    assertLoggedIn((await attempt(s)).answer);
});

scene('DISC-5: what breaks a rule is left alone as well, by its own name',
    async (s) => {
        s.op.wire.metadata = wire.instead({ body: '[]' });
        const answers = await failUntilAsked(s, 5);
        answers.forEach((a) => assertRefused(a, 502, 'provider_misconfigured'));
        assert.deepEqual(answers.slice(2).map(told), [1, 2, 4]);

        const answer = await start(s);
        assertRefused(answer, 502, 'provider_misconfigured');
        assert.ok(told(answer) <= 4);
        assert.equal(s.op.calls('metadata').length, 5);
    });

// [what, headers, status, what the browser is told]
const kRetryAfter = [
    ['seconds', kHalfAMinute, 503, 30],
    ['seconds with 429', kHalfAMinute, 429, 30],
    ['a date', { Date: 'Sun, 06 Nov 1994 08:49:37 GMT',
        'Retry-After': 'Sun, 06 Nov 1994 08:50:17 GMT' }, 503, 40],
    ['an hour, which is too much', { 'Retry-After': '3600' }, 503, 60],
    ['a date next year', { Date: 'Sun, 06 Nov 1994 08:49:37 GMT',
        'Retry-After': 'Mon, 06 Nov 1995 08:49:37 GMT' }, 503, 60],
    ['zero', { 'Retry-After': '0' }, 503, 1],
    ['nonsense', { 'Retry-After': 'soon' }, 503, 1],
    ['a date without a Date', { 'Retry-After':
        'Fri, 31 Dec 9999 23:59:59 GMT' }, 503, 1],
    ['nothing', {}, 503, 1],
    ['something with 500, where it means nothing', kHalfAMinute, 500, 1],
];

for (const [what, headers, status, seconds] of kRetryAfter) {
    scene(`Retry-After of a document: ${what}`, async (s) => {
        s.op.wire.metadata = unavailable(headers, status);
        const answer = await start(s);
        assertRefused(answer, 503, 'provider_unavailable');
        assert.equal(told(answer), seconds);

        await start(s);
        assert.equal(s.op.calls('metadata').length, seconds > 1 ? 1 : 2);
    });

    scene(`Retry-After of the token endpoint: ${what}`, async (s) => {
        s.op.wire.token = unavailable(headers, status);
        const { answer } = await attempt(s);
        assertRefused(answer, 503, 'provider_unavailable');
        assert.equal(told(answer), seconds);

        s.op.reset();           // a new code may be redeemed at once
        assertLoggedIn((await attempt(s)).answer);
    });
}

scene('Retry-After with a document that is refused means nothing', async (s) => {
    s.op.wire.metadata = unavailable(kHalfAMinute, 404);
    const answer = await start(s);
    assertRefused(answer, 502, 'provider_misconfigured');
    assert.equal(answer.headers['retry-after'], undefined);
});

scene('DISC-5: keys are left alone too, while logins still begin', async (s) => {
    s.op.wire.jwks = unavailable(kHalfAMinute);
    assert.equal(told((await attempt(s)).answer), 30);

    const { answer } = await attempt(s);
    assertRefused(answer, 503, 'provider_unavailable');
    assert.equal(s.op.calls('jwks').length, 1);
    assert.equal(s.op.calls('token').length, 2);
    assert.equal((await start(s)).status, 302);
});

scene('KEY-7: a newer key set is not asked for while it is left alone',
    async (s) => {
        assertLoggedIn((await attempt(s)).answer);
        s.op.keys = [new SigningKey()];
        s.op.wire.jwks = unavailable(kHalfAMinute);
        assertRefused((await attempt(s)).answer, 503, 'provider_unavailable');

        const { answer } = await attempt(s);
        assertRefused(answer, 503, 'provider_unavailable');
        assert.ok(told(answer) <= 30);
        assert.equal(s.op.calls('jwks').length, 2);
    });

scene('DISC-5: a success forgets the failures before it', async (s) => {
    s.op.wire.jwks = wire.closeBefore;
    const login = async (s) => (await attempt(s)).answer;
    await failUntilAsked(s, 2, login, 'jwks');
    s.op.reset();
    assertLoggedIn(await login(s));

    s.op.keys = [new SigningKey()];
    s.op.wire.jwks = wire.closeBefore;
    await failUntilAsked(s, 1, login, 'jwks');
    s.op.wire.jwks = undefined;
    assertLoggedIn(await login(s));
});

scene('DISC-5: a reload does not forget', async (s) => {
    s.op.wire.metadata = unavailable(kHalfAMinute);
    await start(s);
    s.op.wire = {};
    await s.nginx.reload();
    assertRefused(await start(s), 503, 'provider_unavailable');
    assert.equal(s.op.calls('metadata').length, 1);
});

scene('DISC-5: a clock that is set forward does not count', async (s) => {
    s.op.wire.metadata = unavailable(kHalfAMinute);
    await start(s);
    s.op.wire = {};
    s.nginx.setForward(3600);
    const answer = await start(s);
    assertRefused(answer, 503, 'provider_unavailable');
    assert.ok(told(answer) <= 30);
    assert.equal(s.op.calls('metadata').length, 1);
}, { clock: true });

scene('DISC-5: a stale copy serves, and its renewal waits as well', async (s) => {
    const kLater = 3601;
    const login = async () => assertLoggedIn((await attempt(s)).answer);

    await login();
    s.nginx.setForward(kLater);
    const now = Math.floor(Date.now() / 1000) + kLater;
    s.op.claims = (usual) => ({ ...usual, iat: now, exp: now + 300 });
    s.op.wire = { metadata: unavailable(kHalfAMinute),
        jwks: unavailable(kHalfAMinute) };
    s.op.requests = [];

    await login();
    await until('both renewals to fail', () =>
        s.nginx.log().split('last known copy').length === 3);
    for (let i = 0; i < 5; i++) {
        await login();
    }
    assert.equal(s.op.calls('metadata').length, 1);
    assert.equal(s.op.calls('jwks').length, 1);
    assert.equal(s.op.calls('token').length, 6);
}, { clock: true });
