// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// "satisfy" with allow and deny, auth_basic and a session, in every mix: who
// is let in, what the others are told, and that the API gets a token exactly
// where there is a session, never the client's own credentials.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { KeepAlive } from '../lib/keep_alive.mjs';
import { stage } from '../lib/stage.mjs';

const kSatisfy = ['all', 'any'];
const kAcl = { none: '', allow: 'allow all;', deny: 'deny all;' };
const kBasic = ['none', 'basic'];
const kModes = ['auto', 'redirect', '401', 'pass'];

const kMixes = kSatisfy.flatMap((satisfy) => Object.keys(kAcl)
    .flatMap((acl) => kBasic.flatMap((basic) => kModes
        .map((mode) => ({ satisfy, acl, basic, mode })))));

const kChecked = kSatisfy.flatMap((satisfy) => kModes
    .map((mode) => ({ what: 'checked', satisfy, mode })));

const pathOf = (mix) => `/${Object.values(mix).join('-')}/`;

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    server {
        listen ${at.tls()};
        auth_basic_user_file ${at.file('users', 'ada:{PLAIN}secret\n')};
        keepalive_requests 10000;
        location / { return 200 home; }

        location = /check {
            internal;
            proxy_pass http://${api.address};
            proxy_set_header X-Check 1;
        }
        ${kChecked.map((mix) => `location ${pathOf(mix)} {
            bff corp;
            bff_unauthenticated ${mix.mode};
            satisfy ${mix.satisfy};
            auth_request /check;
            proxy_pass http://${api.address};
        }`).join('\n')}

        ${kMixes.map((mix) => `location ${pathOf(mix)} {
            bff corp;
            bff_unauthenticated ${mix.mode};
            satisfy ${mix.satisfy};
            ${kAcl[mix.acl]}
            ${mix.basic === 'basic' ? 'auth_basic realm;' : ''}
            proxy_pass http://${api.address};
        }`).join('\n')}
    }
