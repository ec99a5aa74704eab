// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The list of a request's headers, edited in place: whatever lines the client
// sent and in whatever order, the API gets exactly those that are not ours.
// The random lists come from a fixed seed, so that a failure can be repeated.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { exchange } from '../lib/raw.mjs';
import { stage } from '../lib/stage.mjs';

const kSeed = 20240229;
const kRounds = 400;

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
    }

    large_client_header_buffers 8 32k;

    server {
        listen ${at.plain()};
        root ${at.prefix}/www;
        bff_unauthenticated pass;

        location /api/ { bff corp; proxy_pass http://${api.address}; }
        location /try/ { bff corp; try_files /none @open; }
        location @open { proxy_pass http://${api.address}; }
        location /twice/ { bff corp; try_files /none /hop/x; }
        location /hop/ { try_files /none @closed; }
        location @closed { bff corp; proxy_pass http://${api.address}; }
        location /ssi/ { bff corp; ssi on; ssi_types *; }
    }
`, { prepare: ({ at }) =>
    at.file('www/ssi/page.html', '<!--# include virtual="/api/part" -->') });

// What stands in the list of the one request that reached the API.
async function upstream(path, lines) {
    s.api.requests = [];
    const answer = await exchange(s.at.port(), `GET ${path} HTTP/1.0\r\n`
        + `${lines.map((line) => `${line}\r\n`).join('')}\r\n`);

    assert.match(answer, /^HTTP\/1\.1 200 /, lines.join('\n'));
    assert.equal(s.api.requests.length, 1);
    return s.api.last.lines.filter((l) => !/^(Host|Connection):/.test(l));
}

for (const [path, left] of [['/api/x', []], ['/twice/x', []],
    ['/try/x', ['Authorization: Basic AAAABBBBCCCC']]]) {
    test(`a list of nothing but Authorization, at ${path}`, async () => {
        for (let i = 0; i < 5; i++) {
            assert.deepEqual(await upstream(path,
                ['Authorization: Basic AAAABBBBCCCC']), left);
        }
    });
}

for (const lines of [['DPoP: x'], ['Cookie: __Host-Http-bff-corp=x'],
    ['DPoP: x', 'Cookie: __Host-Http-bff-corp=x', 'DPoP: y'],
    ['Cookie: __Host-Http-bff-corp=x', 'Cookie: __Host-Http-bff-corp.1=x']]) {
    test(`a list of nothing but ours: ${lines.join(', ')}`, async () => {
        assert.deepEqual(await upstream('/api/x', lines), []);
        assert.deepEqual(await upstream('/ssi/page.html', lines), []);
    });
}

// The generator mulberry32: (n) => a whole number below n.
function dice(seed) {
    let state = seed;

    return (n) => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) % n;
    };
}

// One line, and what is to be left of it.
const kKinds = [
    (i) => [`Cookie: __Host-Http-bff-corp=abc${i}`, null],
    (i) => [`DPoP: proof${i}`, { open: `DPoP: proof${i}` }],
    (i) => [`Cookie: a${i}=1; __Host-Http-bff-corp.1=z`, `Cookie: a${i}=1`],
    (i) => [`X-H${i}: v${i}`, `X-H${i}: v${i}`],
    (i) => [`X-L${i}: ${'v'.repeat(40)}`, `X-L${i}: ${'v'.repeat(40)}`],
];

// NGINX's list has parts of twenty: most lists fit one, some need three.
function randomList(roll) {
    const count = roll(4) === 0 ? roll(60) : roll(6);
    const list = Array.from({ length: count }, (_, i) =>
        kKinds[roll(kKinds.length)](i));

    if (roll(2) === 0) {
        const line = `Authorization: Basic ${roll(1e6)}`;
        list.splice(roll(count + 1), 0, [line, { open: line }]);
    }

    return list;
}

// Where no bff stands the client has its Authorization and DPoP back, at the
// end of the list, so order is not compared.
function expected(list, path) {
    return list.map(([, left]) => left?.open
        ? (path === '/try/x' ? left.open : null) : left)
        .filter(Boolean).sort();
}

test(`${kRounds} random lists leave exactly what is not ours`, async () => {
    const roll = dice(kSeed);

    for (let i = 0; i < kRounds; i++) {
        const path = ['/api/x', '/try/x', '/ssi/page.html'][roll(3)];
        const list = randomList(roll);
        const got = await upstream(path, list.map(([line]) => line));

        assert.deepEqual(got.sort(), expected(list, path),
            `round ${i}, ${path}: ${JSON.stringify(list)}`);
    }
});
