// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A reload or a worker's death in the middle of things: what was begun ends
// well, and nobody waits for somebody who is gone.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, kKey } from '../lib/checks.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const configuration = ({ op, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        timeout 4s;
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ { bff corp; }
    }
`;

function scene(name, act, options = {}) {
    test(name, () => play(configuration, options, act));
}

// An answer that waits until the test opens the gate.
function gate() {
    let open;
    const opened = new Promise((resolve) => { open = resolve; });
    return { open, way: (socket, answer) =>
        opened.then(() => wire.plain(socket, answer)) };
}

for (const endpoint of ['metadata', 'jwks', 'token']) {
    scene(`a reload while the provider thinks about ${endpoint}`, async (s) => {
        const { open, way } = gate();
        s.op.wire[endpoint] = way;
        const result = attempt(s);
        await until('the call', () => s.op.calls(endpoint).length === 1);

        const [old] = s.nginx.workers();
        process.kill(s.nginx.pid, 'SIGHUP');
        await until('a new worker', () =>
            s.nginx.workers().some((pid) => pid !== old));
        open();

        assertLoggedIn((await result).answer);
        assertLoggedIn((await attempt(s)).answer);
    });
}

for (const endpoint of ['metadata', 'jwks']) {
    scene(`a worker that dies while it asks for ${endpoint} blocks nobody`,
        async (s) => {
            s.op.wire[endpoint] = wire.silent;
            const lost = attempt(s).then(() => false, () => true);
            await until('the call', () => s.op.calls(endpoint).length === 1);
            await s.nginx.killWorker();
            assert.equal(await lost, true);

            s.op.reset();
            await until('a login', async () => {
                const start = await s.browser().navigate('/bff/login',
                    { follow: false });
                return start.status === 302
                    && (await attempt(s)).answer.status === 200;
            });
        });
}

scene('many logins while workers die and come back', async (s) => {
    assertLoggedIn((await attempt(s)).answer);

    for (let i = 0; i < 3; i++) {
        const all = Array.from({ length: 6 }, () =>
            attempt(s).then(({ answer }) => answer.status, () => 'lost'));
        await s.nginx.killWorker();
        (await Promise.all(all)).forEach((status) =>
            assert.ok(status === 200 || status === 'lost', String(status)));
    }

    assertLoggedIn((await attempt(s)).answer);
}, { workers: 2 });

scene('reloads among logins lose none of them', async (s) => {
    const all = [];

    for (let i = 0; i < 3; i++) {
        all.push(...Array.from({ length: 4 }, () => attempt(s)));
        await s.nginx.reload();
    }

    (await Promise.all(all)).forEach(({ answer }) => assertLoggedIn(answer));
}, { workers: 2 });
