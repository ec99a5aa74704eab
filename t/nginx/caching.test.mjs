// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What was answered to one person's token is kept for nobody, whichever part
// of NGINX asked: the request itself, an SSI part, a slice, an update in the
// background, or proxy_store. Answers to nobody's token are kept as ever.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { freePort } from '../lib/ports.mjs';
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
        proxy_cache_key $uri$slice_range;
        proxy_cache_valid any 1h;
        add_header X-Cache $upstream_cache_status always;

        location / { return 200 home; }
        location /ssi/ { bff corp; ssi on; ssi_types *; }
        location /part/ {
            bff corp;
            proxy_cache cache;
            proxy_pass http://${api.address};
        }
        location /sliced/ {
            bff corp;
            slice 10;
            proxy_set_header Range $slice_range;
            proxy_http_version 1.1;
            proxy_cache cache;
            proxy_pass http://${api.address};
        }
        location /stale/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_cache cache;
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
            proxy_pass http://${api.address};
        }
        location /hard/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_cache cache;
            proxy_cache_methods GET HEAD POST;
            proxy_ignore_headers Cache-Control Expires Set-Cookie Vary
                X-Accel-Expires;
            proxy_cache_use_stale error timeout invalid_header updating
                http_500 http_502 http_503 http_504 http_403 http_404 http_429;
            proxy_cache_revalidate on;
            proxy_cache_lock on;
            proxy_intercept_errors on;
            error_page 403 404 500 = @hard_error;
            proxy_pass http://${api.address};
        }
        location @hard_error { return 418 "$bff_sub"; }
        location /hard-slow/ {
            bff corp;
            bff_unauthenticated pass;
            client_body_buffer_size 1k;
            proxy_cache cache;
            proxy_cache_methods POST;
            proxy_intercept_errors on;
            error_page 403 /hard-error;
            proxy_pass http://${api.address};
        }
        location = /hard-error { return 418 "an error page"; }
        location /gone/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_cache cache;
            proxy_pass http://127.0.0.1:${at.port('nobody')};
        }
        location /fastcgi/ {
            bff corp;
            bff_unauthenticated pass;
            fastcgi_cache cache;
            fastcgi_cache_key $uri;
            fastcgi_cache_valid any 1h;
            fastcgi_ignore_headers Cache-Control;
            fastcgi_pass 127.0.0.1:${at.port('fastcgi')};
        }
        location /uwsgi/ {
            bff corp;
            bff_unauthenticated pass;
            uwsgi_cache cache;
            uwsgi_cache_key $uri;
            uwsgi_cache_valid any 1h;
            uwsgi_pass 127.0.0.1:${at.port('uwsgi')};
        }
        location /scgi/ {
            bff corp;
            bff_unauthenticated pass;
            scgi_cache cache;
            scgi_cache_key $uri;
            scgi_cache_valid any 1h;
            scgi_pass 127.0.0.1:${at.port('scgi')};
        }
        location /named/ {
            bff corp;
            satisfy any;
            allow all;
            proxy_set_header X-User $bff_sub;
            proxy_cache cache;
            proxy_pass http://${api.address};
        }
        location /checked/ {
            bff corp;
            auth_request /check;
            proxy_cache cache;
            proxy_pass http://${api.address};
        }
        location = /check {
            internal;
            proxy_cache cache;
            proxy_cache_key check;
            proxy_pass http://${api.address};
        }

        location /stored/ {
            bff corp;
            bff_unauthenticated pass;
            proxy_store on;
            proxy_pass http://${api.address};
        }
    }
