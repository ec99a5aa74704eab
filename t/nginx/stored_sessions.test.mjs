// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sessions in shared memory: those that fit no cookies, and all of them where
// session_store wants it so. Told by what the browser, the API and the memory
// itself get to see.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';

import { assertErrorPage, assertHidden, assertProblem, kKey,
    sessionCookiesSet } from '../lib/checks.mjs';
import { logoutToken, postToken } from '../lib/logout_token.mjs';
import { sharedMemoryHas } from '../lib/memory.mjs';
import { kNoClock } from '../lib/nginx.mjs';
import { attempt, play, restart } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const kOne = '__Host-Http-bff-corp';
const kBoth = ['zone', 'overflow'];

const configuration = (directives, zone = '') => ({ op, api, at }) => `
    ${zone}
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        ${directives}
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
    }
`;

// where: zone, or overflow (and the tokens are too large for cookies).
// options.small: there is room for few sessions.
function scene(name, where, act, options = {}) {
    const directives = where === 'zone'
        ? `session_store zone=sessions:${options.small ? '64k' : '1m'};` : '';
    const zone = where === 'overflow' && options.small
        ? 'bff_zone bff:256k;' : '';

    test(`${name} (${where})`, { skip: options.skip }, () => play(
        configuration(`${directives} ${options.more ?? ''}`, zone),
        { workers: 2, ...options }, (s) => {
            s.where = where;
            usual(s);
            return act(s);
        }));
}

function both(name, act, options) {
    kBoth.forEach((where) => scene(name, where, act, options));
}

const text = (octets) => crypto.randomBytes(octets).toString('base64url');

function usual(s) {
    s.op.accessToken = () => `at-${text(s.where === 'zone' ? 300 : 9000)}`;
}

async function loggedIn(s, lifetime = 3600) {
    s.op.expiresIn = lifetime;
    const { browser, answer } = await attempt(s);
    assert.equal(answer.status, 200, answer.body);
    s.op.expiresIn = 3600;
    return { browser, answer };
}

const works = async (browser) =>
    (await browser.api('/api/x')).status === 200;
const bearer = (s) => `Bearer ${s.op.tokens.access_token}`;

// --- what goes where ---

both('the browser gets one short cookie and the API the whole token',
    async (s) => {
        const { browser, answer } = await loggedIn(s);
        const cookies = sessionCookiesSet(answer);
        assert.equal(cookies.length, 1);
        assert.equal(cookies[0].name, kOne);
        assert.ok(cookies[0].value.length < 300, cookies[0].value);
        assertHidden(answer, [s.op.tokens.access_token,
            s.op.tokens.refresh_token, s.op.tokens.id_token]);

        assert.ok(await works(browser));
        assert.equal(s.api.last.header('authorization'), bearer(s));
        assert.equal(s.api.last.header('cookie'), undefined);

        const session = await browser.session();
        assert.equal(session.authenticated, true);
        assert.equal(session.claims.sub, 'user-1');
        assert.ok((await browser.api('/bff/user')).json().length > 1);
    });

both('tokens that no cookie could hold are kept as well', async (s) => {
    s.op.accessToken = () => `at-${text(30000)}`;
    s.op.refreshToken = () => `rt-${text(30000)}`;
    const { browser } = await loggedIn(s, 0);

    assert.ok(await works(browser)); // renewed by one of them
    assert.equal(s.op.calls('token').length, 2);
    assert.equal(s.api.last.header('authorization'), bearer(s));
});

scene('a session that fits its cookies stays there', 'overflow', async (s) => {
    s.op.accessToken = () => 'small';
    const { browser, answer } = await loggedIn(s);
    const [cookie] = sessionCookiesSet(answer);
    assert.equal(cookie.value[0], '1');
    assert.ok(await works(browser));
});

both('nobody who reads the memory finds a token', async (s) => {
    const { browser } = await loggedIn(s);
    assert.ok(await works(browser));
    const { access_token: access, refresh_token: refresh, id_token: id }
        = s.op.tokens;

    const [worker] = s.nginx.workers();
    // what is there in plain: the provider's metadata
    assert.ok(sharedMemoryHas(worker, s.op.issuer));
    for (const token of [access, refresh, id]) {
        assert.ok(!sharedMemoryHas(worker, token.slice(0, 40)));
        assert.ok(!sharedMemoryHas(worker, Buffer.from(
            token.replace(/^[ar]t-/, '').slice(0, 40), 'base64url')));
    }
});

