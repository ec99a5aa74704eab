// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// bff_csrf, bff_csrf_header and bff_trusted_origin: what each of them lets in,
// and how the levels of the configuration hand them down.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, kKey } from '../lib/checks.mjs';
import { connect } from '../lib/raw.mjs';
import { stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const kTrusted = 'https://app.example.com';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_samesite none;
    }

    bff_trusted_origin https://http.example.com;

    server {
        listen ${at.tls()};
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $http_connection;

        location / { return 200 home; }
        location /trusting/ {
            bff corp;
            bff_trusted_origin https://one.example.com ${kTrusted};
            bff_trusted_origin HTTPS://Big.Example.COM:443 http://localhost:81;
            proxy_pass http://${api.address};
        }
        location /strict/ {
            bff corp;
            bff_csrf strict;
            bff_trusted_origin ${kTrusted};
            proxy_pass http://${api.address};
        }
        location /off/ {
            bff corp;
            bff_csrf off;
            proxy_pass http://${api.address};
        }
        location /named/ {
            bff corp;
            bff_csrf_header X-Requested-With XMLHttpRequest;
            proxy_pass http://${api.address};
        }
        location /one/ {
            bff corp;
            bff_csrf_header Shop-Page;
            proxy_pass http://${api.address};
        }
    }

    server {
        listen ${at.tls('levels')};
        bff corp;
        bff_csrf strict;
        bff_csrf_header X-Server yes;
        location / { return 200 home; }
        location /same/ {
            proxy_pass http://${api.address};
            location /same/inner/ { proxy_pass http://${api.address}; }
        }
        location /auto/ {
            bff_csrf auto;
            proxy_pass http://${api.address};
        }
        location /other/ {
            bff_csrf_header X-Location;
            bff_trusted_origin ${kTrusted};
            proxy_pass http://${api.address};
            location /other/inner/ {
                bff_csrf auto;
                proxy_pass http://${api.address};
            }
        }
        location /if/ {
            bff_trusted_origin ${kTrusted};
            bff_csrf auto;
            proxy_pass http://${api.address};
            if ($http_x_if) { set $nothing 1; }
        }
    }

    server {
        listen ${at.tls('endpoints')};
        bff_csrf strict;
        bff_csrf_header X-Server;
        bff_trusted_origin ${kTrusted};
        location / { return 200 home; }
        location /api/ {
            bff corp;
            bff_csrf off;
            proxy_pass http://${api.address};
        }
    }

    server {
        listen ${at.tls('own-location')};
        location / { return 200 home; }
        location /api/ { bff corp; }
        location /bff/ {
            bff_endpoints corp;
            bff_csrf strict;
            bff_csrf_header X-Location;
        }
    }
`, { ready: async (s) => {
    for (const name of ['main', 'levels', 'endpoints', 'own-location']) {
        users[name] = s.browser(name);
        await users[name].login('/');
    }
} });

const users = {};

const own = () => users.main.origin;
const form = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
const cors = (site) => ({ 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': site });

function made(headers) {
    return Object.fromEntries(Object.entries(headers).map(([k, v]) =>
        [k, typeof v === 'function' ? v() : v]));
}

async function passes(name, target, headers, method = 'GET') {
    const answer = await users[name].request(target,
        { method, headers: made(headers) });
    assert.equal(answer.status, 200, answer.body);
    assert.equal(s.api.last.target, target);
    assert.equal(s.api.last.all('authorization').length, 1);
}

async function isRefused(name, target, headers, method = 'GET') {
    const seen = await s.api.during(async () => {
        const answer = await users[name].request(target,
            { method, headers: made(headers) });
        assert.equal(answer.status, 403, answer.body);
        assert.match(answer.body, /csrf/);
    });
    assert.deepEqual(seen, []);
}

// --- bff_trusted_origin ---

for (const origin of [kTrusted, 'https://one.example.com',
    'https://big.example.com', 'http://localhost:81']) {
    for (const site of ['same-site', null]) {
        test(`BFF-30: ${origin} may call, Sec-Fetch-Site: ${site}`,
            async () => {
                for (const method of ['GET', 'POST', 'DELETE']) {
                    await passes('main', '/trusting/x', { Origin: origin,
                        'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': site },
                    method);
                }
            });
    }
}

// [what, Origin]
const kLookAlikes = [
    ['null', 'null'],
    ['nothing', ''],
    ['a wildcard', '*'],
    ['another host', 'https://evil.test'],
    ['the parent host', 'https://example.com'],
    ['a host below', 'https://a.app.example.com'],
    ['a host that ends like it', 'https://evil-app.example.com'],
    ['a host that begins like it', 'https://app.example.com.evil.test'],
    ['a shorter host', 'https://app.example.co'],
    ['another port', 'https://app.example.com:8443'],
    ['the default port written out', 'https://app.example.com:443'],
    ['another scheme', 'http://app.example.com'],
    ['upper case', 'https://APP.EXAMPLE.COM'],
    ['a scheme in upper case', 'HTTPS://app.example.com'],
    ['a dot behind', 'https://app.example.com.'],
    ['a slash behind', 'https://app.example.com/'],
    ['a user in front', 'https://app.example.com@evil.test'],
    ['two in one line', 'https://app.example.com https://evil.test'],
    ['two lines', ['https://app.example.com', 'https://one.example.com']],
    ['one that only the level above lists', 'https://http.example.com'],
];

for (const [what, origin] of kLookAlikes) {
    test(`BFF-12: not trusted, whatever else is there: ${what}`, async () => {
        for (const more of [{}, cors('same-origin'), cors('cross-site'),
            { ...form, 'Sec-Fetch-Site': 'none' }]) {
            await isRefused('main', '/trusting/x', { Origin: origin,
                'X-CSRF': '1', ...more });
            await isRefused('main', '/trusting/x', { Origin: origin,
                'X-CSRF': '1', ...more }, 'POST');
        }
    });
}

test('BFF-10: a trusted site\'s image and link prove nothing', async () => {
    await isRefused('main', '/trusting/x', { 'Sec-Fetch-Site': 'cross-site',
        'Sec-Fetch-Mode': 'no-cors', 'X-CSRF': '1' });
    await isRefused('main', '/trusting/x', { 'Sec-Fetch-Site': 'same-site',
        'Sec-Fetch-Mode': 'no-cors' });
});

test('our own Origin from another site contradicts itself', async () => {
    await isRefused('main', '/trusting/x', { Origin: own, 'X-CSRF': '1',
        ...cors('cross-site') });
});

test('a form of a trusted page is let in, one of a stranger is not',
    async () => {
        const headers = { ...form, 'Sec-Fetch-Site': 'same-site' };
        await passes('main', '/trusting/x', { ...headers, Origin: kTrusted },
            'POST');
        await isRefused('main', '/trusting/x', { ...headers,
            Origin: 'https://evil.test' }, 'POST');
        await isRefused('main', '/trusting/x', headers, 'POST');
    });

test('who is trusted in one location is not in another', async () => {
    await isRefused('main', '/named/x', { Origin: kTrusted });
    await passes('main', '/named/x', { Origin: 'https://http.example.com' });
});

async function upgraded(path, origin, more = '') {
    const b = users.main;
    const socket = connect(s.at.port('main'), 'shop.test');
    let text = '';
    socket.on('data', (data) => { text += data; });
    socket.on('error', () => {});
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${new URL(b.origin).host}\r\n`
        + `${origin ? `Origin: ${origin}\r\n` : ''}${more}`
        + `Cookie: ${b.jar.header(new URL(b.origin))}\r\n`
        + 'Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    await until('an answer to the upgrade', () => /^HTTP\/1\.1 \d+/.test(text));
    socket.destroy();
    return Number(/^HTTP\/1\.1 (\d+)/.exec(text)[1]);
}