`, { prepare: ({ at }) => {
    at.file('www/ssi/page.html', '<!--# include virtual="/part/ssi" -->');
    at.file('www/ssi/stored.html', '<!--# include virtual="/stored/ssi" -->');
} });

async function loggedIn() {
    const b = s.browser();
    await b.login('/');
    return { b, bearer: `Bearer ${s.op.tokens.access_token}` };
}

// Runs act while the API answers each request with answer(whose it is).
async function answering(answer, act) {
    s.api.requests = [];
    s.api.answer = (r) => answer(r.header('authorization') ?? 'nobody', r);

    try {
        await act();
    } finally {
        s.api.answer = () => ({});
    }
}

const kLong = { 'Cache-Control': 'max-age=3600' };

test('SSI: a part that got a token is asked for again each time', () =>
    answering((whose) => ({ body: whose, headers: kLong }), async () => {
        const [one, two] = [await loggedIn(), await loggedIn()];

        for (const { b, bearer } of [one, two, one]) {
            const answer = await b.api('/ssi/page.html');
            assert.equal(answer.body, bearer);
        }
        assert.equal(s.api.requests.length, 3);
    }));

test('an error that one person got is not kept for the next', () =>
    answering((whose, r) => ({ body: whose, headers: kLong,
        status: s.api.requests.indexOf(r) === 0 ? 404 : 200 }), async () => {
        const [one, two] = [await loggedIn(), await loggedIn()];

        assert.equal((await one.b.api('/part/error')).status, 404);
        const answer = await two.b.api('/part/error');
        assert.equal(answer.status, 200);
        assert.equal(answer.body, two.bearer);
    }));

// Thirty octets, of which whose token it is can be seen in every slice.
function sliceOf(whose, range) {
    const whole = whose.slice(-3).repeat(10);
    const [from, to] = range.match(/\d+/g).map(Number);

    return { status: 206, body: whole.slice(from, to + 1), headers: {
        ETag: '"same"', 'Content-Range': `bytes ${from}-${to}/30`, ...kLong } };
}

test('slice: nobody gets a slice of somebody else\'s answer', () =>
    answering((whose, r) => sliceOf(whose, r.header('range')), async () => {
        const [one, two] = [await loggedIn(), await loggedIn()];

        for (const { b, bearer } of [one, two, one]) {
            const answer = await b.api('/sliced/x');
            assert.equal(answer.status, 200, answer.body);
            assert.equal(answer.body, bearer.slice(-3).repeat(10));
        }
        assert.equal(s.api.requests.length, 9);
    }));

// The first answer is kept for a second, all later ones for an hour.
function soonStale(whose, r) {
    const age = s.api.requests.indexOf(r) === 0 ? 1 : 3600;
    return { body: whose, headers: { 'Cache-Control': `max-age=${age}` } };
}

test('an update in the background keeps nothing that a token was for', () =>
    answering(soonStale, async () => {
        const { b, bearer } = await loggedIn();
        const nobody = s.browser();
        const cached = async (browser, status) => {
            const answer = await browser.api('/stale/x');
            return answer.headers['x-cache'] === status && answer;
        };

        assert.equal((await nobody.api('/stale/x')).body, 'nobody');
        await until('a stale answer', () => cached(b, 'STALE'));
        await until('the update with the token', () => s.api.requests
            .some((r) => r.header('authorization') === bearer));

        const kept = await until('a fresh answer', () => cached(nobody, 'HIT'));
        assert.equal(kept.body, 'nobody');
    }));

// The one worker has done with a request when it has answered the next.
async function isStored(name) {
    await s.browser().request('/');
    return fs.existsSync(path.join(s.at.prefix, 'www/stored', name));
}

test('proxy_store keeps an answer to nobody, none to a token', () =>
    answering((whose) => ({ body: whose }), async () => {
        const { b, bearer } = await loggedIn();

        assert.equal((await s.browser().api('/stored/open')).body, 'nobody');
        assert.equal(await isStored('open'), true);
        assert.equal((await b.api('/stored/own')).body, bearer);
        assert.equal(await isStored('own'), false);
    }));

test('proxy_store keeps no SSI part that got a token', () =>
    answering((whose) => ({ body: whose }), async () => {
        const { b, bearer } = await loggedIn();

        assert.equal((await b.api('/ssi/stored.html')).body, bearer);
        assert.equal(await isStored('ssi'), false);
    }));
