// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A new binary takes over from a running one (SIGUSR2): sessions, logins under
// way, and all that the shared memory remembers go with it; also back again.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

import {
    assertLoggedIn, assertProblem, assertRefused, kKey, sessionCookiesSet,
} from '../lib/checks.mjs';
import { Nginx, heirlooms } from '../lib/nginx.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

// key: how session_key is written; zone: bff_zone.
const configuration = ({ key = '', zone = 'bff:1m' } = {}) => (s) => `
    bff_zone ${zone};
    bff_provider corp {
        issuer ${s.op.issuer};
        client_id shop;
        client_secret "shop secret";
        ${key}
    }

    server {
        listen ${s.at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${s.api.address}; }
    }
`;

function scene(name, act, options = {}) {
    test(name, () => play(configuration(options),
        { workers: 2, daemon: true, ...options }, act));
}

function change(s, edit) {
    s.at.file('nginx.conf', edit(s.nginx.file('nginx.conf')));
}

const names = (pid) => heirlooms(pid).map((h) => h.name).sort();
const isLoggedIn = async (browser) =>
    (await browser.session()).authenticated;
const refreshes = (s) => s.op.calls('token')
    .filter((r) => r.form.get('grant_type') === 'refresh_token').length;

async function loggedIn(s, seconds = 3600) {
    s.op.expiresIn = seconds;
    const { answer, browser } = await attempt(s);
    assertLoggedIn(answer);
    s.op.expiresIn = 3600;
    return browser;
}

// --- what is kept ---

scene('an upgrade keeps sessions that were sealed with a made key',
    async (s) => {
        const browser = await loggedIn(s);
        await s.nginx.upgrade();
        assert.equal(await isLoggedIn(browser), true);
        assert.match(s.nginx.log(), /"bff" was taken over from the binary/);

        await s.nginx.reload();
        await s.nginx.upgrade();
        assert.equal(await isLoggedIn(browser), true);
        assert.doesNotMatch(s.nginx.log(), /begins empty/);
        assert.equal(s.nginx.log().match(/one was made/g).length, 1);
    });

scene('an upgrade keeps the list of what was ended', async (s) => {
    const browser = await loggedIn(s);
    const copy = browser.clone();
    await browser.api('/bff/logout', { method: 'POST' });
    await s.nginx.upgrade();
    assertProblem(await copy.api('/api/cart'), 401, 'session_revoked');
});

scene('an upgrade keeps logins: one begun before ends after it, once',
    async (s) => {
        const browser = s.browser();
        const there = await browser.startLogin();
        const back = s.op.approve(there.href);
        const thief = browser.clone();
        await s.nginx.upgrade();
        assertLoggedIn(await browser.callback(back));

        await s.nginx.upgrade();
        assertRefused(await thief.callback(back), 400, 'login_expired');
    });

scene('an upgrade keeps renewed tokens for who has the old cookie',
    async (s) => {
        const browser = await loggedIn(s, 0);
        const late = browser.clone();
        assert.equal((await browser.api('/api/cart')).status, 200);
        await s.nginx.upgrade();

        const answer = await late.api('/api/cart');
        assert.equal(answer.status, 200);
        assert.equal(sessionCookiesSet(answer).length, 1);
        assert.equal(refreshes(s), 1);
    });

scene('a refresh that an old worker makes is waited for by the new ones',
    async (s) => {
        const browser = await loggedIn(s, 0);
        const waiting = [];
        s.op.wire.token = (...args) => waiting.push(args);
        const before = browser.clone().api('/api/cart');
        await until('the refresh', () => waiting.length > 0);

        const old = await s.nginx.beginUpgrade();
        process.kill(old, 'SIGWINCH');
        await until('the old workers to know', () => s.nginx.log()
            .match(/gracefully shutting down/g)?.length === 2);
        const after = Array.from({ length: 10 }, () =>
            browser.clone().api('/api/cart'));
        s.op.wire.token = wire.plain;
        waiting.forEach((args) => wire.plain(...args));

        for (const answer of await Promise.all([before, ...after])) {
            assert.equal(answer.status, 200);
            assert.equal(sessionCookiesSet(answer).length, 1);
        }
        assert.equal(refreshes(s), 1);
        await s.nginx.finishUpgrade(old);
    });

// --- and back ---

scene('an upgrade that is taken back loses nothing of either', async (s) => {
    const first = await loggedIn(s);
    const pending = s.browser();
    const there = await pending.startLogin();

    const old = await s.nginx.beginUpgrade();
    const second = await loggedIn(s);
    const ended = first.clone();
    await ended.api('/bff/logout', { method: 'POST' });
    await s.nginx.rollBack(old);

    assertProblem(await first.api('/api/cart'), 401, 'session_revoked');
    assert.equal(await isLoggedIn(second), true);
    assertLoggedIn(await pending.callback(s.op.approve(there.href)));

    await s.nginx.upgrade();
    assert.equal(await isLoggedIn(second), true);
});