for (const path of ['/trusting/ws', '/strict/ws']) {
    test(`${path}: an upgrade needs a good Origin, and nothing else`,
        async () => {
            const site = 'Sec-Fetch-Site: cross-site\r\n';
            assert.equal(await upgraded(path, own()), 101);
            assert.equal(await upgraded(path, kTrusted), 101);
            assert.equal(await upgraded(path, kTrusted, site), 403);
            assert.equal(await upgraded(path, own(), site), 403);
            for (const origin of ['', 'null', 'https://evil.test',
                'https://app.example.com.evil.test']) {
                assert.equal(await upgraded(path, origin, 'X-CSRF: 1\r\n'
                    + 'Sec-Fetch-Site: same-origin\r\n'), 403, origin);
            }
        });
}

// --- bff_csrf strict ---

// [what, method, headers]: enough with the header, not without it.
const kStrict = [
    ['nothing else', 'GET', {}],
    ['our own Origin', 'GET', { Origin: own }],
    ['our own Origin, POST', 'POST', { Origin: own }],
    ['Sec-Fetch-Site: same-origin', 'GET', cors('same-origin')],
    ['Sec-Fetch-Site: same-origin, DELETE', 'DELETE', cors('same-origin')],
    ['a trusted Origin', 'POST', { Origin: kTrusted, ...cors('same-site') }],
];

for (const [what, method, headers] of kStrict) {
    test(`BFF-11: strict needs the header with ${what}`, async () => {
        await isRefused('main', '/strict/x', headers, method);
        await isRefused('main', '/strict/x', { ...headers, 'X-CSRF': '2' },
            method);
        await passes('main', '/strict/x', { ...headers, 'X-CSRF': '1' },
            method);
    });
}

test('BFF-11: strict, and the header does not outweigh what is foreign',
    async () => {
        for (const headers of [{ Origin: 'https://evil.test' },
            { Origin: 'null' }, cors('cross-site')]) {
            await isRefused('main', '/strict/x', { 'X-CSRF': '1', ...headers });
        }
    });

