// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The demo's provider, npm oidc-provider, as a process of the test's own.
//
// Its pages are read like a person reads them: who are you, may the shop know.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

import { clockEnvironment, endWithThisProcess } from './nginx.mjs';
import { authority } from './pki.mjs';
import { freePort } from './ports.mjs';
import { until, within } from './wait.mjs';

const kProgram = fileURLToPath(new URL('../../demo/provider.mjs', import.meta.url));
const kWatch = new URL('./watched_provider.mjs', import.meta.url).href;

export class DemoProvider {
    // options: origins (of the application), tokens: jwt or opaque, client:
    // more of its registration, lifetimes: { AccessToken: seconds }, clock:
    // true, to go by the clock of the place
    static async start(at, options) {
        const op = new DemoProvider();
        op.place = at;
        op.secretFile = at.file('op/secret', 'a secret of the demo\n');
        op.recordFile = `${at.prefix}/op/records`;
        op.eventFile = `${at.prefix}/op/events`;
        op.gate = `${at.prefix}/op/gate`;
        op.errors = '';
        op.run(await op.environment(options));

        op.issuer = await until('the demo\'s provider to listen', () => {
            if (op.child.exitCode !== null) {
                throw new Error(`it did not start:\n${op.errors}`);
            }
            return fs.existsSync(op.urlFile)
                && fs.readFileSync(op.urlFile, 'utf8').trim();
        });
        return op;
    }

    get urlFile() {
        return `${this.place.prefix}/op/url`;
    }

    async environment({ origins, tokens, client = {}, lifetimes = {}, clock }) {
        return { ...process.env, ...clock ? clockEnvironment(this.place) : {},
            PORT: String(await freePort()), URL_FILE: this.urlFile,
            APP_ORIGINS: origins.join(' '), ACCESS_TOKENS: tokens,
            CLIENT_SECRET_FILE: this.secretFile,
            CLIENT_PROPERTIES: JSON.stringify(client),
            RECORD_FILE: this.recordFile, EXTENSION: kWatch,
            NODE_EXTRA_CA_CERTS: authority().certificate,
            WATCH: JSON.stringify({ events: this.eventFile, gate: this.gate,
                lifetimes, backchannel: 'backchannel_logout_uri' in client }) };
    }

    run(env) {
        this.child = spawn(process.execPath, [kProgram],
            { stdio: ['ignore', 'ignore', 'pipe'], env });
        this.child.stderr.on('data', (data) => { this.errors += data; });
        endWithThisProcess(this.child);
    }

    // What the token endpoint gave out so far.
    tokens() {
        return linesOf(this.recordFile);
    }

    // What happened there so far, by name.
    events(name) {
        return linesOf(this.eventFile).filter(({ event }) => event === name);
    }

    // The token endpoint answers nobody until open().
    close() {
        fs.writeFileSync(this.gate, '');
    }

    open() {
        fs.rmSync(this.gate);
    }

    async stop() {
        const ended = once(this.child, 'exit');
        this.child.kill();
        await within('the demo\'s provider to end', ended);
    }
}

function linesOf(file) {
    return !fs.existsSync(file) ? []
        : fs.readFileSync(file, 'utf8').trim().split('\n')
            .map((line) => JSON.parse(line));
}
