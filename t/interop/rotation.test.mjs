// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One session, many requests at once on many workers, and a provider that
// rotates refresh tokens: npm oidc-provider, where a refresh token that is used
// twice ends its whole family.
//
// The provider itself is asked what it saw. Its clock and NGINX's are the
// same one, and are set forward, so that a token ends when a round begins and
// at no other time.

import assert from 'node:assert/strict';
import https from 'node:https';

import { sessionCookiesSet } from '../lib/checks.mjs';
import { kNoClock } from '../lib/nginx.mjs';
import { until } from '../lib/wait.mjs';
import { login, scene } from './lib/shop.mjs';

const kRounds = Number(process.env.BFF_ROUNDS || 100);
const kWorkers = 8;
const kLifetime = 120;

const kMany = { workers: kWorkers, listen: 'reuseport',
    client: { grant_types: ['authorization_code', 'refresh_token'] } };
const kByTheClock = { ...kMany, clock: true, skip: kNoClock,
    lifetimes: { AccessToken: kLifetime } };

// Requests that all go out at once, each on a connection of its own that was
// there before; the kernel spreads these over the workers.
class Crowd {
    constructor(size) {
        this.agents = Array.from({ length: size }, () =>
            new https.Agent({ keepAlive: true, maxSockets: 1 }));
    }

    // browserOf: (number of the request) => whose cookies it has
    ask(browserOf, path = '/api/cart', method = 'GET') {
        return Promise.all(this.agents.map((agent, i) =>
            browserOf(i).clone().api(path, { agent, method,
                headers: { Connection: 'keep-alive' } })));
    }

    leave() {
        this.agents.forEach((agent) => agent.destroy());
    }
}

// One session in two tabs: the newest cookies, and those before them.
class Tabs {
    constructor(browser) {
        this.newest = browser.clone();
        this.stale = browser.clone();
    }

    // Every other request comes from the tab that has not seen the newest.
    of = (i) => (i % 2 === 0 ? this.newest : this.stale);

    learn(answer) {
        this.stale = this.newest.clone();
        answer.setCookies.forEach((line) =>
            this.newest.jar.set(line, new URL(this.newest.origin)));
    }
}

const refreshes = (op) => op.events('grant.success')
    .filter(({ grant }) => grant === 'refresh_token').length;
const bearer = ({ access_token }) => `Bearer ${access_token}`;

function assertAnswered(answers) {
    assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
    assert.equal(new Set(answers.map((a) => a.headers['x-worker'])).size,
        kWorkers);
}

// Each of them went upstream with one of these.
function assertSent(api, tokens) {
    const allowed = tokens.map(bearer);

    for (const request of api.requests) {
        const [sent, ...more] = request.all('authorization');
        assert.deepEqual(more, []);
        assert.ok(allowed.includes(sent), 'a token that is not the newest');
    }
}

// count: refreshes since the login.
function assertFamilyLives(op, count) {
    assert.equal(refreshes(op), count);
    assert.equal(op.events('refresh_token.consumed').length, count);
    assert.equal(op.tokens().length, 1 + count);
    assert.deepEqual(op.events('grant.revoked'), []);
    assert.deepEqual(op.events('grant.error'), []);
}

async function assertSessionLives({ op, nginx }, browser, count) {
    assert.equal((await browser.session()).authenticated, true);
    assert.equal((await browser.api('/api/cart')).status, 200);
    assertFamilyLives(op, count);
    assert.deepEqual(nginx.complaints(), []);
}

async function withCrowd(size, act) {
    const crowd = new Crowd(size);
    try {
        await act(crowd);
    } finally {
        crowd.leave();
    }
}

