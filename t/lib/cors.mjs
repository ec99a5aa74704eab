// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Who may read an answer, seen from its headers.

import assert from 'node:assert/strict';

export const kTrusted = 'https://app.example.com';
export const kOthers = ['https://evil.test', 'null', '', '*', 'https://example.com',
    'https://a.app.example.com', 'https://app.example.com.evil.test',
    'https://evil-app.example.com', 'https://app.example.com:8443',
    'https://app.example.com:443', 'http://app.example.com',
    'https://APP.example.com', 'https://app.example.com.',
    'https://app.example.com/', `${kTrusted} ${kTrusted}`];

// The values of all lines with this name.
export function lines(answer, name) {
    return answer.rawHeaders.filter((_, i) => i % 2 === 1
        && answer.rawHeaders[i - 1].toLowerCase() === name);
}

export function varies(answer) {
    return lines(answer, 'vary').join(',').split(',')
        .map((field) => field.trim().toLowerCase()).filter(Boolean);
}

export function assertReadable(answer, by = kTrusted) {
    assert.deepEqual(lines(answer, 'access-control-allow-origin'), [by]);
    assert.deepEqual(lines(answer, 'access-control-allow-credentials'),
        ['true']);
    assert.deepEqual(varies(answer).filter((f) => f === 'origin'), ['origin']);
}

export function assertNotReadable(answer, varied = true) {
    const names = answer.rawHeaders.filter((_, i) => i % 2 === 0)
        .filter((name) => /^access-control-/i.test(name));
    assert.deepEqual(names, []);
    assert.deepEqual(varies(answer).filter((f) => f === 'origin'),
        varied ? ['origin'] : []);
}
