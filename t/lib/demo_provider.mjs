// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The demo's provider, npm oidc-provider, as a process of the test's own.
//
// Its pages are read like a person reads them: who are you, may the shop know.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

import { endWithThisProcess } from './nginx.mjs';
import { freePort } from './ports.mjs';
import { until, within } from './wait.mjs';

const kProgram = fileURLToPath(new URL('../../demo/provider.mjs', import.meta.url));

export class DemoProvider {
    // options: origins (of the application), tokens: jwt or opaque, client:
    // more of its registration
    static async start(at, { origins, tokens, client = {} }) {
        const op = new DemoProvider();
        op.secretFile = at.file('op/secret', 'a secret of the demo\n');
        op.recordFile = `${at.prefix}/op/records`;
        const urlFile = `${at.prefix}/op/url`;

        op.child = spawn(process.execPath, [kProgram], {
            stdio: ['ignore', 'ignore', 'pipe'],
            env: { ...process.env, PORT: String(await freePort()),
                URL_FILE: urlFile, APP_ORIGINS: origins.join(' '),
                CLIENT_SECRET_FILE: op.secretFile, ACCESS_TOKENS: tokens,
                CLIENT_PROPERTIES: JSON.stringify(client),
                RECORD_FILE: op.recordFile } });
        op.errors = '';
        op.child.stderr.on('data', (data) => { op.errors += data; });
        endWithThisProcess(op.child);

        op.issuer = await until('the demo\'s provider to listen', () => {
            if (op.child.exitCode !== null) {
                throw new Error(`it did not start:\n${op.errors}`);
            }
            return fs.existsSync(urlFile)
                && fs.readFileSync(urlFile, 'utf8').trim();
        });
        return op;
    }

    // What the token endpoint gave out so far.
    tokens() {
        return !fs.existsSync(this.recordFile) ? []
            : fs.readFileSync(this.recordFile, 'utf8').trim().split('\n')
                .map((line) => JSON.parse(line));
    }

    async stop() {
        const ended = once(this.child, 'exit');
        this.child.kill();
        await within('the demo\'s provider to end', ended);
    }
}