`);

const kCredentials = { absent: [],
    right: [`Authorization: Basic ${btoa('ada:secret')}`],
    wrong: [`Authorization: Basic ${btoa('ada:wrong')}`] };

const kKinds = {
    script: ['X-CSRF: 1', 'Accept: */*', 'Sec-Fetch-Mode: cors',
        'Sec-Fetch-Site: same-origin'],
    page: ['Accept: text/html', 'Sec-Fetch-Mode: navigate',
        'Sec-Fetch-Site: same-origin'],
};

// What each check says by itself: true, a status, or null for nothing.
function opinions({ acl, basic, mode }, { session, credentials, kind }) {
    const toLogin = mode === 'redirect' || (mode === 'auto' && kind === 'page');

    return [
        { none: null, allow: true, deny: 403 }[acl],
        basic === 'none' ? null : credentials === 'right' ? true : 401,
        session ? true : mode === 'pass' ? null : toLogin ? 302 : 401,
    ];
}

// NGINX's own rules: "all" is refused by the first that refuses; "any" is let
// in by the first that says yes, and else told by the last, which is ours
// when we say anything; without us 401 goes before 403.
function expected(mix, request) {
    const [acl, basic, bff] = opinions(mix, request);
    const refusals = [acl, basic, bff].filter((one) => one > 1);

    if (mix.satisfy === 'all') {
        return refusals[0] ?? 200;
    }
    if (refusals.length === 0 || [acl, basic, bff].includes(true)) {
        return 200;
    }
    return bff > 1 ? bff : Math.min(...refusals);
}

test('satisfy: every mix of allow, deny, auth_basic and a session',
    async () => {
        const b = s.browser();
        await b.login('/');
        const bearer = `Bearer ${s.op.tokens.access_token}`;
        const cookie = `Cookie: ${b.jar.header(new URL(b.origin))}`;
        const client = new KeepAlive(s.at.port(), 'shop.test');
        const failed = [];

        for (const mix of kMixes) {
            for (const request of requests(mix)) {
                s.api.requests = [];
                const answer = await client.get(pathOf(mix) + 'x', [
                    ...kKinds[request.kind], 'DPoP: mine',
                    ...kCredentials[request.credentials],
                    ...(request.session ? [cookie] : [])]);
                const got = { status: answer.status, api: s.api.requests
                    .map((r) => [r.all('authorization'), r.all('dpop')]) };
                const status = expected(mix, request);
                const want = { status, api: status !== 200 ? []
                    : [[request.session ? [bearer] : [], []]] };

                try {
                    assert.deepEqual(got, want);
                } catch {
                    failed.push(JSON.stringify({ mix, request, got, want }));
                }
            }
        }

        client.close();
        assert.deepEqual(failed, []);
    });

function* requests({ basic }) {
    for (const session of [true, false]) {
        for (const kind of Object.keys(kKinds)) {
            for (const credentials of basic === 'basic'
                ? Object.keys(kCredentials) : ['absent', 'right']) {
                yield { session, kind, credentials };
            }
        }
    }
}

// What the check answers, and what that makes of the request.
const kAnswers = { 200: true, 204: true, 401: 401, 403: 403, 302: 500,
    404: 500, 500: 500 };

// An error is none that "any" would soften.
function expectedOfCheck({ satisfy, mode }, { session, kind, check }) {
    const said = kAnswers[check];
    const [, , bff] = opinions({ acl: 'none', basic: 'none', mode },
        { session, kind });

    if (said === 500) {
        return 500;
    }
    if (satisfy === 'all') {
        return said > 1 ? said : bff > 1 ? bff : 200;
    }
    return said === true || bff === true ? 200 : bff ?? said;
}

test('satisfy: every answer of an auth_request beside a session', async () => {
    const b = s.browser();
    await b.login('/');
    const bearer = `Bearer ${s.op.tokens.access_token}`;
    const cookie = `Cookie: ${b.jar.header(new URL(b.origin))}`;
    const client = new KeepAlive(s.at.port(), 'shop.test');
    const failed = [];

    for (const mix of kChecked) {
        for (const check of Object.keys(kAnswers)) {
            for (const kind of Object.keys(kKinds)) {
                for (const session of [true, false]) {
                    s.api.requests = [];
                    s.api.answer = (r) => r.header('x-check')
                        ? { status: Number(check) } : {};
                    const answer = await client.get(pathOf(mix) + 'x', [
                        ...kKinds[kind], 'Authorization: Bearer mine',
                        ...(session ? [cookie] : [])]);
                    const got = { status: answer.status,
                        api: s.api.requests.map((r) => [r.target,
                            r.all('authorization'), r.all('cookie')]) };
                    const request = { session, kind, check };
                    const status = expectedOfCheck(mix, request);
                    const want = { status, api: [
                        ['/check', ['Bearer mine'], []],
                        ...status === 200 ? [[`${pathOf(mix)}x`,
                            session ? [bearer] : [], []]] : []] };
                    try {
                        assert.deepEqual(got, want);
                    } catch {
                        failed.push(JSON.stringify({ mix, request, got, want }));
                    }
                }
            }
        }
    }

    s.api.answer = () => ({});
    client.close();
    assert.deepEqual(failed, []);
});

test('satisfy any: a refusal names both ways in', async () => {
    const answer = await s.browser().api('/any-none-basic-401/x');

    assert.equal(answer.status, 401);
    assert.match(answer.headers['www-authenticate'], /Basic realm="realm"/);
    assert.match(answer.headers['www-authenticate'], /Bff login="\/bff\/login"/);
});

test('satisfy any: who was let in by a session is asked for no password',
    async () => {
        const b = s.browser();
        await b.login('/');
        const answer = await b.api('/any-deny-basic-auto/x');

        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.headers['www-authenticate'], undefined);
    });