both('all workers know it, also after a reload and a worker\'s death',
    async (s) => {
        const { browser } = await loggedIn(s);
        for (let i = 0; i < 8; i++) {
            assert.ok(await works(browser.clone()));
        }
        await s.nginx.reload();
        assert.ok(await works(browser));
        await s.nginx.killWorker();
        for (let i = 0; i < 8; i++) {
            assert.ok(await works(browser.clone()));
        }
    });

both('a restart loses it, and says so by session_expired', async (s) => {
    const { browser } = await loggedIn(s);
    const cookies = browser.jar.header(new URL(browser.origin));
    await restart(s);
    assertProblem(await s.browser().api('/api/x', { cookies }), 401,
        'session_expired');
});

both('an upgrade of the binary keeps it, and so does the next', async (s) => {
    const { browser } = await loggedIn(s);
    await s.nginx.upgrade();
    const later = (await loggedIn(s)).browser;
    await s.nginx.upgrade();
    for (let i = 0; i < 4; i++) {
        assert.ok(await works(browser.clone()));
        assert.ok(await works(later.clone()));
    }
}, { daemon: true });

// --- idle ---

const secondsLeft = async (browser) =>
    (await browser.api('/bff/session?slide=false')).json().expires_in;
const idle = (name, act, options) => both(name, act, { clock: true,
    skip: kNoClock, more: 'session_idle_timeout 600s;', ...options });

idle('it ends when nobody uses it', async (s) => {
    const { browser } = await loggedIn(s);
    s.nginx.setForward(599);
    await until('the clock to be set', async () =>
        await secondsLeft(browser) <= 1);
    s.nginx.setForward(605);
    const late = await until('the session to end', async () => {
        const answer = await browser.api('/bff/user?slide=false');
        return answer.status === 401 && answer;
    });
    assertProblem(late, 401, 'session_expired');
});

idle('its use is written down without a cookie', async (s) => {
    const { browser } = await loggedIn(s);
    for (let at = 300; at <= 1500; at += 300) {
        s.nginx.setForward(at);
        await until('the clock to be set', async () =>
            await secondsLeft(browser) <= 301);
        const answer = await browser.api('/api/x');
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.setCookies, []);
        assert.ok(await secondsLeft(browser) >= 598);
    }
});

idle('new tokens do not undo it', async (s) => {
    const { browser } = await loggedIn(s, 500);
    s.op.refreshedIdToken = false; // by another clock it would be old
    s.nginx.setForward(550);
    await until('the clock to be set', async () =>
        await secondsLeft(browser) <= 51);
    assert.ok(await works(browser));
    assert.ok((await browser.session()).expires_in >= 598);
});

idle('a clock that is set back does not extend it, though nobody uses it',
    async (s) => {
        const { browser } = await loggedIn(s);
        s.nginx.setForward(-7200);
        await until('the clock to be set', async () => {
            const { headers } = await browser.api('/bff/session?slide=false');
            return Date.parse(headers.date) < Date.now() - 7000_000;
        });
        s.nginx.setForward(-7200 + 605);
        await until('the session to end', async () =>
            !(await browser.api('/bff/session?slide=false')).json()
                .authenticated);
    });

// --- the key of the cookie ---

both('its cookie is sealed anew with the first key', async (s) => {
    const { browser } = await loggedIn(s);
    const before = browser.jar.header(new URL(browser.origin));
    s.at.file('nginx.conf', s.nginx.file('nginx.conf').replace(
        `session_key ${kKey};`,
        `session_key ${'ab'.repeat(32)}; session_key ${kKey};`));
    await s.nginx.reload();

    const answer = await browser.api('/api/x');
    assert.equal(answer.status, 200);
    assert.equal(sessionCookiesSet(answer).length, 1);
    assert.notEqual(browser.jar.header(new URL(browser.origin)), before);
    assert.deepEqual((await browser.api('/api/x')).setCookies, []);

    s.at.file('nginx.conf', s.nginx.file('nginx.conf').replace(
        `session_key ${kKey};`, ''));
    await s.nginx.reload();
    assert.ok(await works(browser));
});

