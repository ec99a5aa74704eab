// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Reloads, upgrades and deaths under load: tokens end all the time, logins are
// under way, several tabs ask at once. The provider rotates refresh tokens,
// and who uses one twice loses the session: so one refresh too many shows.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import { test } from 'node:test';

import { assertLoggedIn, assertProblem, kKey } from '../lib/checks.mjs';
import { SigningKey } from '../lib/jose.mjs';
import { kNoClock } from '../lib/nginx.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { Traffic } from '../lib/traffic.mjs';
import { until, within } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';
import { ZoneMemory, kKillHolder } from '../lib/zone_memory.mjs';

const kRounds = Number(process.env.BFF_ROUNDS || 5);
const kLives = 2000 * kRounds;
const kHunted = Math.ceil(kRounds / 2);
const kWorkers = 4;
const kHunt = 120000; // milliseconds, for a worker at the right moment
const kKilled = [/exited on signal 9/, /was locked by \d+/];

const configuration = ({ zone = 'bff:8m', cache = '64m' } = {}) =>
    ({ op, api, at }) => `
        bff_zone ${zone};
        bff_session_cache ${cache};
        keepalive_requests 1000000;
        bff_provider corp {
            issuer ${op.issuer};
            client_id shop;
            client_secret "shop secret";
            refresh_before 1s;
            id_token_alg ES256;
            timeout 4s;
            session_key ${kKey};
        }

        server {
            listen ${at.tls()};
            location / { return 200 home; }
            location /api/ { bff corp; proxy_pass http://${api.address}; }
        }
    `;

const signing = new SigningKey('ES256', { kid: 'es' });

// Cheap to sign, since all happens on the machine that tests.
function lightly(s) {
    s.op.keys = [signing];
    s.op.expiresIn = 2;
}

function scene(name, act, options = {}) {
    test(name, { skip: options.skip }, () => play(configuration(options),
        { workers: kWorkers, daemon: true, ...options }, async (s) => {
            lightly(s);
            await act(s);
        }));
}

// Traffic while `act` happens; all that work are logged in afterwards.
async function under(s, act) {
    const traffic = await Traffic.begin(s);
    const forgetting = setInterval(() => {
        s.op.requests = [];
        s.api.requests = [];
    }, 200);

    try {
        await act(traffic);
        await traffic.more(100);
    } finally {
        clearInterval(forgetting);
        await traffic.end();
    }

    assert.deepEqual(traffic.wrong, []);
    for (const browser of traffic.browsers) {
        assert.equal((await browser.api('/api/cart')).status, 200);
    }
    assert.ok(traffic.logins > 0);
    return traffic;
}

scene('reloads under load lose no session, no login and no request',
    async (s) => {
        const traffic = await under(s, async (load) => {
            for (let i = 0; i < kRounds; i++) {
                await s.nginx.reload();
                await load.more(50);
            }
        });
        assert.equal(traffic.lost, 0);
        assert.deepEqual(s.nginx.complaints(), []);
    });

scene('upgrades under load, taken back or not, lose nothing either',
    async (s) => {
        const traffic = await under(s, async (load) => {
            for (let i = 0; i < Math.ceil(kRounds / 2); i++) {
                const old = await s.nginx.beginUpgrade();
                await load.more(50);
                await s.nginx.finishUpgrade(old);

                const kept = await s.nginx.beginUpgrade();
                await load.more(50);
                await s.nginx.rollBack(kept);
            }
        });
        assert.equal(traffic.lost, 0);
        assert.deepEqual(s.nginx.complaints(), []);
    });

// What a killed worker had in its hands is lost with it; a refresh token that
// it had used is good for another one here.
scene('workers that are killed at random take no session with them',
    async (s) => {
        s.op.rotates = false;
        await under(s, async (load) => {
            for (let i = 0; i < 2 * kRounds; i++) {
                const workers = s.nginx.workers();
                const victim = workers[Math.floor(Math.random()
                    * workers.length)];
                process.kill(victim, 'SIGKILL');
                await load.more(Math.floor(Math.random() * 60));
                await until('a new worker', () =>
                    s.nginx.workers().length === kWorkers);
            }
        });
    }, { expected: kKilled });

// In a large zone there is more to do under the lock.
scene('workers that are killed while they hold the lock block nobody, and '
    + 'leave nothing half-done', async (s) => {
    s.op.rotates = false;
    const revoked = (await attempt(s)).browser;
    const copy = revoked.clone();
    await revoked.api('/bff/logout', { method: 'POST' });
    s.op.expiresIn = 0;

    await under(s, async (load) => {
        for (let i = 0; i < kHunted; i++) {
            const killer = spawn(process.execPath, [kKillHolder, s.nginx.pid],
                { stdio: ['ignore', 'inherit', 'inherit'] });
            await within('a holder', once(killer, 'exit'), kHunt);
            await load.more(100);
        }
    });

    assert.equal(s.nginx.log().match(/was locked by \d+/g).length, kHunted);
    assertProblem(await copy.api('/api/cart'), 401, 'session_revoked');
}, { zone: 'bff:64m', expected: kKilled });

