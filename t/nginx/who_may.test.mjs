// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// bff_require: who may, once it is known who it is; and the ways around it.
//
// Each row is a request, what it must get, and whether the API may see it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertErrorPage, assertProblem, kKey } from '../lib/checks.mjs';
import { stage } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        session_claims sub role groups address blocked zero;
    }
    bff_provider other {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        session_claims sub role groups blocked;
        endpoints_path /bff-other/;
    }

    map $bff_claim_role $is_admin { admin 1; }
    map $bff_claim_groups $is_staff { "~(^|,)staff(,|$)" 1; }
    map $bff_claim_blocked $is_welcome { true 0; default 1; }
    map $is_welcome $is_very_welcome { 1 "very much"; default ""; }
    map $bff_claim_address__city $is_in_paris { Paris 1; }
    map $bff_session $is_nobody { none 1; }
    map $uri $is_any_uri { default 1; }

    server {
        listen ${at.tls()};
        root ${at.prefix}/www;

        location / { return 200 home; }
        location /plain/ { proxy_pass http://${api.address}; }

        location /admin/ {
            bff corp;
            bff_require $is_admin;
            proxy_pass http://${api.address};

            location /admin/all/ {
                bff_require $is_any_uri;
                proxy_pass http://${api.address};
            }
            location /admin/inner/ { proxy_pass http://${api.address}; }
        }
        location /admin-401/ {
            bff corp;
            bff_require $is_admin error=401;
            proxy_pass http://${api.address};
        }
        location /both/ {
            bff corp;
            bff_require $is_admin $is_in_paris;
            proxy_pass http://${api.address};
        }
        location /each/ {
            bff corp;
            bff_require $is_any_uri;
            bff_require $is_staff error=401;
            bff_require $is_admin;
            proxy_pass http://${api.address};
        }
        location /dotted/ {
            bff corp;
            bff_require $bff_claim_address.city;
            proxy_pass http://${api.address};
        }
        location /braces/ {
            bff corp;
            bff_require \${bff_claim_address.no.such};
            proxy_pass http://${api.address};
        }
        location /zero/ {
            bff corp;
            bff_require $bff_claim_zero;
            proxy_pass http://${api.address};
        }
        location /either/ {
            bff corp;
            bff_require $is_staff$is_admin;
            proxy_pass http://${api.address};
        }

        location /never/ {
            bff corp;
            bff_require "";
            proxy_pass http://${api.address};
        }
        location /zero-text/ {
            bff corp;
            bff_require 0;
            proxy_pass http://${api.address};
        }
        location /text/ {
            bff corp;
            bff_require 1;
            proxy_pass http://${api.address};
        }
        location /neither/ {
            bff corp;
            bff_require $bff_claim_blocked$bff_claim_zero;
            proxy_pass http://${api.address};
        }

        # Maps that are asked before anybody knows who it is.
        location /early/ {
            if ($is_very_welcome = no) { return 400; }
            bff corp;
            bff_require $is_very_welcome;
            proxy_pass http://${api.address};
        }
        location /set/ {
            set $tenant acme;
            if ($is_welcome = no) { return 400; }
            bff corp;
            bff_require $tenant $is_welcome;
            proxy_pass http://${api.address};
        }
        location ~ ^/captured/(\\w+)/(\\w+)$ {
            bff corp;
            bff_require $is_staff $2;
            proxy_pass http://${api.address}/seen/$1;
        }

        location /pass/ {
            bff corp;
            bff_unauthenticated pass;
            bff_require $is_admin;
            proxy_pass http://${api.address};
        }
        location /pass-welcome/ {
            bff corp;
            bff_unauthenticated pass;
            bff_require $is_welcome $is_any_uri;
            proxy_pass http://${api.address};
        }
        location /pass-nobody/ {
            bff corp;
            bff_unauthenticated pass;
            bff_require $is_nobody;
            proxy_pass http://${api.address};
        }
        location /redirect/ {
            bff corp;
            bff_unauthenticated redirect;
            bff_require $is_admin;
            proxy_pass http://${api.address};
        }
        location /bearer/ {
            bff corp;
            bff_accept_bearer on;
            bff_require $is_welcome;
            proxy_pass http://${api.address};
        }

        # The long way round.
        location /named/ { bff corp; try_files /none @admin; }
        location /open-named/ { try_files /none @admin; }
        location @admin {
            bff corp;
            bff_require $is_admin;
            proxy_pass http://${api.address};
        }
        location /uri/ { bff corp; try_files /none /admin/from-try; }
        location /rewritten/ { rewrite ^ /admin/from-rewrite last; }
        location /error/ {
            bff corp;
            proxy_pass http://${api.address};
            proxy_intercept_errors on;
            error_page 404 = /admin/from-error;
        }
        location /accel/ { bff corp; proxy_pass http://${api.address}; }
        location /open-accel/ { proxy_pass http://${api.address}; }
        location /if/ {
            bff corp;
            bff_require $is_admin;
            if ($arg_x) { proxy_pass http://${api.address}; }
            limit_except POST { allow all; }
            proxy_pass http://${api.address};
        }

        # Another provider's session first.
        location /switch/ {
            bff other;
            bff_require $is_very_welcome;
            try_files /none @welcome;
        }
        location @welcome {
            bff corp;
            bff_require $is_very_welcome;
            proxy_pass http://${api.address};
        }

        location /ssi/ { bff corp; ssi on; ssi_types *; }
        location /open-ssi/ { ssi on; ssi_types *; }
        location /mirrored/ {
            bff corp;
            mirror /admin/copy;
            proxy_pass http://${api.address};
        }
        location /checked/ {
            bff corp;
            auth_request /admin/check;
            proxy_pass http://${api.address};
        }

        location /own-403/ {
            bff corp;
            bff_require $is_admin;
            error_page 403 = @own;
            proxy_pass http://${api.address};
        }
        location @own { return 418 "$bff_error"; }

        location /any/ {
            satisfy any;
            allow all;
            bff corp;
            bff_require $is_admin;
            proxy_pass http://${api.address};
        }
        location /any-denied/ {
            satisfy any;
            deny all;
            bff corp;
            bff_require $is_admin;
            proxy_pass http://${api.address};
        }
        location /off/ {
            bff off;
            bff_require $is_admin;
            proxy_pass http://${api.address};
        }
    }

    server {
        listen ${at.tls('second')};
        bff corp;
        bff_require $is_admin;
        location / { proxy_pass http://${api.address}; }
    }
`, { prepare: ({ at }) => {
    const page = 'a<!--# include virtual="/admin/part" -->b';
    at.file('www/ssi/page.html', page);
    at.file('www/open-ssi/page.html', page);
} });

// Who comes, by claims of the ID token; null has no session.
const kPeople = {
    nobody: null,
    admin: { role: 'admin', groups: ['staff', 'x'],
        address: { city: 'Paris' }, zero: 1 },
    clerk: { role: 'clerk', groups: ['staff'], address: { city: 'Rome' },
        zero: 0, blocked: false },
    guest: {},
    blocked: { role: 'admin', groups: ['staffing', 'nostaff'], blocked: true,
        zero: '' },
    object: { role: { admin: 1 }, groups: 'staff', zero: '0' },
};

const kBrowsers = new Map();

// One login for each; the claims stay in the session.
async function browserOf(who) {
    if (!kBrowsers.has(who)) {
        const b = s.browser();
        if (kPeople[who]) {
            s.op.claims = (usual) => ({ ...usual, ...kPeople[who] });
            await b.login('/');
            b.token = s.op.tokens.access_token;
        }
        kBrowsers.set(who, b);
    }
    return kBrowsers.get(who);
}

// [who, path, status, code of the module's own answer]
const kRows = [
    ['nobody', '/admin/x', 401, 'no_session'],
    ['guest', '/admin/x', 403, 'forbidden'],
    ['clerk', '/admin/x', 403, 'forbidden'],
    ['object', '/admin/x', 403, 'forbidden'],
    ['admin', '/admin/x', 200],

    // inherited, and replaced on a level of its own
    ['clerk', '/admin/inner/x', 403, 'forbidden'],
    ['admin', '/admin/inner/x', 200],
    ['clerk', '/admin/all/x', 200],
    ['nobody', '/admin/all/x', 401, 'no_session'],

    ['nobody', '/admin-401/x', 401, 'no_session'],
    ['clerk', '/admin-401/x', 401, 'forbidden'],
    ['admin', '/admin-401/x', 200],

    // every value, every directive; the first that is not met decides
    ['admin', '/both/x', 200],
    ['clerk', '/both/x', 403, 'forbidden'],
    ['blocked', '/both/x', 403, 'forbidden'],
    ['admin', '/each/x', 200],
    ['clerk', '/each/x', 403, 'forbidden'],
    ['guest', '/each/x', 401, 'forbidden'],
    ['blocked', '/each/x', 401, 'forbidden'],

    ['admin', '/dotted/x', 200],
    ['clerk', '/dotted/x', 200],
    ['guest', '/dotted/x', 403, 'forbidden'],
    ['admin', '/braces/x', 403, 'forbidden'],

    // empty, "0" and 0 say no
    ['admin', '/zero/x', 200],
    ['clerk', '/zero/x', 403, 'forbidden'],
    ['object', '/zero/x', 403, 'forbidden'],
    ['blocked', '/zero/x', 403, 'forbidden'],
    ['guest', '/zero/x', 403, 'forbidden'],

    ['clerk', '/either/x', 200],
    ['blocked', '/either/x', 200],
    ['guest', '/either/x', 403, 'forbidden'],
    ['admin', '/never/x', 403, 'forbidden'],
    ['admin', '/zero-text/x', 403, 'forbidden'],
    ['nobody', '/text/x', 401, 'no_session'],
    ['guest', '/text/x', 200],
    ['admin', '/neither/x', 200],
    ['clerk', '/neither/x', 403, 'forbidden'],
    ['guest', '/neither/x', 403, 'forbidden'],

    // a map asked too early says of everybody that he is welcome
    ['guest', '/early/x', 200],
    ['blocked', '/early/x', 403, 'forbidden'],
    ['nobody', '/early/x', 401, 'no_session'],
    ['guest', '/set/x', 200],
    ['blocked', '/set/x', 403, 'forbidden'],

    ['clerk', '/captured/one/two', 200, null, '/seen/one'],
    ['guest', '/captured/one/two', 403, 'forbidden'],
    ['clerk', '/captured/one/0', 403, 'forbidden'],

    // pass: who is nobody meets no requirement, whatever it says
    ['nobody', '/pass/x', 401, 'no_session'],
    ['nobody', '/pass-welcome/x', 401, 'no_session'],
    ['nobody', '/pass-nobody/x', 401, 'no_session'],
    ['clerk', '/pass/x', 403, 'forbidden'],
    ['admin', '/pass/x', 200],
    ['guest', '/pass-welcome/x', 200],
    ['blocked', '/pass-welcome/x', 403, 'forbidden'],
    ['guest', '/pass-nobody/x', 403, 'forbidden'],

    // redirect: logging in once more would not help
    ['clerk', '/redirect/x', 403, 'forbidden'],

    ['guest', '/bearer/x', 200],
    ['blocked', '/bearer/x', 403, 'forbidden'],

    // internal redirects and named locations
    ...['/named/x', '/open-named/x', '/uri/x', '/rewritten/x', '/if/x',
        '/if/x?x=1', '/accel/x', '/open-accel/x', '/error/x']
        .flatMap((path) => [
            ['nobody', path, 401, 'no_session'],
            ['clerk', path, 403, 'forbidden'],
            ['admin', path, 200]]),

    ['clerk', '/own-403/x', 418, null],
    ['clerk', '/any-denied/x', 403, 'forbidden'],
    ['admin', '/any-denied/x', 200],
    ['nobody', '/off/x', 200],
];

// What leads on to /admin/: the API saw the first part, and was no secret.
const kFirstHop = /^\/(accel|open-accel|error)\//;

function api(request) {
    if (/^\/(open-)?accel\//.test(request.target)) {
        return { headers: { 'X-Accel-Redirect': '/admin/accel' } };
    }
    return { status: request.target.startsWith('/error/') ? 404 : 200 };
}

async function check([who, path, status, code, target]) {
    const b = await browserOf(who);
    let answer;
    const seen = (await s.api.during(async () => {
        answer = await b.api(path);
    })).filter((r) => !kFirstHop.test(r.target));

    assert.equal(answer.status, status, answer.body);
    if (code) {
        const problem = assertProblem(answer, status, code);
        assert.equal('login_url' in problem, status === 401);
        assert.equal('www-authenticate' in answer.headers, status === 401);
    }
    assert.deepEqual(seen.map((r) => r.all('authorization')),
        status !== 200 ? [] : [b.token && path !== '/off/x'
            ? [`Bearer ${b.token}`] : []]);
    assert.deepEqual(seen.flatMap((r) => r.all('cookie')), []);
    if (target) {
        assert.equal(seen[0].target, target);
    }
}

test('bff_require: each person at each place, and what the API saw', async () => {
    const wrong = [];

    s.api.answer = api;
    for (const row of kRows) {
        await check(row).catch((e) => wrong.push(`${row}: ${e.message}`));
    }
    s.api.answer = () => ({});
    assert.deepEqual(wrong, []);
});

test('forbidden is a page for people, with the way to log in on 401 alone',
    async () => {
        const b = await browserOf('clerk');
        const forbidden = await b.navigate('/admin/x', { follow: false });
        assertErrorPage(forbidden, 403, 'forbidden');
        assert.doesNotMatch(forbidden.body, /\/bff\/login/);
        const again = await b.navigate('/admin-401/x', { follow: false });
        assertErrorPage(again, 401, 'forbidden');
        assert.match(again.body, /href="\/bff\/login/);
    });

test('error_page may replace it, and sees its code', async () => {
    const answer = await (await browserOf('clerk')).api('/own-403/x');
    assert.equal(answer.body, 'forbidden');
});

test('a foreign page learns nothing of who may: csrf comes first', async () => {
    for (const who of ['clerk', 'admin']) {
        const answer = await (await browserOf(who)).api('/admin/x', { headers: {
            Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' } });
        assertProblem(answer, 403, 'csrf');
    }
});

test('what the client sends as Authorization meets no requirement', async () => {
    const headers = { Authorization: 'Bearer mine', DPoP: 'proof' };

    const seen = await s.api.during(async () => {
        for (const path of ['/bearer/x', '/pass/x', '/admin/x']) {
            assertProblem(await s.browser().api(path, { headers }), 401,
                'no_session');
        }
    });
    assert.deepEqual(seen, []);
});

test('satisfy any: another module\'s yes is no token', async () => {
    for (const [who, expected] of [['nobody', []], ['clerk', []],
        ['admin', null]]) {
        const b = await browserOf(who);
        const seen = await s.api.during(async () => assert.equal(
            (await b.api('/any/x', { headers: { Authorization: 'Basic eDp5' } }))
                .status, 200));
        assert.deepEqual(seen.map((r) => r.all('authorization')),
            [expected ?? [`Bearer ${b.token}`]]);
    }
});

// NGINX runs no access phase for subrequests. auth_request asks before it is
// known whose session it is: then it is nobody's.
for (const [path, wanted] of [['/ssi/page.html', '/admin/part'],
    ['/open-ssi/page.html', '/admin/part'], ['/mirrored/x', '/admin/copy'],
    ['/checked/x', '/admin/check']]) {
    test(`${path}: a subrequest must meet the requirement of its location`,
        async () => {
            for (const who of ['nobody', 'clerk', 'blocked', 'admin']) {
                const b = await browserOf(who);
                const may = kPeople[who]?.role === 'admin'
                    && !/^.(open-ssi|checked)/.test(path);
                const seen = () => s.api.requests.filter((r) =>
                    r.target.startsWith('/admin/'));

                s.api.requests = [];
                await b.api(path);
                if (may) { // a mirror does not wait
                    await until('the subrequest', () => seen().length > 0);
                }
                assert.deepEqual(seen().map((r) => r.target),
                    may ? [wanted] : [], who);
                assert.ok(seen().every((r) => r.header('authorization')
                    === `Bearer ${b.token}`));
            }
        });
}

test('a map that was asked for another provider\'s session is asked anew',
    async () => {
        const b = s.browser();
        s.op.claims = (usual) => ({ ...usual, blocked: true });
        await b.login('/');
        s.op.claims = (usual) => ({ ...usual, blocked: false });
        await b.navigate('/bff-other/login?returnUrl=/');
        const seen = await s.api.during(async () => assertProblem(
            await b.api('/switch/x'), 403, 'forbidden'));
        assert.deepEqual(seen, []);
    });

test('a value that was set beside such a map is no reason for a warning',
    async () => {
        const b = await browserOf('guest');
        const mark = s.nginx.mark();
        assert.equal((await b.api('/set/x')).status, 200);
        assert.doesNotMatch(s.nginx.log(mark), /\[warn\]/);
    });

test('on a server, it does not stand before the endpoints', async () => {
    const b = s.browser('second');
    s.op.claims = (usual) => ({ ...usual, role: 'clerk' });
    await b.navigate('/bff/login?returnUrl=/bff/session');

    assert.equal((await b.session()).authenticated, true);
    assertProblem(await b.api('/x'), 403, 'forbidden');
    assert.equal((await b.api('/bff/logout', { method: 'POST' })).status, 200);
    assertProblem(await b.api('/x'), 401, 'no_session');
});

test('HEAD gets the status and no body', async () => {
    const b = await browserOf('clerk');
    const answer = await b.api('/admin/x', { method: 'HEAD' });
    assert.equal(answer.status, 403);
    assert.equal(answer.body, '');
});

test('the log says why, with the request id and nothing of the person',
    async () => {
        const mark = s.nginx.mark();
        const answer = await (await browserOf('clerk')).api('/admin/x');
        const log = s.nginx.log(mark);
        assert.match(log, /"bff_require" is not met/);
        assert.match(log, new RegExp(answer.json().request_id));
        assert.doesNotMatch(log, /clerk/);
    });
