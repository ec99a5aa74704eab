// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What browsers are told that ask before a page of another origin may send
// (BFF-12): the module answers by itself, whoever asks, wherever it stands.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, kKey } from '../lib/checks.mjs';
import { assertNotReadable, assertReadable, kOthers, kTrusted, lines, varies }
    from '../lib/cors.mjs';
import { stage } from '../lib/stage.mjs';
import { volley } from '../lib/volley.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        cookie_samesite none;
    }

    bff_provider other {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        endpoints_path /other/;
    }

    server {
        listen ${at.tls()};
        root ${at.prefix}/www;
        bff_trusted_origin https://one.example.com ${kTrusted};

        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /strict/ { bff corp; bff_csrf strict; }
        location /off/ {
            bff corp;
            bff_csrf off;
            proxy_pass http://${api.address};
        }
        location /files/ { bff corp; }
        location /open/ { proxy_pass http://${api.address}; }
        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
        location /redirect/ { bff corp; bff_unauthenticated redirect; }
        location /any/ {
            bff corp;
            satisfy any;
            allow all;
            proxy_pass http://${api.address};
        }
        location /any-denied/ {
            bff corp;
            satisfy any;
            deny all;
            proxy_pass http://${api.address};
        }
        location /basic/ {
            bff corp;
            auth_basic realm;
            auth_basic_user_file ${at.file('users', 'ada:{PLAIN}secret\n')};
            proxy_pass http://${api.address};
        }
        location /other/ { bff_endpoints other; }
    }

    server {
        listen ${at.tls('nobody-trusted')};
        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
    }

    server {
        listen ${at.tls('pages')};
        bff corp;
        bff_trusted_origin ${kTrusted};
        error_page 403 @oops;
        location / { proxy_pass http://${api.address}; }
        location @oops { bff off; return 200 "our page"; }
    }
`, { ready: async (s) => {
    b = s.browser();
    await b.login('/');
} });

let b;

const own = () => b.origin;

function preflight(from, target, more = {}, browser = b) {
    return browser.request(target, { method: 'OPTIONS', headers: {
        Origin: from, 'Access-Control-Request-Method': 'PUT',
        'Access-Control-Request-Headers': 'content-type,x-csrf',
        'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'cross-site', ...more } });
}

const kTargets = ['/api/x', '/pass/x', '/strict/x', '/files/x.txt', '/any/x',
    '/any-denied/x', '/redirect/x', '/off/x', '/bff/session', '/bff/login',
    '/bff/logout', '/bff/callback', '/bff/nothing', '/other/login'];

// Nothing goes upstream or to the provider, and no cookie comes back.
async function alone(action) {
    const seen = await s.api.during(async () => {
        for (const browser of [b, s.browser()]) {
            const answer = await action(browser);
            assert.deepEqual(answer.setCookies, []);
            assert.match(answer.headers['cache-control'], /no-store/);
        }
    });
    assert.deepEqual(seen, []);
    assert.deepEqual(s.op.requests, []);
}

for (const target of kTargets) {
    test(`BFF-12: ${target}: a preflight of a trusted origin is 204`, () =>
        alone(async (browser) => {
            const answer = await preflight(kTrusted, target, {}, browser);
            assert.equal(answer.status, 204, answer.body);
            assert.equal(answer.body, '');
            assertReadable(answer);
            assert.deepEqual(lines(answer, 'access-control-allow-methods'),
                ['PUT']);
            assert.deepEqual(lines(answer, 'access-control-allow-headers'),
                ['content-type, x-csrf']);
            assert.deepEqual(lines(answer, 'access-control-max-age'), ['600']);
            assert.deepEqual(varies(answer), ['access-control-request-method',
                'access-control-request-headers', 'origin']);
            return answer;
        }));

    test(`BFF-12: ${target}: a preflight of anybody else is 403`, async () => {
        for (const other of [...kOthers, own()]) {
            await alone(async (browser) => {
                const answer = await preflight(other, target, { 'X-CSRF': '1' },
                    browser);
                assertProblem(answer, 403, 'csrf');
                assertNotReadable(answer);
                return answer;
            });
        }
    });
}

test('BFF-12: a preflight with two Origin lines is 403', () =>
    alone(async (browser) => {
        const answer = await preflight([kTrusted, kTrusted], '/api/x', {},
            browser);
        assertProblem(answer, 403, 'csrf');
        assertNotReadable(answer);
        return answer;
    }));

test('where nobody is trusted every preflight is 403', async () => {
    const other = s.browser('nobody-trusted');
    for (const target of ['/api/x', '/pass/x', '/bff/session']) {
        for (const one of [kTrusted, 'null', other.origin]) {
            const seen = await s.api.during(async () => {
                const answer = await preflight(one, target, {}, other);
                assertProblem(answer, 403, 'csrf');
                assertNotReadable(answer, false);
            });
            assert.deepEqual(seen, []);
        }
    }
});

test('a preflight that asks for no headers is told of none', async () => {
    for (const asked of [null, '']) {
        const answer = await preflight(kTrusted, '/api/x',
            { 'Access-Control-Request-Headers': asked });
        assert.equal(answer.status, 204);
        assertReadable(answer);
        assert.deepEqual(lines(answer, 'access-control-allow-headers'), []);
    }
});

test('what is no method and no header is not repeated', async () => {
    for (const more of [{ 'Access-Control-Request-Method': '' },
        { 'Access-Control-Request-Method': 'GET, POST' },
        { 'Access-Control-Request-Headers': 'a b' },
        { 'Access-Control-Request-Headers': 'x'.repeat(2049) }]) {
        await alone(async (browser) => {
            const answer = await preflight(kTrusted, '/api/x', more, browser);
            assertProblem(answer, 400, 'bad_request');
            assertReadable(answer);
            assert.deepEqual(lines(answer, 'access-control-allow-methods'), []);
            return answer;
        });
    }
});

test('other OPTIONS requests are requests like others', async () => {
    const ask = (headers, browser = b) => browser.request('/api/x',
        { method: 'OPTIONS', headers });
    const question = { 'Access-Control-Request-Method': 'PUT' };

    assert.equal((await ask({ Origin: kTrusted })).status, 200);
    assert.equal(s.api.last.method, 'OPTIONS');
    assert.equal((await ask({ 'X-CSRF': '1', ...question })).status, 200);
    assertProblem(await ask({ Origin: 'https://evil.test' }), 403, 'csrf');
    assertProblem(await ask({ Origin: kTrusted }, s.browser()), 401,
        'no_session');
});

test('a location without bff answers its preflights itself', async () => {
    const answer = await preflight('https://evil.test', '/open/x');
    assert.equal(answer.status, 200);
    assert.equal(s.api.last.method, 'OPTIONS');
});

test('auth_basic is asked before, and refuses a preflight', async () => {
    const seen = await s.api.during(async () => {
        assert.equal((await preflight(kTrusted, '/basic/x')).status, 401);
    });
    assert.deepEqual(seen, []);
});

test('error_page may stand for a preflight that is refused', async () => {
    const other = s.browser('pages');
    const seen = await s.api.during(async () => {
        const answer = await preflight('https://evil.test', '/x', {}, other);
        assert.equal(answer.status, 403);
        assert.equal(answer.body, 'our page');
        assertNotReadable(answer);
        assert.equal((await preflight(kTrusted, '/x', {}, other)).status, 204);
    });
    assert.deepEqual(seen, []);
});

test('the log says whose preflight was refused', async () => {
    const mark = s.nginx.mark();
    const answer = await preflight('https://evil.test', '/api/x');
    assert.match(s.nginx.log(mark), new RegExp('preflight refused: not a '
        + `trusted origin: https://evil.test, request_id: ${
            answer.json().request_id}`));
});

// --- the table ---

function questions() {
    const rows = [];
    const methods = [['PUT', 204], ['put', 204], ['PROPFIND', 204], ['x!', 204],
        ['', 400], ['GET, POST', 400], ['GET POST', 400], ['P\xdcT', 400],
        ['a\tb', 400], ['"PUT"', 400], ['P'.repeat(33), 400],
        [['PUT', 'PUT'], 400], [['PUT', 'DELETE'], 400], [undefined, null]];
    const names = [[undefined, 204], ['x-csrf', 204], ['x-csrf,', 204],
        [['x-csrf', 'content-type'], 204], ['*', 204], ['x csrf', 400],
        ['x-csrf;a', 400], ['authorization: 1', 400], ['\xe9', 400]];
    const origins = [[kTrusted, true], ['https://one.example.com', true],
        ...[own(), 'https://evil.test', 'null', '', [kTrusted, kTrusted],
            [kTrusted, ''], ['', kTrusted], `${kTrusted}, ${kTrusted}`,
            `${kTrusted}:443`, `${kTrusted}.`].map((one) => [one, false])];

    for (const [method, methodStatus] of methods) {
        for (const [header, headerStatus] of names) {
            for (const [origin, isTrusted] of origins) {
                const status = methodStatus === null ? null : !isTrusted ? 403
                    : Math.max(methodStatus, headerStatus);
                rows.push({ method, header, origin, isTrusted, status });
            }
        }
    }
    return rows;
}

function asked({ method, header, origin }, path, i) {
    const lines = Object.entries({ Origin: origin,
        'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': header,
        'Access-Control-Request-Private-Network': 'true',
        'Access-Control-Request-Local-Network': 'true' })
        .flatMap(([name, value]) => [value ?? []].flat().map((one) =>
            `${name}: ${one}\r\n`)).join('');

    return { method: 'OPTIONS', bytes: `OPTIONS ${path}${i} HTTP/1.1\r\n`
        + `Host: ${new URL(own()).host}\r\n${lines}`
        + `Cookie: ${b.jar.header(new URL(own()))}\r\n\r\n` };
}

function wrongs(row, { status, headers }) {
    const values = (name) => headers.filter(([key]) =>
        key.toLowerCase() === `access-control-allow-${name}`)
        .map(([, value]) => value);
    const reads = row.isTrusted ? [row.origin] : [];
    const goes = row.status === 204;

    return [
        [status === row.status, status],
        [`${values('origin')}` === `${reads}`, 'origin'],
        [`${values('credentials')}` === `${reads.map(() => true)}`, 'credentials'],
        [`${values('methods')}` === (goes ? row.method : ''), 'methods'],
        [goes || values('headers').length === 0, 'headers'],
        [values('private-network').length === 0
            && values('local-network').length === 0, 'network'],
        [!headers.some(([key]) => /^set-cookie$/i.test(key)), 'cookie'],
    ].filter(([isGood]) => !isGood).map(([, why]) => why);
}

test('BFF-12: every question, from everybody: none goes upstream', async () => {
    for (const path of ['/api/', '/off/', '/bff/session?']) {
        const rows = questions().filter(({ status }) => status !== null);
        let answers;
        const seen = await s.api.during(async () => {
            answers = await volley(s.at.port('main'),
                rows.map((row, i) => asked(row, path, i)), 'shop.test');
        });
        const failed = rows.map((row, i) => [wrongs(row, answers[i]), row])
            .filter(([why]) => why.length > 0).map((one) => JSON.stringify(one));
        assert.equal(failed.length, 0, `${path}: ${failed.length} of ${
            rows.length}:\n${failed.slice(0, 30).join('\n')}`);
        assert.deepEqual(seen, []);
    }
});

// It is like any request then, and Origin is what it is judged by.
test('BFF-12: without the question it is no preflight', async () => {
    const rows = questions().filter(({ status }) => status === null);
    let answers;
    const seen = await s.api.during(async () => {
        answers = await volley(s.at.port('main'),
            rows.map((row, i) => asked(row, '/api/', i)), 'shop.test');
    });
    rows.forEach((row, i) => {
        const passes = row.isTrusted || row.origin === own();
        assert.equal(answers[i].status, passes ? 200 : 403,
            JSON.stringify(row));
        assert.equal(seen.filter(({ target }) => target === `/api/${i}`).length,
            passes ? 1 : 0);
    });
});
