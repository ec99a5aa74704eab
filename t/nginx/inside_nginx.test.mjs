// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The module among the rest of NGINX: internal redirects keep the token, and
// subrequests never get one that their main request was not given.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { exchange } from '../lib/raw.mjs';
import { stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    proxy_cache_path ${at.prefix}/cache keys_zone=cache:1m;

    server {
        listen ${at.tls()};
        root ${at.prefix}/www;

        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /plain/ { proxy_pass http://${api.address}; }

        location /try/ { bff corp; try_files /none @api; }
        location @api { bff corp; proxy_pass http://${api.address}; }
        location /try-uri/ { bff corp; try_files /none /api/from-try; }
        location /rewritten/ { rewrite ^ /api/from-rewrite last; }
        location /files/ { bff corp; }

        location /failing/ {
            bff corp;
            proxy_pass http://${api.address};
            proxy_intercept_errors on;
            error_page 404 = /api/fallback;
        }

        location /own-401/ {
            bff corp;
            error_page 401 = @own;
            proxy_pass http://${api.address};
        }
        location @own { return 418 "our own page"; }

        # auth_request: where the check is protected, and where it is not.
        location /open/ {
            auth_request /check;
            proxy_pass http://${api.address};
        }
        location /closed/ {
            bff corp;
            auth_request /check;
            proxy_pass http://${api.address};
        }
        location /closed-open-check/ {
            bff corp;
            auth_request /open-check;
            proxy_pass http://${api.address};
        }
        location = /open-check {
            internal;
            proxy_pass http://${api.address}/open-check;
        }
        location = /check {
            internal;
            bff corp;
            proxy_pass http://${api.address}/check;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }

        location /ssi/ { ssi on; ssi_types *; }
        location /ssi-closed/ { bff corp; ssi on; ssi_types *; }

        location /mirrored/ {
            mirror /copy;
            proxy_pass http://${api.address};
        }
        location /mirrored-closed/ {
            bff corp;
            mirror /copy;
            proxy_pass http://${api.address};
        }
        location = /copy {
            internal;
            bff corp;
            proxy_pass http://${api.address}/copy;
        }

        location /cached/ {
            bff corp;
            proxy_pass http://${api.address};
            proxy_cache cache;
            proxy_cache_valid any 1h;
            proxy_cache_key $uri;
            add_header X-Cache $upstream_cache_status;
        }

        location /basic/ {
            bff corp;
            auth_basic realm;
            auth_basic_user_file ${at.file('users', 'ada:{PLAIN}secret\n')};
            proxy_pass http://${api.address};
        }
        location /denied/ {
            bff corp;
            deny all;
            proxy_pass http://${api.address};
        }
        location /any/ {
            bff corp;
            satisfy any;
            allow all;
            proxy_pass http://${api.address};
        }
        location /any-off/ {
            bff off;
            satisfy any;
            deny all;
            proxy_pass http://${api.address};
        }
    }
`, { prepare: ({ at }) => {
    at.file('www/ssi/page.html', 'a<!--# include virtual="/api/part" -->b');
    at.file('www/ssi-closed/page.html', 'a<!--# include virtual="/api/part" -->b');
    at.file('www/files/x.txt', 'protected file');
} });

async function loggedIn() {
    const b = s.browser();
    await b.login('/');
    return { b, bearer: `Bearer ${s.op.tokens.access_token}` };
}

function seen(target) {
    return s.api.requests.filter((r) => r.target.startsWith(target));
}

for (const [path, target] of [['/try/x', '/try/x'],
    ['/try-uri/x', '/api/from-try'], ['/rewritten/x', '/api/from-rewrite']]) {
    test(`${path} ends at the API with one token and without our cookie`,
        async () => {
            const { b, bearer } = await loggedIn();
            s.api.requests = [];
            const answer = await b.api(path, { headers: { 'X-Own': '1' } });

            assert.equal(answer.status, 200, answer.body);
            assert.deepEqual(seen(target).map((r) => r.all('authorization')),
                [[bearer]]);
            assert.equal(s.api.last.header('cookie'), undefined);
            assert.equal(s.api.last.header('x-own'), '1');
        });

    test(`${path} without a session is 401`, async () => {
        s.api.requests = [];
        assert.equal((await s.browser().api(path)).status, 401);
        assert.deepEqual(s.api.requests, []);
    });
}

test('error_page after the API: one token each time', async () => {
    const { b, bearer } = await loggedIn();
    s.api.requests = [];
    s.api.answer = (r) => ({ status: r.target.startsWith('/failing/')
        ? 404 : 200 });
    const answer = await b.api('/failing/x');
    s.api.answer = () => ({});

    assert.equal(answer.json().target, '/api/fallback');
    assert.deepEqual(s.api.requests.map((r) => r.all('authorization')),
        [[bearer], [bearer]]);
});

test('error_page may replace the module\'s own 401', async () => {
    const answer = await s.browser().api('/own-401/x');
    assert.equal(answer.status, 418);
    assert.equal(answer.body, 'our own page');
});

test('a protected file needs a session and gets none of our headers',
    async () => {
        assert.equal((await s.browser().api('/files/x.txt')).status, 401);
        const { b } = await loggedIn();
        const answer = await b.api('/files/x.txt');
        assert.equal(answer.body, 'protected file');
    });

test('auth_request: an open page\'s check gets no token and no client header',
    async () => {
        const { b } = await loggedIn();
        s.api.requests = [];
        await b.api('/open/x', { headers: { Authorization: 'Bearer mine',
            DPoP: 'proof' } });

        seen('/check').forEach((r) => {
            assert.deepEqual(r.all('authorization'), []);
            assert.deepEqual(r.all('dpop'), []);
        });
    });

test('auth_request: a protected page keeps its token beside the check',
    async () => {
        const { b, bearer } = await loggedIn();
        s.api.requests = [];
        const answer = await b.api('/closed-open-check/x',
            { headers: { 'X-Own': '1' } });

        assert.equal(answer.status, 200, answer.body);
        assert.deepEqual(seen('/closed-open-check/x')
            .map((r) => r.all('authorization')), [[bearer]]);
        assert.equal(s.api.last.header('x-own'), '1');
        assert.deepEqual(seen('/open-check').map((r) => r.all('authorization')),
            [[]]);
    });

// The check comes before the token is given; it may be refused, not more.
test('auth_request: a protected check never has the client\'s header',
    async () => {
        const { b, bearer } = await loggedIn();
        s.api.requests = [];
        const answer = await b.api('/closed/x', { headers: {
            Authorization: 'Bearer mine' } });

        assert.ok([200, 401, 403].includes(answer.status), `${answer.status}`);
        s.api.requests.forEach((r) => assert.ok(!r.raw.includes('mine')));
        seen('/closed/x').forEach((r) =>
            assert.deepEqual(r.all('authorization'), [bearer]));
    });

test('auth_request: without a session nobody is asked', async () => {
    s.api.requests = [];
    assert.equal((await s.browser().api('/closed/x')).status, 401);
    assert.deepEqual(s.api.requests, []);
});

test('SSI: an open page cannot include what only a session may see',
    async () => {
        const { b } = await loggedIn();
        s.api.requests = [];
        const answer = await b.api('/ssi/page.html', { headers: {
            Authorization: 'Bearer mine' } });

        assert.equal(answer.status, 200);
        assert.match(answer.body, /^a[^]*b$/);
        seen('/api/part').forEach((r) =>
            assert.deepEqual(r.all('authorization'), []));
    });

test('SSI: a protected page includes with the token it was given', async () => {
    const { b, bearer } = await loggedIn();
    s.api.requests = [];
    const answer = await b.api('/ssi-closed/page.html');

    assert.equal(answer.status, 200, answer.body);
    assert.deepEqual(seen('/api/part').map((r) => r.all('authorization')),
        [[bearer]]);
    assert.equal(seen('/api/part')[0].header('cookie'), undefined);
});

test('mirror: the copy of an open request has no token', async () => {
    const { b } = await loggedIn();
    s.api.requests = [];
    assert.equal((await b.api('/mirrored/x', { method: 'POST', body: 'abc',
        headers: { Authorization: 'Bearer mine', 'Content-Length': 3 } }))
        .status, 200);
    seen('/copy').forEach((r) => assert.deepEqual(r.all('authorization'), []));
    assert.equal(seen('/mirrored/x')[0].body, 'abc');
});

test('mirror: the copy of a protected request never has the client\'s header',
    async () => {
        const { b, bearer } = await loggedIn();
        s.api.requests = [];
        await b.api('/mirrored-closed/x', { headers: {
            Authorization: 'Bearer mine' } });
        await until('the copy', () => seen('/copy').length === 1);

        assert.deepEqual(seen('/mirrored-closed/x')[0].all('authorization'),
            [bearer]);
        s.api.requests.forEach((r) => assert.ok(!r.raw.includes('mine')));
    });

test('CK-29: proxy_cache stores nothing that was asked for with a token',
    async () => {
        const one = await loggedIn();
        const two = await loggedIn();
        s.api.requests = [];
        s.api.answer = (r) => ({ headers: { 'Cache-Control': 'max-age=3600' },
            body: r.header('authorization') });

        const answers = [await one.b.api('/cached/x'),
            await two.b.api('/cached/x'), await one.b.api('/cached/x')];
        s.api.answer = () => ({});

        assert.deepEqual(answers.map((a) => a.body),
            [one.bearer, two.bearer, one.bearer]);
        assert.equal(s.api.requests.length, 3);
    });

test('auth_basic sees the client\'s Authorization, the API sees ours',
    async () => {
        const { b, bearer } = await loggedIn();
        const basic = (p) => ({ headers: { Authorization:
            `Basic ${Buffer.from(`ada:${p}`).toString('base64')}` } });

        assert.equal((await b.api('/basic/x', basic('wrong'))).status, 401);
        assert.equal((await b.api('/basic/x', basic('secret'))).status, 200);
        assert.deepEqual(s.api.last.all('authorization'), [bearer]);
        assert.equal((await s.browser().api('/basic/x', basic('secret'))).status,
            401);
    });

test('deny stays deny with a session', async () => {
    const { b } = await loggedIn();
    assert.equal((await b.api('/denied/x')).status, 403);
});

test('satisfy any: bff off grants nothing', async () => {
    assert.equal((await s.browser().api('/any-off/x')).status, 403);
});

test('satisfy any: another module\'s yes lets a script in, without a token',
    async () => {
        s.api.requests = [];
        const answer = await s.browser().api('/any/x', { headers: {
            Authorization: 'Bearer mine' } });
        assert.equal(answer.status, 200, answer.body);
        assert.deepEqual(s.api.last.all('authorization'), []);
    });

test('HTTP/0.9 is refused also where satisfy any lets others in', async () => {
    const before = s.api.requests.length;
    await exchange(s.at.port('main'), 'GET /any/old\r\n', 'shop.test');
    assert.equal(s.api.requests.length, before);
});
