// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Subrequests within subrequests, and those that come before the decision: a
// token goes to the location that asks for it and not one hop further, our
// cookies go nowhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { stage } from '../lib/stage.mjs';

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls()};
        root ${at.prefix}/www;
        ssi_types *;

        location / { return 200 home; }
        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /plain/ { proxy_pass http://${api.address}; }

        # A closed page that becomes an open one; from then on open and
        # closed ones include each other.
        location /start/ { bff corp; try_files /none /open/page.html; }
        location /open/ { ssi on; }
        location /closed/ { bff corp; ssi on; }

        location /checked/ {
            auth_request /check;
            proxy_pass http://${api.address};
        }
        location /checked-closed/ {
            bff corp;
            auth_request /check;
            proxy_pass http://${api.address};
        }
        location /checked-twice/ {
            bff corp;
            auth_request /closed-check;
            proxy_pass http://${api.address};
        }
        location = /check {
            internal;
            proxy_pass http://${api.address};
        }
        location = /closed-check {
            internal;
            bff corp;
            bff_unauthenticated pass;
            proxy_pass http://${api.address};
        }
    }
`, { prepare: ({ at }) => {
    const include = (path) => `[<!--# include virtual="${path}" -->]`;
    at.file('www/open/page.html', include('/closed/part.html'));
    at.file('www/closed/part.html',
        include('/plain/x') + include('/api/x') + include('/plain/y'));
    at.file('www/closed/page.html', include('/open/page.html'));
} });

async function loggedIn() {
    const b = s.browser();
    await b.login('/');
    b.jar.set('theme=dark; Path=/', new URL(b.origin));
    s.api.requests = [];
    return { b, token: s.op.tokens.access_token };
}

function seen(target) {
    return s.api.requests.filter((r) => r.target.includes(target));
}

for (const path of ['/start/x', '/closed/page.html', '/closed/part.html']) {
    test(`${path}: nested SSI gives the token to the API alone`, async () => {
        const { b, token } = await loggedIn();
        const answer = await b.api(path);

        assert.equal(answer.status, 200, answer.body);
        assert.deepEqual(seen('/api/x').map((r) => r.all('authorization')),
            [[`Bearer ${token}`]]);
        assert.equal(seen('/plain/').length, 2);
        seen('/plain/').forEach((r) =>
            assert.ok(!r.raw.includes(token), r.raw));
    });

    test(`${path}: no hop of nested SSI carries our cookie`, async () => {
        const { b } = await loggedIn();
        await b.api(path);

        assert.equal(s.api.requests.length, 3);
        s.api.requests.forEach((r) =>
            assert.deepEqual(r.all('cookie'), ['theme=dark']));
    });
}

for (const path of ['/checked/x', '/checked-closed/x', '/checked-twice/x']) {
    test(`${path}: neither the check nor the request carries our cookie`,
        async () => {
            const { b } = await loggedIn();
            const answer = await b.api(path);

            assert.equal(answer.status, 200, answer.body);
            assert.deepEqual(s.api.requests.map((r) => r.all('cookie')),
                [['theme=dark'], ['theme=dark']]);
        });
}

test('a check that refuses has not seen our cookie either', async () => {
    const { b } = await loggedIn();
    s.api.answer = () => ({ status: 403 });
    const answer = await b.api('/checked-closed/x');
    s.api.answer = () => ({});

    assert.equal(answer.status, 403);
    assert.deepEqual(s.api.requests.map((r) => r.all('cookie')),
        [['theme=dark']]);
});