test('strict: page navigations need no header', async () => {
    for (const site of ['none', 'same-origin', 'same-site', 'cross-site']) {
        await passes('main', '/strict/x', { ...form, 'Sec-Fetch-Site': site });
    }
    await passes('main', '/strict/x', { Accept: 'text/html' });
    await passes('main', '/strict/x', { ...form, Origin: own,
        'Sec-Fetch-Site': 'same-origin' }, 'POST');
    await isRefused('main', '/strict/x', { ...form, Origin: 'null',
        'Sec-Fetch-Site': 'cross-site' }, 'POST');
});

// --- bff_csrf off ---

test('off checks nothing, but asks for a session still', async () => {
    for (const headers of [{}, { Origin: 'https://evil.test' },
        { Origin: 'null', ...cors('cross-site') },
        { Origin: ['https://a.test', 'https://b.test'] }]) {
        for (const method of ['GET', 'POST']) {
            await passes('main', '/off/x', headers, method);
        }
    }

    assertProblem(await s.browser().request('/off/x'), 401, 'no_session');
});

// --- bff_csrf_header ---

test('BFF-11: a header of another name and value', async () => {
    await passes('main', '/named/x', { 'X-Requested-With': 'XMLHttpRequest' });
    await passes('main', '/named/x', { 'x-requested-WITH': 'XMLHttpRequest' });
    for (const headers of [{ 'X-CSRF': '1' }, { 'X-Requested-With': '1' },
        { 'X-Requested-With': 'xmlhttprequest' }, { 'X-Requested-With': '' }]) {
        await isRefused('main', '/named/x', headers);
    }
});

test('BFF-11: without a value it is 1', async () => {
    await passes('main', '/one/x', { 'Shop-Page': '1' });
    for (const headers of [{ 'Shop-Page': '0' }, { 'Shop-Page': '' },
        { 'X-CSRF': '1' }]) {
        await isRefused('main', '/one/x', headers);
    }
});

// --- levels ---

// [target, headers that pass, headers that do not]
const kLevels = [
    ['/same/x', { 'X-Server': 'yes' }, [{ 'X-CSRF': '1' }, { Origin: own },
        { 'X-Server': '1' }]],
    ['/same/inner/x', { 'X-Server': 'yes' }, [{ 'X-CSRF': '1' }]],
    ['/same/x', { 'X-Server': 'yes', Origin: 'https://http.example.com' },
        [{ 'X-Server': 'yes', Origin: kTrusted }]],
    ['/auto/x', cors('same-origin'), [{ 'X-CSRF': '1' }, {}]],
    ['/auto/x', { 'X-Server': 'yes' }, [cors('cross-site')]],
    ['/other/x', { 'X-Location': '1', Origin: kTrusted },
        [{ 'X-Server': 'yes' }, cors('same-origin'),
            { 'X-Location': '1', Origin: 'https://http.example.com' }]],
    ['/other/inner/x', { Origin: kTrusted },
        [{ Origin: 'https://http.example.com' }, { 'X-Server': 'yes' }]],
    ['/if/x', { 'X-If': '1', Origin: kTrusted },
        [{ 'X-If': '1', Origin: 'https://http.example.com' }]],
];

for (const [i, [target, good, bad]] of kLevels.entries()) {
    test(`levels: ${target} has its own word or its parent's (${i})`,
        async () => {
            await passes('levels', target, good);
            for (const headers of bad) {
                await isRefused('levels', target, headers);
            }
        });
}

test('levels: the endpoints have the server\'s settings', async () => {
    const ask = (headers) => users.endpoints.request('/bff/session',
        { headers });

    assert.equal((await ask({ 'X-Server': '1' })).status, 200);
    assert.equal((await ask({ 'X-Server': '1', Origin: kTrusted })).status, 200);
    for (const headers of [{}, { 'X-CSRF': '1' }, cors('same-origin'),
        { Origin: kTrusted }]) {
        assertProblem(await ask(headers), 403, 'csrf');
    }
    await passes('endpoints', '/api/x', {});
});

test('levels: the endpoints\' own location has its own settings', async () => {
    const ask = (headers) => users['own-location'].request('/bff/session',
        { headers });

    assert.equal((await ask({ 'X-Location': '1' })).status, 200);
    for (const headers of [{ 'X-CSRF': '1' }, cors('same-origin')]) {
        assertProblem(await ask(headers), 403, 'csrf');
    }
});

test('strict: a form may still log out, a foreign one may not', async () => {
    const b = users.endpoints.clone();
    const post = (headers) => b.request('/bff/logout', { method: 'POST',
        headers: { ...form, ...headers } });

    assert.equal((await post({ Origin: 'https://evil.test',
        'Sec-Fetch-Site': 'cross-site' })).status, 403);
    assert.equal((await post({ Origin: b.origin,
        'Sec-Fetch-Site': 'same-origin' })).status, 303);
});
