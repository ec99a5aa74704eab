// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A session that nobody uses ends; one that is used does not, and its cookie
// is not written for each request. The clock is set, never waited for.

import assert from 'node:assert/strict';
import https from 'node:https';
import { test } from 'node:test';

import { assertProblem, kKey, sessionCookiesSet } from '../lib/checks.mjs';
import { kNoClock } from '../lib/nginx.mjs';
import { play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const kIdle = 600;
const kTenth = kIdle / 10;

const configuration = (idle) => ({ op, api, at }) => {
    at.file('html/index.html', 'home');
    at.file('html/page/index.html', 'page');
    at.file('idle.conf', idle);
    return `
    log_format seen '$uri $bff_session_expires_in';
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        include ${at.prefix}/idle.conf;
    }

    server {
        listen ${at.tls()};
        access_log ${at.prefix}/seen.log seen;
        location / { root ${at.prefix}/html; }
        location /page/ { bff corp; root ${at.prefix}/html; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /away/ { bff corp; proxy_pass http://127.0.0.1:1; }
        location /poll/ {
            bff corp;
            bff_activity off;
            proxy_pass http://${api.address};

            location /poll/but/ {
                bff_activity on;
                proxy_pass http://${api.address};
            }
        }
        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
        location /socket {
            bff corp;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_pass http://${api.address};
        }
    }

    server {
        listen ${at.tls('quiet')};
        bff_activity off;
        location / { bff corp; root ${at.prefix}/html; }
        location /bff/ { bff_endpoints corp; bff_activity on; }
    }
`;
};

function scene(name, act, options = {}) {
    const idle = options.idle ?? `session_idle_timeout ${kIdle}s;`;
    test(name, { skip: kNoClock }, () =>
        play(configuration(idle), { clock: true, ...options }, async (s) => {
            s.op.expiresIn = options.expiresIn ?? 36000;
            s.op.claims = (claims) => ({ ...claims, exp: claims.exp + 36000 });
            s.b = s.browser(options.listener);
            await s.b.login('/');
            await act(s, (seconds) => s.nginx.setForward(seconds));
        }));
}

const isWritten = (answer) => sessionCookiesSet(answer).length > 0;

async function isIn(b, path = '/api/x') {
    return (await b.api(path)).status === 200;
}

scene('an idle session ends, and says so', async (s, set) => {
    set(kIdle - 10);
    const copy = s.b.clone();
    const left = (await copy.api('/bff/session?slide=false')).json().expires_in;
    assert.ok(left > 0 && left <= 10, `${left}`);
    set(kIdle);
    const seen = await s.api.during(async () => {
        assertProblem(await s.b.api('/api/x'), 401, 'session_expired');
    });
    assert.deepEqual(seen, []);
    assert.equal(s.b.jar.get('__Host-Http-bff-corp'), undefined);
    assert.equal((await copy.session()).authenticated, false);
});

scene('an idle session leads a page to login, and back', async (s, set) => {
    set(kIdle);
    const page = await s.b.navigate('/page/index.html');
    assert.equal(page.body, 'page');
    assert.equal(s.op.calls('authorize').length, 2);
});

scene('a session that is used lives on to its absolute end', async (s, set) => {
    for (let at = 0; at < 3000; at += kIdle - 10) {
        set(at);
        assert.equal(await isIn(s.b), true, `at ${at}`);
    }
    const { expires_in } = await s.b.session();
    assert.ok(expires_in <= 3000 - 2950 + 10, `${expires_in}`);
    set(3001);
    assert.equal(await isIn(s.b), false);
}, { idle: `session_idle_timeout ${kIdle}s; session_timeout 3000s;` });

scene('its cookie is written once per tenth of the idle time', async (s, set) => {
    let written = 0;
    for (let at = 0; at < kIdle; at += 10) {
        set(at);
        written += isWritten(await s.b.api('/api/x')) ? 1 : 0;
    }
    assert.ok(written >= 7 && written <= 9, `${written} times`);
});

scene('a cookie that is written keeps its answer out of caches',
    async (s, set) => {
        assert.equal((await s.b.api('/api/x')).headers['cache-control'],
            undefined);
        set(kTenth + 1);
        const answer = await s.b.api('/api/x');
        assert.equal(isWritten(answer), true);
        assert.equal(answer.headers['cache-control'], 'private');
    });

scene('no answer of the module has a cookie twice', async (s, set) => {
    let at = 0;
    for (const path of ['session', 'user', 'userinfo', 'refresh']) {
        set(at += kTenth + 1);
        const answer = await s.b.api(`/bff/${path}`,
            { method: path === 'refresh' ? 'POST' : 'GET' });
        const names = answer.setCookies.map((line) => line.split('=')[0]);
        assert.equal(new Set(names).size, names.length, path);
        assert.equal(isWritten(answer), true, path);
        assert.equal(answer.headers['cache-control'], 'no-store', path);
    }
});

// Requests that count: the session lives on after them.
const kUses = {
    'a file': (b) => b.api('/page/index.html'),
    'a page': (b) => b.navigate('/page/index.html'),
    'an error of the API': (b, s) => {
        s.api.answer = () => ({ status: 500, body: 'x' });
        return b.api('/api/x');
    },
    'a 304': (b, s) => {
        s.api.answer = () => ({ status: 304, body: '' });
        return b.api('/api/x');
    },
    'an API that is away': (b) => b.api('/away/x'),
    'a file that is none': (b) => b.api('/page/none'),
    'a location for everybody': (b) => b.api('/pass/x'),
    'a location within one that does not count': (b) => b.api('/poll/but/x'),
    session: (b) => b.api('/bff/session'),
    user: (b) => b.api('/bff/user'),
    'session?slide=true': (b) => b.api('/bff/session?slide=true'),
    userinfo: (b) => b.api('/bff/userinfo?slide=false'),
    'a WebSocket': (b) => upgraded(b),
};

for (const [what, use] of Object.entries(kUses)) {
    scene(`${what} is use of the session`, async (s, set) => {
        set(kIdle - 10);
        await use(s.b, s);
        set(kIdle + 10);
        s.api.answer = () => ({});
        assert.equal(await isIn(s.b), true);
    }, { expected: [/connect\(\) failed/, /No such file/] });
}

// And those that do not.
const kGlances = {
    'a poll': (b) => b.api('/poll/x'),
    'session?slide=false': (b) => b.api('/bff/session?slide=false'),
    'user?slide=false': (b) => b.api('/bff/user?slide=false'),
    'a request of another site': (b) => b.api('/api/x', { headers: {
        Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' } }),
    'a location without a session': (b) => b.api('/index.html'),
    'the beginning of another login': (b) => b.startLogin(),
};

for (const [what, look] of Object.entries(kGlances)) {
    scene(`${what} is no use of the session`, async (s, set) => {
        for (const at of [kTenth + 1, kIdle / 2, kIdle - 10]) {
            set(at);
            const answer = await look(s.b);
            assert.ok(answer.setCookies === undefined || !isWritten(answer));
        }
        set(kIdle);
        assert.equal(await isIn(s.b), false);
    });
}

scene('a server may be quiet, and its endpoints not', async (s, set) => {
    set(kTenth + 1);
    assert.equal(isWritten(await s.b.api('/index.html')), false);
    assert.equal(isWritten(await s.b.api('/bff/session')), true);
}, { listener: 'quiet' });

scene('session tells the time that is left after it', async (s, set) => {
    set(300);
    const copy = s.b.clone();
    const { expires_in: looked } =
        (await copy.api('/bff/session?slide=false')).json();
    assert.ok(looked <= 300 && looked > 290, `${looked}`);
    const { expires_in: slid } = await s.b.session();
    assert.ok(slid <= kIdle && slid > kIdle - 10, `${slid}`);
    const user = (await s.b.api('/bff/user?slide=false')).json();
    const told = user.find(({ type }) => type === 'bff:session_expires_in');
    assert.ok(told.value <= kIdle && told.value > kIdle - 10);

    set(400);
    await s.b.api('/api/x');
    const [, written] = await until('the log', () =>
        /^\/api\/x (\d+)$/m.exec(s.nginx.file('seen.log')));
    assert.ok(written <= kIdle && written > kIdle - 10, written);
    await s.b.api('/poll/x');
    const [, seen] = await until('the log', () =>
        /^\/poll\/x (\d+)$/m.exec(s.nginx.file('seen.log')));
    assert.ok(seen <= kIdle && seen > kIdle - 10, seen);
});

scene('another idle time counts from the reload on', async (s, set) => {
    set(300);
    s.at.file('idle.conf', 'session_idle_timeout 200s;');
    const copy = s.b.clone();
    await s.nginx.reload();
    assert.equal(await isIn(copy), false);

    s.at.file('idle.conf', 'session_idle_timeout off;');
    await s.nginx.reload();
    set(7000);
    assert.equal(isWritten(await s.b.api('/api/x')), false);
    assert.equal(await isIn(s.b), true);
});

scene('without an idle time nothing is written', async (s, set) => {
    set(7000);
    assert.equal(isWritten(await s.b.api('/api/x')), false);
    assert.equal((await s.b.session()).expires_in <= 28800 - 7000, true);
}, { idle: '' });

scene('a clock that is set back ends no session, and extends none',
    async (s, set) => {
        set(-7200);
        const first = await s.b.api('/poll/x');
        assert.equal(first.status, 200);
        assert.equal(isWritten(first), true);
        assert.equal(isWritten(await s.b.api('/poll/x')), false);
        set(-7200 + kIdle + 5);
        assert.equal(await isIn(s.b), false);
    });

// --- with new tokens ---

scene('RT-5: a slow answer does not bring old tokens back', async (s, set) => {
    set(kTenth + 1);
    let letGo;
    s.api.answer = () => ({ after: new Promise((go) => { letGo = go; }) });
    const slow = s.b.api('/api/slow');
    await until('the request', () => letGo);

    await s.b.api('/bff/refresh', { method: 'POST' });
    const newest = s.op.tokens.refresh_token;
    letGo();
    await slow;

    await s.b.api('/bff/refresh', { method: 'POST' });
    assert.equal(s.op.calls('token').at(-1).form.get('refresh_token'), newest);
    assertUsedOnce(s);
}, { workers: 2 });

scene('RT-5: an answer that takes long leaves the cookie as it is',
    async (s, set) => {
        set(kTenth + 1);
        let letGo;
        s.api.answer = () => ({ after: new Promise((go) => { letGo = go; }) });
        const slow = s.b.api('/api/slow');
        await until('the request', () => letGo);
        set(kTenth + 41);
        letGo();
        assert.equal(isWritten(await slow), false);
        s.api.answer = () => ({});
        assert.equal(isWritten(await s.b.api('/api/x')), true);
    });

scene('BFF-25: a slow answer leaves the session of another login alone',
    async (s, set) => {
        s.op.refreshToken = null;
        await s.b.login('/');
        set(kTenth + 1);
        let letGo;
        s.api.answer = () => ({ after: new Promise((go) => { letGo = go; }) });
        const slow = s.b.api('/api/slow');
        await until('the request', () => letGo);
        set(kTenth + 41);
        await s.b.login('/');
        const { access_token: latest } = s.op.tokens;
        letGo();
        await slow;

        s.api.answer = () => ({});
        await s.b.api('/api/x');
        assert.equal(s.api.last.header('authorization'), `Bearer ${latest}`);
    });

scene('LT-10: a session that was ended meanwhile is not written anew',
    async (s, set) => {
        set(kTenth + 1);
        let letGo;
        s.api.answer = () => ({ after: new Promise((go) => { letGo = go; }) });
        const slow = s.b.clone().api('/api/slow');
        await until('the request', () => letGo);
        const out = await s.b.api('/bff/logout', { method: 'POST' });
        assert.equal(out.status, 200);
        letGo();
        assert.equal(isWritten(await slow), false);
    }, { workers: 2 });

scene('a cookie with new tokens tells the use as well', async (s, set) => {
    set(kIdle - 10);
    const answer = await s.b.api('/api/x');
    assert.equal(sessionCookiesSet(answer).length, 1);
    assert.equal(s.op.calls('token').length, 2);
    set(kIdle + 100);
    assert.equal(await isIn(s.b), true);
}, { expiresIn: 300 });

scene('new tokens are no use of the session', async (s, set) => {
    set(kIdle - 10);
    assert.equal(sessionCookiesSet(await s.b.api('/poll/x')).length, 1);
    assert.equal(s.op.calls('token').length, 2);
    set(kIdle);
    assert.equal(await isIn(s.b), false);
}, { expiresIn: 300 });

scene('use in the leeway is written down while new tokens come',
    async (s, set) => {
        set(kIdle - 10);
        assert.equal(await isIn(s.b), true);
        await until('the renewal', () => s.op.calls('token').length === 2);
        set(kIdle + 100);
        assert.equal(await isIn(s.b), true);
        assertUsedOnce(s);
    }, { expiresIn: kIdle + 10 });

// What the provider was shown, all of it once.
function assertUsedOnce(s) {
    const used = s.op.calls('token').map((r) => r.form.get('refresh_token'))
        .filter(Boolean);
    assert.equal(new Set(used).size, used.length);
}

scene('RT-5: tokens that were renewed before the last use are found after it',
    async (s, set) => {
        const waiting = [];
        s.op.wire.token = (...args) => waiting.push(args);
        set(21);
        assert.equal(await isIn(s.b, '/poll/x'), true);
        await until('the renewal', () => waiting.length === 1);
        set(45);
        assert.equal(isWritten(await s.b.api('/api/x')), true);
        s.op.wire.token = wire.plain;
        wire.plain(...waiting[0]);
        await until('its end', () => /tokens renewed/.test(s.nginx.log()));

        set(75);
        assert.equal(await isIn(s.b), true);
        assert.equal(s.op.calls('token').length, 2);
    }, { expiresIn: 50, idle: 'session_idle_timeout 60s;' });

scene('RT-5: many requests at once use no refresh token twice',
    async (s, set) => {
        for (let round = 1; round <= 12; round++) {
            set(round * 12);
            const answers = await Promise.all(Array.from({ length: 24 },
                (_, i) => s.b.api(['/api/x', '/poll/x', '/bff/session'][i % 3])));
            assert.ok(answers.every(({ status }) => status === 200));
        }
        assert.ok(s.op.calls('token').length > 3);
        assertUsedOnce(s);
    }, { expiresIn: 30, workers: 4,
        idle: 'session_idle_timeout 60s; refresh_before 10s;' });

scene('use while the provider is away is written down', async (s, set) => {
    s.op.wire.token = wire.closeBefore;
    set(kIdle - 10);
    assert.equal((await s.b.api('/api/x')).status, 503);
    set(kIdle + 100);
    assert.equal((await s.b.session()).authenticated, true);
}, { expiresIn: 300, expected: [/tokens not renewed/] });

function upgraded(browser) {
    const url = new URL('/socket', browser.origin);
    const request = https.get({ host: '127.0.0.1', port: url.port,
        path: url.pathname, agent: false, rejectUnauthorized: false, headers: {
            Host: url.host, Origin: browser.origin, Connection: 'Upgrade',
            Upgrade: 'echo', Cookie: browser.jar.header(url) } });

    return new Promise((resolve, reject) => {
        request.on('upgrade', (response, socket) => {
            socket.destroy();
            response.headers['set-cookie']
                .forEach((line) => browser.jar.set(line, url));
            resolve(response);
        });
        request.on('response', (r) => reject(new Error(r.statusCode)));
        request.on('error', reject);
    });
}
