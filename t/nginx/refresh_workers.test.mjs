// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One refresh per session, however many workers there are, and whatever
// happens to the one that makes it. The provider rotates: who uses a refresh
// token twice loses the session.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { kKey, sessionCookiesSet } from '../lib/checks.mjs';
import { play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const kRounds = Number(process.env.BFF_ROUNDS || 5);

const configuration = ({ op, api, at }) => {
    at.file('html/index.html', 'home');
    return `
        bff_provider corp {
            issuer ${op.issuer};
            client_id shop;
            client_secret "shop secret";
            session_key ${kKey};
        }

        server {
            listen ${at.tls()};
            location / { root ${at.prefix}/html; }
            location /api/ { bff corp; proxy_pass http://${api.address}; }
            location = /worker { return 200 $pid; }
        }
    `;
};

async function loggedIn(s, seconds) {
    s.op.expiresIn = seconds;
    const browser = s.browser();
    await browser.login('/');
    s.op.expiresIn = 3600;
    s.op.requests = [];
    return browser;
}

const refreshes = (s) => s.op.calls('token').length;
const bearer = (s) => `Bearer ${s.op.tokens.access_token}`;

test('RT-5: 200 requests on 8 workers at the end of the token: one refresh, '
    + 'no failure, the session lives on', () =>
    play(configuration, { workers: 8 }, async (s) => {
        for (let round = 1; round <= kRounds; round++) {
            s.api.requests = [];
            const browser = await loggedIn(s, 0);
            const answers = await Promise.all(Array.from({ length: 200 },
                () => browser.clone().api('/api/cart')));

            assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
            assert.ok(answers.every((a) => sessionCookiesSet(a,
                /^__Host-Http-bff-corp$/).length === 1));
            assert.equal(refreshes(s), 1);
            assert.ok(s.api.requests.every((r) =>
                r.header('authorization') === bearer(s)));

            assert.equal((await browser.api('/api/cart')).status, 200);
            assert.equal((await browser.session()).authenticated, true);
            assert.equal(refreshes(s), 1);
        }
    }));

// The worker whose connection to the provider this is.
function workerOf(socket) {
    const port = socket.remotePort.toString(16).toUpperCase()
        .padStart(4, '0');
    const line = execFileSync('ss', ['-tnpH', 'sport', '=',
        `:${parseInt(port, 16)}`], { encoding: 'utf8' });
    return Number(/pid=(\d+)/.exec(line)?.[1]);
}

test('RT-5: a worker that is killed hands its refresh on', () =>
    play(configuration, { workers: 2, expected: [/exited on signal 9/] },
        async (s) => {
            const browser = await loggedIn(s, 0);
            const sockets = [];
            s.op.wire.token = (socket) => sockets.push(socket);
            s.op.rotates = false; // what reached the provider counts for it

            const asking = Array.from({ length: 40 }, () =>
                browser.clone().api('/api/cart').catch((e) => e));
            await until('the refresh', () => sockets.length > 0);
            s.op.wire.token = wire.plain;
            process.kill(workerOf(sockets[0]), 'SIGKILL');

            const answers = await Promise.all(asking);
            const good = answers.filter((a) => a.status === 200);
            assert.ok(good.every((a) => sessionCookiesSet(a).length === 1));
            // those of the killed worker are lost with it
            assert.ok(answers.every((a) => a.status === 200
                || a instanceof Error));
            assert.equal((await browser.api('/api/cart')).status, 200);
            assert.equal(refreshes(s), 2);
        }));

test('RT-5: a reload in the middle loses no refresh', () =>
    play(configuration, { workers: 2 }, async (s) => {
        const browser = await loggedIn(s, 0);
        const waiting = [];
        s.op.wire.token = (...args) => waiting.push(args);

        const before = browser.clone().api('/api/cart');
        await until('the refresh', () => waiting.length > 0);
        const old = s.nginx.workers();
        process.kill(s.nginx.pid, 'SIGHUP');
        await until('a new worker', () =>
            s.nginx.workers().some((pid) => !old.includes(pid)));
        const after = browser.clone().api('/api/cart');
        s.op.wire.token = wire.plain;
        waiting.forEach((args) => wire.plain(...args));

        for (const answer of await Promise.all([before, after])) {
            assert.equal(answer.status, 200);
            assert.equal(sessionCookiesSet(answer).length, 1);
        }
        assert.equal(refreshes(s), 1);
    }));

test('RT-5: a worker that a reload ends finishes a refresh that nobody waits '
    + 'for', () =>
    play(configuration, { workers: 1 }, async (s) => {
        const browser = await loggedIn(s, 20); // due, and not yet over
        const waiting = [];
        s.op.wire.token = (...args) => waiting.push(args);
        assert.equal((await browser.clone().api('/api/cart')).status, 200);
        await until('the refresh', () => waiting.length > 0);

        const [old] = s.nginx.workers();
        process.kill(s.nginx.pid, 'SIGHUP');
        await until('the old worker to know', () =>
            /gracefully shutting down/.test(s.nginx.log()));
        s.op.wire.token = wire.plain;
        waiting.forEach((args) => wire.plain(...args));
        await until('the old worker to leave', () =>
            !s.nginx.workers().includes(old));

        const answer = await browser.api('/api/cart');
        assert.equal(answer.status, 200);
        assert.equal(sessionCookiesSet(answer).length, 1);
        assert.equal(s.api.last.header('authorization'), bearer(s));
        assert.equal(refreshes(s), 1);
    }));
