// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The providers that t/interop/unpack-providers has got: their files, and
// processes that find these as if they were installed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { endWithThisProcess } from '../../lib/nginx.mjs';
import { until, within } from '../../lib/wait.mjs';

const kUnpacked = fileURLToPath(
    new URL('../../../build/interop', import.meta.url));

// Defines the tests where the provider is; says so where it is not.
export function interop(provider, define) {
    if (fs.existsSync(path.join(kUnpacked, provider, '.complete'))) {
        define();
    } else {
        test(`interop with ${provider}`,
            { skip: `interop with ${provider} not run: not installed` });
    }
}

// A file of a provider; what had been installed before was not unpacked.
export function fileOf(provider, name) {
    const unpacked = path.join(kUnpacked, provider, name);
    return fs.existsSync(unpacked) ? unpacked : path.join('/', name);
}

// One process of a provider, on a port of 127.0.0.1.
export class Program {
    output = '';

    // options: arguments, environment, perl: a folder with modules
    static async start(provider, name, port, options) {
        const program = new Program();
        program.name = provider;
        program.child = spawn(fileOf(provider, name), options.arguments, {
            stdio: ['ignore', 'pipe', 'pipe'],
            env: { ...process.env, ...environmentOf(provider, options.perl),
                ...options.environment } });
        program.child.stdout.on('data', (data) => { program.output += data; });
        program.child.stderr.on('data', (data) => { program.output += data; });
        endWithThisProcess(program.child);

        await until(`${provider} to listen`, () => program.answers(port));
        return program;
    }

    async answers(port) {
        if (this.child.exitCode !== null) {
            throw new Error(`${this.name} did not start:\n${this.output}`);
        }
        const answer = await fetch(`http://127.0.0.1:${port}/`,
            { redirect: 'manual' }).catch(() => null);
        await answer?.arrayBuffer();

        if (answer?.status >= 500) {
            throw new Error(`${this.name} is not well:\n${this.output}`);
        }
        return answer !== null;
    }

    async stop() {
        if (this.child.exitCode === null) {
            const ended = once(this.child, 'exit');
            this.child.kill();
            await within(`${this.name} to end`, ended);
        }
    }
}

// Where a program of the provider finds its libraries.
export function environmentOf(provider, ownPerl) {
    const root = path.join(kUnpacked, provider, 'usr');
    const machine = folders(`${root}/lib`).filter((f) => /-linux-gnu$/.test(f));
    const versioned = [`${root}/share/perl`,
        ...machine.flatMap((f) => [`${f}/perl5`, `${f}/perl`])];
    const perl = [ownPerl, `${root}/share/perl5`,
        ...versioned.flatMap(folders)];

    return { LD_LIBRARY_PATH: machine.join(':'),
        PERL5LIB: perl.filter(Boolean).join(':') };
}

function folders(folder) {
    return fs.existsSync(folder)
        ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : [];
}