scene('both masters unlock the zone for their own dead', async (s) => {
    s.op.rotates = false;
    s.op.expiresIn = 0;
    const old = await s.nginx.beginUpgrade();

    await under(s, async (load) => {
        const killer = spawn(process.execPath, [kKillHolder, s.nginx.pid],
            { stdio: ['ignore', 'inherit', 'inherit'] });
        await within('a holder', once(killer, 'exit'), kHunt);
        await load.more(100);
    });
    await s.nginx.finishUpgrade(old);
}, { zone: 'bff:64m', expected: kKilled });

// --- clocks ---

// Of NGINX; what the provider says is of the same time.
function setClock(s, seconds) {
    s.nginx.setForward(seconds);
    s.op.claims = (claims) => ({ ...claims, iat: claims.iat + seconds,
        exp: claims.exp + seconds, auth_time: undefined });
}

// The clock steps while a refresh and a login are under way.
async function step(s, browser, seconds) {
    const login = s.browser();
    const there = await login.startLogin();
    const waiting = [];
    s.op.wire.token = (...args) => waiting.push(args);
    const asking = browser.api('/api/cart');
    await until('the refresh', () => waiting.length > 0);

    setClock(s, seconds);
    s.op.wire.token = wire.plain;
    waiting.forEach((args) => wire.plain(...args));

    assert.equal((await asking).status, 200);
    assert.equal((await browser.session()).authenticated, true);
    assertLoggedIn(await login.callback(s.op.approve(there.href)));
}

for (const steps of [[500, 0, 300], [-500, 0, -300]]) {
    scene(`steps of the clock by ${steps} seconds lose nothing`, async (s) => {
        const browser = s.browser();
        s.op.expiresIn = 0;
        s.op.refreshedIdToken = false; // it would be of another time
        assertLoggedIn((await attempt(s, { browser })).answer);

        for (const seconds of steps) {
            await step(s, browser, seconds);
        }
    }, { clock: true, daemon: false, skip: kNoClock });
}

scene('what was ended stays so when the clock was far ahead for a while',
    async (s) => {
        const { browser } = await attempt(s);
        const copy = browser.clone();
        await browser.api('/bff/logout', { method: 'POST' });

        setClock(s, 86400);
        await s.nginx.killWorker(); // the next one reads the list by then
        assertProblem(await copy.clone().api('/api/cart'), 401,
            'session_expired');
        setClock(s, 0);
        assertProblem(await copy.api('/api/cart'), 401, 'session_revoked');
    }, { clock: true, daemon: false, workers: 1, skip: kNoClock });

scene('documents that were fetched while the clock was ahead are not kept '
    + 'until then', async (s) => {
    setClock(s, 86400);
    await attempt(s);
    setClock(s, 0);
    s.op.requests = [];

    await until('new ones', async () => {
        await attempt(s);
        return ['metadata', 'jwks'].every((endpoint) =>
            s.op.calls(endpoint).length === 1);
    });
}, { clock: true, daemon: false, workers: 1, skip: kNoClock });

// --- leaks ---

// A login, a refresh, a request, a logout for every second one.
async function life(s, agent, i) {
    const options = { agent, headers: { Connection: null } };
    const browser = s.browser();
    const there = await browser.startLogin('/bff/login', options);
    const back = s.op.approve(there.href);
    assertLoggedIn(await browser.callback(back, options));
    assert.equal((await browser.api('/api/cart', options)).status, 200);

    if (i % 2 === 0) {
        await browser.api('/bff/logout', { ...options, method: 'POST' });
    }
}

async function lives(s, agent, count) {
    for (let i = 0; i < count; i += 20) {
        await Promise.all(Array.from({ length: 20 },
            (_, j) => life(s, agent, i + j)));
        s.op.requests = [];
        s.api.requests = [];
    }
}

// Octets that are its own, not those of files or of shared memory.
function ownMemory(pid) {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/RssAnon:\s+(\d+)/.exec(status)[1]);
}

// In a small zone every table is full soon, and so is a small cache. A leak of 100 octets for each
// would be twice what is allowed.
scene(`${kLives} logins, refreshes and logouts leave memory as it is`,
    async (s) => {
        s.op.expiresIn = 0;
        const [pid] = s.nginx.workers();
        const zone = new ZoneMemory(s.nginx.pid);
        const agent = new https.Agent({ keepAlive: true });

        await lives(s, agent, kLives * 0.3);
        const before = ownMemory(pid);
        const { freePages } = zone;
        await lives(s, agent, kLives * 0.7);

        const grown = ownMemory(pid) - before;
        assert.ok(grown < kLives * 0.7 * 50, `grown by ${grown} octets`);
        assert.equal(zone.freePages, freePages);
        assert.deepEqual(s.nginx.workers(), [pid]);
        zone.close();
        agent.destroy();
    }, { workers: 1, zone: 'bff:1m', cache: '1m', skip: process.env.BFF_SANITIZE
        ? 'ASan keeps what was freed' : false });