test('requests that come at once lose no session whose place has changed',
    () => play(configuration(''), { workers: 2 }, async (s) => {
        const { browser } = await attempt(s);
        s.at.file('nginx.conf', s.nginx.file('nginx.conf').replace(
            `session_key ${kKey};`, `session_store zone=sessions:1m;
            session_key ${'ab'.repeat(32)}; session_key ${kKey};`));
        await s.nginx.reload();

        const tabs = Array.from({ length: 6 }, () => browser.clone());
        const answers = await Promise.all(tabs.map((tab) => tab.api('/api/x')));
        for (const answer of answers) {
            assert.equal(answer.status, 200);
            assert.equal(sessionCookiesSet(answer).length, 1);
        }
        for (const tab of tabs) { // whichever came last
            assert.ok(await works(tab));
        }

        await browser.api('/bff/refresh', { method: 'POST' });
        assert.equal(browser.jar.get(kOne).value[0], '0');
        assert.ok(await works(browser));
    }));

// --- new tokens ---

both('new tokens change nothing for the browser', async (s) => {
    const { browser } = await loggedIn(s, 0);
    const copy = browser.clone();
    const answer = await browser.api('/api/x');

    assert.equal(answer.status, 200);
    assert.equal(s.api.last.header('authorization'), bearer(s));
    assert.deepEqual(answer.setCookies, []);

    assert.ok(await works(copy));
    assert.equal(s.api.last.header('authorization'), bearer(s));
    assert.equal(s.op.calls('token').length, 2);
});

both('many refreshes take no more room', async (s) => {
    const { browser } = await loggedIn(s, 0);
    s.op.expiresIn = 0;
    const mark = s.nginx.mark();
    for (let i = 0; i < 60; i++) {
        assert.ok(await works(browser), `refresh ${i}`);
    }
    assert.deepEqual(s.nginx.complaints(mark), []);
}, { small: true });

both('40 requests at the end of the token cause one refresh', async (s) => {
    const { browser } = await loggedIn(s, 0);
    const answers = await Promise.all(Array.from({ length: 40 }, () =>
        browser.clone().api('/api/x')));
    assert.deepEqual(answers.map(({ status }) => status),
        Array(40).fill(200));
    assert.equal(s.op.calls('token').length, 2);
});

scene('a session that outgrows its cookies moves', 'overflow', async (s) => {
    s.op.accessToken = () => 'small';
    const { browser } = await loggedIn(s, 0);
    const copy = browser.clone();
    assert.equal(browser.jar.named(/./).find(({ name }) => name === kOne)
        .value[0], '1');

    usual(s);
    const answer = await browser.api('/api/x');
    assert.equal(answer.status, 200, answer.body);
    assert.equal(sessionCookiesSet(answer)[0].value[0], '0');
    assert.equal(s.api.last.header('authorization'), bearer(s));
    assert.ok(await works(browser));

    // who still has the old cookie finds the new tokens, and the new cookie
    const late = await copy.api('/api/x');
    assert.equal(late.status, 200);
    assert.equal(sessionCookiesSet(late)[0].value[0], '0');
    assert.equal(s.op.calls('token').length, 2);
});

both('invalid_grant ends it', async (s) => {
    const { browser } = await loggedIn(s, 0);
    const copy = browser.clone();
    s.op.forgetRefreshTokens();

    assertProblem(await browser.api('/api/x'), 401, 'session_expired');
    assertProblem(await copy.api('/api/x'), 401, 'session_expired');
    assert.equal((await copy.session()).authenticated, false);
});

// --- its end ---

both('a logged-out cookie is worth nothing', async (s) => {
    const { browser } = await loggedIn(s);
    const copy = browser.clone();
    const other = (await loggedIn(s)).browser;
    assert.equal((await browser.api('/bff/logout', { method: 'POST' })).status,
        200);

    assertProblem(await copy.api('/api/x'), 401, 'session_revoked');
    assert.equal((await copy.session()).authenticated, false);
    assert.ok(await works(other));
});

both('the provider can end it', async (s) => {
    const { browser } = await loggedIn(s);
    assert.equal((await postToken(s.browser(), logoutToken(s.op))).status, 200);
    assertProblem(await browser.api('/api/x'), 401, 'session_revoked');
});

both('session_timeout ends it', async (s) => {
    const { browser } = await loggedIn(s);
    const cookies = browser.jar.header(new URL(browser.origin));
    const late = await until('the session to end', async () => {
        const seen = await browser.api('/api/x', { cookies });
        return seen.status === 401 && seen;
    });
    assertProblem(late, 401, 'session_expired');
}, { more: 'session_timeout 2s;' });

both('a new login in the same browser replaces it', async (s) => {
    const { browser } = await loggedIn(s);
    const copy = browser.clone();
    const first = s.op.tokens.access_token;
    await attempt(s, { browser });
    assert.notEqual(s.op.tokens.access_token, first);

    assert.ok(await works(browser));
    assert.equal(s.api.last.header('authorization'), bearer(s));
    assert.ok([200, 401].includes((await copy.api('/api/x')).status));
});