scene('while both serve, they know of each other', async (s) => {
    const browser = await loggedIn(s);
    const old = await s.nginx.beginUpgrade();

    // whoever answers: 16 connections reach both
    await browser.clone().api('/bff/logout', { method: 'POST' });
    for (let i = 0; i < 16; i++) {
        assertProblem(await browser.clone().api('/api/cart'), 401,
            'session_revoked');
    }
    await s.nginx.finishUpgrade(old);
});

// --- what is not ---

// edit: of the configuration, before the new binary reads it
function beginsEmpty(name, why, edit, prepare = () => {}) {
    scene(`${name}: it begins empty, and the log says why`, async (s) => {
        const browser = await loggedIn(s);
        const copy = browser.clone();
        await browser.api('/bff/logout', { method: 'POST' });
        prepare(s);
        change(s, edit);
        await s.nginx.upgrade();

        assert.equal(await isLoggedIn(copy), true);
        assert.match(s.nginx.log(), why);
        assert.deepEqual(names(s.nginx.pid).length, 2);
    });
}

beginsEmpty('an upgrade with another size of the zone',
    /"bff" begins empty after this upgrade: its size has changed/,
    (text) => text.replace('bff:1m', 'bff:2m'));

beginsEmpty('an upgrade with another name of the zone',
    /"other" begins empty after this upgrade: .* none of that name/,
    (text) => text.replace('bff:1m', 'other:1m'));

beginsEmpty('an upgrade from a binary with another layout',
    /"bff" begins empty after this upgrade: .* in another way/,
    (text) => text, (s) => {
        const zone = heirlooms(s.nginx.pid).find((h) => h.name === 'bff');
        const fd = fs.openSync(zone.file, 'r+');
        fs.writeSync(fd, Buffer.from([0xff]), 0, 1, 1024 * 1024 + 8);
        fs.closeSync(fd);
    });

test('two that were started apart have nothing in common', () =>
    play(configuration(), {}, (one) =>
        play(configuration(), {}, async (other) => {
            const browser = await loggedIn(one);
            const stranger = other.browser();
            stranger.jar = browser.jar;
            assert.equal(await isLoggedIn(stranger), false);
        })));

// --- descriptors ---

scene('no reload and no upgrade leaves descriptors behind', async (s) => {
    const expected = [':session_key', 'bff'];
    const all = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;
    assert.deepEqual(names(s.nginx.pid), expected);
    await s.nginx.reload();
    const before = all(s.nginx.pid);

    for (let i = 0; i < 3; i++) {
        await s.nginx.reload();
    }
    assert.deepEqual(names(s.nginx.pid), expected);
    assert.equal(all(s.nginx.pid), before);

    for (let i = 0; i < 3; i++) {
        await s.nginx.upgrade();
        assert.deepEqual(names(s.nginx.pid), expected);
    }
    for (const pid of s.nginx.workers()) {
        assert.deepEqual(names(pid), []);
    }
});

scene('a reload that fails, and one that drops the zone', async (s) => {
    const browser = await loggedIn(s);
    change(s, (text) => text.replace('bff corp;', 'bff nosuch;'));
    process.kill(s.nginx.pid, 'SIGHUP');
    await until('the failure', () => /\[emerg\]/.test(s.nginx.log()));
    assert.deepEqual(names(s.nginx.pid), [':session_key', 'bff']);

    change(s, (text) => text.replace('bff nosuch;', 'bff corp;')
        .replace('bff:1m', 'other:1m'));
    await s.nginx.reload();
    assert.deepEqual(names(s.nginx.pid), [':session_key', 'other']);
    assert.equal(await isLoggedIn(browser), true);

    change(s, (text) => text.replace('other:1m', 'other:2m'));
    await s.nginx.reload();
    assert.deepEqual(names(s.nginx.pid), [':session_key', 'other']);
    await s.nginx.upgrade();
    assert.equal(await isLoggedIn(browser), true);
    assert.doesNotMatch(s.nginx.log(), /begins empty/);
}, { expected: [/\[emerg\]/] });

test('nginx -t leaves a running one alone', () =>
    play(configuration({ key: `session_key ${kKey};` }), {}, async (s) => {
        const browser = await loggedIn(s);
        assert.deepEqual(names(s.nginx.pid), ['bff']);
        const { code, output } = await Nginx.test({ place: s.at,
            http: configuration({ key: `session_key ${kKey};` })(s) });
        assert.equal(code, 0, output);
        assert.doesNotMatch(output, /begins empty|taken over/);
        assert.equal(await isLoggedIn(browser), true);
    }));

test('a single process without a master serves as ever', () =>
    play(configuration(), { master: 'off', workers: 1 }, async (s) => {
        const browser = await loggedIn(s);
        assert.equal(await isLoggedIn(browser), true);
        assert.deepEqual(names(s.nginx.pid), []);
    }));
