// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The user's own error pages instead of the module's answers: they are shown,
// nothing is done twice on the way to them, and no header stands there twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertProblem, kKey } from '../lib/checks.mjs';
import { attempt, stage } from '../lib/stage.mjs';
import * as wire from '../lib/wire.mjs';

const provider = (op, name, more = '') => `
    bff_provider ${name} {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        ${more}
    }
`;

const s = stage(({ op, api, at }) => `
    ${provider(op, 'corp')}
    ${provider(op, 'away', 'timeout 1s;')}
    ${provider(op, 'lost', 'timeout 1s; endpoints_path /lost/;')}

    server {
        listen ${at.tls('named')};
        bff corp;
        error_page 400 403 502 503 @oops;
        location / { }
        location @oops { bff off; return 200 "our page"; }
    }

    server {
        listen ${at.tls('away')};
        bff away;
        error_page 503 @oops;
        location / { }
        location @oops { return 503 "our page"; }
        location /lost/ {
            bff_endpoints lost;
            error_page 503 @oops;
        }
    }

    server {
        listen ${at.tls('open-page')};
        root ${at.prefix}/www;
        bff corp;
        error_page 401 /401.html;
        location / { proxy_pass http://${api.address}; }
        location = /401.html { bff off; }
    }

    server {
        listen ${at.tls('closed-page')};
        root ${at.prefix}/www;
        bff corp;
        error_page 401 403 /401.html;
        location / { }
    }
`, { prepare: ({ at }) => at.file('www/401.html', 'our 401') });

// How often each of these stands in the answer's head.
function counts(answer, ...names) {
    const all = answer.rawHeaders.filter((_, i) => i % 2 === 0)
        .map((name) => name.toLowerCase());
    return names.map((name) => all.filter((one) => one === name).length);
}

test('a callback that fails shows the named page', async () => {
    const { answer } = await attempt(s, { browser: s.browser('named'),
        change: (query) => query.set('state', 'another-state') });

    assert.equal(answer.status, 400);
    assert.equal(answer.body, 'our page');
});

test('CSRF at server level shows the named page', async () => {
    const b = s.browser('named');
    await attempt(s, { browser: b });
    const answer = await b.api('/x', { headers:
        { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' } });

    assert.equal(answer.status, 403);
    assert.equal(answer.body, 'our page');
});

for (const path of ['/bff/login', '/lost/login']) {
    test(`${path}: the named page, and the provider was asked once`,
        async () => {
            s.op.wire.metadata = wire.silent;
            const answer = await s.browser('away').navigate(path,
                { follow: false, from: 'same-origin' });

            assert.equal(answer.status, 503);
            assert.equal(answer.body, 'our page');
            assert.equal(s.op.calls('metadata').length, 1);
        });
}

test('error_page 401 with a page that is not protected shows it', async () => {
    const answer = await s.browser('open-page').api('/x');

    assert.equal(answer.status, 401);
    assert.equal(answer.body, 'our 401');
    assert.deepEqual(counts(answer, 'cache-control', 'www-authenticate'),
        [1, 1]);
});

test('the API\'s own 401 is left alone', async () => {
    const b = s.browser('open-page');
    await attempt(s, { browser: b });
    s.api.answer = () => ({ status: 401, body: 'of the API' });
    const answer = await b.api('/x');
    s.api.answer = () => ({});

    assert.equal(answer.status, 401);
    assert.equal(answer.body, 'of the API');
});

test('a page that is protected itself: the module\'s answer, each header once',
    async () => {
        const answer = await s.browser('closed-page').api('/x');

        assertProblem(answer, 401, 'no_session');
        assert.deepEqual(counts(answer, 'cache-control', 'www-authenticate',
            'content-type', 'referrer-policy', 'x-content-type-options'),
        [1, 1, 1, 1, 1]);
    });

test('a session may see the page that stands for its own 403', async () => {
    const b = s.browser('closed-page');
    await attempt(s, { browser: b });
    const answer = await b.api('/x', { headers:
        { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' } });

    assert.equal(answer.status, 403);
    assert.deepEqual(counts(answer, 'cache-control'), [1]);
});
