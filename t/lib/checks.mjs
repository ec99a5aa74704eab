// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What the contract says of every answer, said once.
//
// An error is problem+json for a script and a short page for a navigation; both
// carry the code and the request id, and neither sets a session cookie.

import assert from 'node:assert/strict';

import { parseSetCookie } from './cookie_jar.mjs';

export const kSessionCookie = /^__Host-Http-bff-corp(\.[12])?$/;
export const kLoginCookie = /^__Host-Http-bff-corp-login-/;
export const kKey = '0123456789abcdef'.repeat(4);

// An error for a script.
export function assertProblem(answer, status, code) {
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.headers['content-type'], /^application\/problem\+json/);
    assert.match(answer.headers['cache-control'] ?? '', /no-store/);

    const problem = answer.json();
    assert.equal(problem.code, code);
    assert.equal(problem.status, status);
    assert.equal(typeof problem.type, 'string');
    assert.equal(typeof problem.title, 'string');
    assert.match(problem.request_id, /./);
    return problem;
}

// An error for somebody who looks at a page.
export function assertErrorPage(answer, status, code) {
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.match(answer.headers['cache-control'] ?? '', /no-store/);
    assert.match(answer.body, new RegExp(`\\b${code}\\b`));
}

// One or several codes, in either form.
export function assertRefused(answer, status, code) {
    const codes = [code].flat();
    assert.ok([status].flat().includes(answer.status),
        `${answer.status} ${answer.body}`);
    assert.ok(codes.some((c) => answer.body.includes(c)),
        `${codes} is not in: ${answer.body}`);
    assert.match(answer.headers['cache-control'] ?? '', /no-store/);
    assert.deepEqual(sessionCookiesSet(answer), []);
}

// The Set-Cookie lines that give a session, not those that take one away.
export function sessionCookiesSet(answer, pattern = kSessionCookie) {
    return answer.setCookies.map(parseSetCookie).filter((c) =>
        pattern.test(c.name) && c.value !== '' && c.attributes['max-age'] !== '0');
}

export function assertLoggedIn(answer, pattern = kSessionCookie) {
    assert.equal(answer.status, 200, answer.body);
    assert.notEqual(sessionCookiesSet(answer, pattern).length, 0,
        'no session cookie');
}

// None of these texts stands in the answer, neither plain nor decoded.
export function assertHidden(answer, secrets) {
    const text = answer.everything;

    for (const secret of secrets.filter(Boolean)) {
        assert.ok(!text.includes(secret), `the answer tells ${secret}`);
    }
}

// The octets of a cookie's value, as text to search in.
export function decodedText(value) {
    return Buffer.from(value, 'base64url').toString('latin1');
}