// --- when it is full ---

both('a full zone evicts the oldest session, and says so', async (s) => {
    const mark = s.nginx.mark();
    const browsers = [];
    const isFull = () => /no room for another session/.test(s.nginx.log(mark));
    while (!isFull()) {
        browsers.push((await loggedIn(s)).browser);
        assert.ok(browsers.length < 500);
    }

    assert.ok(browsers.length > 3, `${browsers.length} sessions`);
    assertProblem(await browsers[0].api('/api/x'), 401, 'session_expired');
    assert.ok(await works(browsers.at(-1)));
    assert.ok(await works(browsers.at(-2)));
    assert.match(s.nginx.complaints(mark).join('\n'),
        /\[warn\].* bff: no room for another session: 1 went .* more memory/);
}, { small: true });

both('a login that can never fit fails with its code', async (s) => {
    const { browser } = await loggedIn(s);
    const mark = s.nginx.mark();
    s.op.claims = (usual) => ({ ...usual, much: text(70000) });
    const { answer } = await attempt(s);

    assertErrorPage(answer, 503, 'store_unavailable');
    assert.deepEqual(sessionCookiesSet(answer), []);
    assert.match(s.nginx.complaints(mark).join('\n'),
        /\[error\].* login failed: .* more memory/);
    assert.ok(await works(browser)); // nobody had to go
}, { small: true });

both('new tokens that can never fit are no fault of the provider', async (s) => {
    const { browser } = await loggedIn(s);
    const before = bearer(s);
    const mark = s.nginx.mark();
    s.op.claims = (usual) => ({ ...usual, much: text(70000) });
    const answer = await browser.api('/bff/refresh', { method: 'POST' });

    assertProblem(answer, 503, 'store_unavailable');
    assert.deepEqual(answer.setCookies, []);
    assert.match(s.nginx.complaints(mark).join('\n'),
        /\[error\].* renewed tokens are lost: .* more memory/);
    assert.doesNotMatch(s.nginx.complaints(mark).join('\n'), /unavailable/);
    assert.ok(await works(browser)); // the old token is still good
    assert.equal(s.api.last.header('authorization'), before);
}, { small: true });

both('anonymous traffic evicts nobody', async (s) => {
    const { browser } = await loggedIn(s);
    const [{ value }] = browser.jar.named(/./)
        .filter(({ name }) => name === kOne);

    for (let i = 0; i < 300; i++) {
        const nobody = s.browser();
        await nobody.request('/bff/login');
        await nobody.request(`/bff/callback?code=a&state=${text(32)}`);
        await nobody.api('/api/x', { cookies: `${kOne}=0${text(168)}` });
        const cut = value.slice(0, -1 - i % 60) + text(i % 40 + 1);
        await nobody.api('/api/x', { cookies: `${kOne}=${cut}` });
    }
    assert.ok(await works(browser));
    assert.doesNotMatch(s.nginx.log(), /no room/);
}, { small: true });

test('a zone takes no more memory than its sessions need', () => play(
    configuration('session_store zone=sessions:256m;'), {}, async (s) => {
        const status = fs.readFileSync(`/proc/${s.nginx.pid}/status`, 'utf8');
        const [, kilobytes] = /^RssShmem:\s+(\d+) kB/m.exec(status);
        assert.ok(kilobytes < 64 * 1024, `${kilobytes} kB`);
    }));

// --- one zone for several ---

test('two providers may share a zone, and know only their own', () => play(
    ({ op, api, at }) => ['corp', 'shop'].map((name) => `
        bff_provider ${name} {
            issuer ${op.issuer};
            client_id shop;
            client_secret "shop secret";
            session_key ${kKey};
            session_store zone=both:1m;
        }
        server {
            listen ${at.tls(name)};
            location / { return 200 home; }
            location /api/ { bff ${name}; proxy_pass http://${api.address}; }
        }
    `).join(''), {}, async (s) => {
        const [corp, shop] = [s.browser('corp'), s.browser('shop')];
        await attempt(s, { browser: corp });
        await attempt(s, { browser: shop });
        assert.ok(await works(corp));
        assert.ok(await works(shop));

        const [{ value }] = corp.jar.named(/^__Host-Http-bff-corp$/);
        const answer = await s.browser('shop').api('/api/x',
            { cookies: `__Host-Http-bff-shop=${value}` });
        assertProblem(answer, 401, 'no_session');
    }));