scene(`RT-5: ${kRounds} times 200 requests on 8 workers at expiry: one refresh `
    + 'each, no request fails, the session lives on',
{ ...kByTheClock, directives: 'refresh_before 0s;' }, async (s, b) => {
    await login(b);
    const tabs = new Tabs(b);

    await withCrowd(200, async (crowd) => {
        for (let round = 1; round <= kRounds; round++) {
            s.nginx.setForward(round * (kLifetime + 1));
            s.api.requests = [];
            const answers = await crowd.ask(tabs.of);

            assertAnswered(answers);
            assert.ok(answers.every((a) => sessionCookiesSet(a).length === 1));
            assert.equal(s.api.requests.length, 200);
            assertSent(s.api, [s.op.tokens().at(-1)]);
            assertFamilyLives(s.op, round);
            tabs.learn(answers[round % 200]);
        }
    });

    await assertSessionLives(s, tabs.newest, kRounds);
});

scene('RT-5: 200 pages of one session on 8 workers ask for new tokens: one '
    + 'refresh', kMany, async (s, b) => {
    const rounds = Math.ceil(kRounds / 10);
    await login(b);
    const tabs = new Tabs(b);

    await withCrowd(200, async (crowd) => {
        for (let round = 1; round <= rounds; round++) {
            const answers = await crowd.ask(() => tabs.newest, '/bff/refresh',
                'POST');
            assert.deepEqual([...new Set(answers.map((a) => a.status))], [204]);
            assertFamilyLives(s.op, round);
            tabs.learn(answers[round]);
        }
    });

    await assertSessionLives(s, tabs.newest, rounds);
});

// In the leeway: the provider does not answer until all have been served.
scene('RT-7: 200 requests on 8 workers shortly before expiry: they go on with '
    + 'the old token while one refresh runs', kByTheClock, async (s, b) => {
    const rounds = Math.ceil(kRounds / 4);
    await login(b);
    const tabs = new Tabs(b);

    await withCrowd(200, async (crowd) => {
        for (let round = 1; round <= rounds; round++) {
            const [old] = s.op.tokens().slice(-1);
            s.nginx.setForward(round * (kLifetime - 20));
            s.op.close();
            s.api.requests = [];
            assertAnswered(await crowd.ask(tabs.of));
            assertSent(s.api, [old]);
            await until('the refresh', () =>
                s.op.events('token.waits').length >= round);
            assert.equal(s.op.events('token.waits').length, round);

            s.op.open();
            await until('the new token', async () => {
                await tabs.newest.clone().api('/api/cart');
                return s.api.last.header('authorization') !== bearer(old);
            });
            s.api.requests = [];
            const answers = await crowd.ask(tabs.of);
            assertAnswered(answers);
            assert.ok(answers.every((a) => sessionCookiesSet(a).length === 1));
            assertSent(s.api, [s.op.tokens().at(-1)]);
            assertFamilyLives(s.op, round);
            tabs.learn(answers[round]);
        }
    });

    await assertSessionLives(s, tabs.newest, rounds);
});

// Always in the leeway: refreshed in the second half of a token's life only.
scene('RT-7: requests all the time with a token that lives shorter than '
    + 'refresh_before', { ...kMany, lifetimes: { AccessToken: 4 } },
async (s, b) => {
    const wanted = Math.min(kRounds, 5);
    await login(b);
    const tabs = new Tabs(b);

    await withCrowd(80, async (crowd) => {
        while (refreshes(s.op) < wanted) {
            s.api.requests = [];
            const before = s.op.tokens().length;
            const answers = await crowd.ask(tabs.of);
            assertAnswered(answers);
            assertSent(s.api, s.op.tokens().slice(Math.max(0, before - 2)));

            const told = answers.find((a, i) => i % 2 === 0
                && sessionCookiesSet(a).length === 1);
            if (told) {
                tabs.learn(told);
            }
        }
    });

    const times = s.op.events('refresh_token.consumed').map(({ at }) => at);
    times.slice(1).forEach((at, i) => assert.ok(at - times[i] > 1000));
    assertFamilyLives(s.op, refreshes(s.op));
    await assertSessionLives(s, tabs.newest, refreshes(s.op));
});
