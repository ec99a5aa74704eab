// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The key that seals the cookies: given, from a file with several, or made at
// start. A reload and a worker that dies lose no session and no login.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

import { assertLoggedIn, sessionCookiesSet } from '../lib/checks.mjs';
import { Nginx } from '../lib/nginx.mjs';
import { play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const kOld = 'a1'.repeat(32);
const kNew = 'B2'.repeat(32);

const configuration = (keys) => ({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        ${typeof keys === 'function' ? keys(at) : keys}
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /poll/ {
            bff corp;
            bff_activity off;
            proxy_pass http://${api.address};
        }
    }
`;

function scene(name, keys, act, options = {}) {
    test(name, () => play(configuration(keys), options, act));
}

// Stops NGINX and starts it anew in the same place with other keys.
async function restart(s, keys) {
    const { place } = s.nginx;
    const remove = place.remove;
    place.remove = () => {};
    await s.nginx.stop();
    place.remove = remove;
    s.nginx = await Nginx.start({ place, http: configuration(keys)(s) });
}

async function loggedIn(s) {
    const b = s.browser();
    await b.login('/');
    return b;
}

async function isIn(b) {
    return (await b.api('/api/x')).status === 200;
}

scene('a key that is given survives a restart', `session_key ${kOld};`,
    async (s) => {
        const b = await loggedIn(s);
        const there = await s.browser().startLogin();
        assert.ok(there);
        await restart(s, `session_key ${kOld.toUpperCase()};`);
        assert.equal(await isIn(b), true);
    });

scene('another key opens nothing', `session_key ${kOld};`, async (s) => {
    const b = await loggedIn(s);
    await restart(s, `session_key ${kNew};`);
    assert.equal(await isIn(b), false);
});

scene('CK-26: of several keys the first seals and all open',
    `session_key ${kOld};`, async (s) => {
        const before = await loggedIn(s);
        const unseen = before.clone();
        await restart(s, `session_key ${kNew}; session_key ${kOld};`);
        const during = await loggedIn(s);
        assert.equal(await isIn(before), true);
        assert.equal(await isIn(during), true);

        await restart(s, `session_key ${kNew};`);
        assert.equal(await isIn(unseen), false);
        assert.equal(await isIn(before), true);
        assert.equal(await isIn(during), true);
    });

const file = (...lines) => (at) =>
    `session_key file:${at.file('keys', `${lines.join('\n')}\n`, 0o600)};`;

scene('CK-26: a file with one key a line rotates by a reload',
    file(kOld), async (s) => {
        const before = await loggedIn(s);
        const unseen = before.clone();
        fs.writeFileSync(`${s.at.prefix}/keys`, `${kNew}\n${kOld}\n`);
        await s.nginx.reload();
        const during = await loggedIn(s);
        assert.equal(await isIn(before), true);
        assert.equal(await isIn(during), true);

        fs.writeFileSync(`${s.at.prefix}/keys`, `${kNew}\n`);
        await s.nginx.reload();
        assert.equal(await isIn(unseen), false);
        assert.equal(await isIn(before), true);
        assert.equal(await isIn(during), true);
    });

async function rotate(s, ...keys) {
    fs.writeFileSync(`${s.at.prefix}/keys`, `${keys.join('\n')}\n`);
    await s.nginx.reload();
}

// Each way in which a page may come by.
const kVisits = {
    'a call of the API': (b) => b.api('/api/x'),
    'a poll': (b) => b.api('/poll/x'),
    session: (b) => b.api('/bff/session'),
    'session?slide=false': (b) => b.api('/bff/session?slide=false'),
    user: (b) => b.api('/bff/user'),
    userinfo: (b) => b.api('/bff/userinfo'),
    refresh: (b) => b.api('/bff/refresh', { method: 'POST' }),
};

for (const [what, visit] of Object.entries(kVisits)) {
    scene(`CK-26: after ${what} the old key is not needed any more`,
        file(kOld), async (s) => {
            const [seen, unseen] = [await loggedIn(s), await loggedIn(s)];
            await rotate(s, kNew, kOld);
            const first = await visit(seen);
            assert.equal(sessionCookiesSet(first).length, 1);
            const names = first.setCookies.map((line) => line.split('=')[0]);
            assert.equal(new Set(names).size, names.length);
            assert.deepEqual(sessionCookiesSet(await seen.api('/api/x')), []);

            await rotate(s, kNew);
            assert.equal(await isIn(seen), true);
            assert.equal(await isIn(unseen), false);
        });
}

scene('CK-26: a key that is put last on all machines first seals nothing',
    file(kOld), async (s) => {
        const b = await loggedIn(s);
        await rotate(s, kOld, kNew);
        assert.deepEqual(sessionCookiesSet(await b.api('/api/x')), []);
        await rotate(s, kNew, kOld);
        assert.equal(sessionCookiesSet(await b.api('/api/x')).length, 1);
    });

scene('CK-26: a request of another site has nothing sealed anew', file(kOld),
    async (s) => {
        const b = await loggedIn(s);
        await rotate(s, kNew, kOld);
        const refused = await b.api('/api/x', { headers: {
            Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' } });
        assert.equal(refused.status, 403);
        assert.deepEqual(sessionCookiesSet(refused), []);
    });

scene('a logout link survives a rotation', file(kOld), async (s) => {
    const b = await loggedIn(s);
    const { logout_url } = await b.session();
    await rotate(s, kNew, kOld);
    assert.equal(await isIn(b), true);
    await rotate(s, kNew);
    const refused = await b.request('/bff/logout');
    assert.equal(refused.status, 403);
    const out = await b.request(logout_url);
    assert.equal(out.status, 302, out.body);
    assert.equal(await isIn(b), false);
});

scene('a session that is renewed in a rotation lives on', file(kOld),
    async (s) => {
        s.op.expiresIn = 0;
        const b = await loggedIn(s);
        s.op.expiresIn = 3600;
        const other = b.clone();
        assert.equal(await isIn(b), true);
        await rotate(s, kNew, kOld);
        assert.equal(await isIn(other), true);
        assert.equal(await isIn(b), true);
        assert.equal(s.op.calls('token').length, 2);
        await rotate(s, kNew);
        assert.equal(await isIn(other), true);
        assert.equal(await isIn(b), true);
    });

scene('a login under way survives a rotation', file(kOld), async (s) => {
    const b = s.browser();
    const there = await b.startLogin();
    fs.writeFileSync(`${s.at.prefix}/keys`, `${kNew}\n${kOld}\n`);
    await s.nginx.reload();
    assertLoggedIn(await b.callback(s.op.approve(there.href)));
});

scene('without a key, sessions and logins survive a reload', '', async (s) => {
    const b = await loggedIn(s);
    const other = s.browser();
    const there = await other.startLogin();

    await s.nginx.reload();
    assert.equal(await isIn(b), true);
    assertLoggedIn(await other.callback(s.op.approve(there.href)));
    await s.nginx.reload();
    assert.equal(await isIn(b), true);
    assert.equal(await isIn(other), true);
}, { workers: 2 });

scene('without a key, a restart ends the sessions', '', async (s) => {
    const b = await loggedIn(s);
    await restart(s, '');
    assert.equal(await isIn(b), false);
    assert.equal((await b.session()).authenticated, false);
});

scene('a worker that is killed loses no session and no login', '', async (s) => {
    const b = await loggedIn(s);
    const other = s.browser();
    const there = await other.startLogin();

    await s.nginx.killWorker();
    assert.equal(await isIn(b), true);
    assertLoggedIn(await other.callback(s.op.approve(there.href)));
});

scene('CK-28: every worker opens what another has sealed', '', async (s) => {
    const b = await loggedIn(s);
    const all = await Promise.all(Array.from({ length: 32 }, () => isIn(b)));
    assert.ok(all.every(Boolean));
}, { workers: 4 });

scene('a wrong key after a reload keeps the old configuration', file(kOld),
    async (s) => {
        const b = await loggedIn(s);
        const mark = s.nginx.mark();
        fs.writeFileSync(`${s.at.prefix}/keys`, 'c0ffee\n');
        process.kill(s.nginx.pid, 'SIGHUP');
        const log = await until('the refusal', () =>
            /\[emerg\].*session_key/.test(s.nginx.log(mark))
                && s.nginx.log(mark));
        assert.doesNotMatch(log, /c0ffee/);
        assert.equal(await isIn(b), true);
    }, { expected: [/session_key/] });
