// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where figures come from.

import { spawnSync } from 'node:child_process';
import os from 'node:os';

export function machine() {
    const [cpu] = os.cpus();

    return { processor: `${os.cpus().length} of ${cpu.model}`,
        memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
        kernel: os.release(), node: process.version,
        system: first('sh', ['-c', '. /etc/os-release; echo "$PRETTY_NAME"']),
        module: first('git', ['describe', '--always', '--dirty']),
        nginx: version('nginx'), openssl: version('libssl3'),
        apache: version('apache2-bin'),
        mod_auth_openidc: version('libapache2-mod-auth-openidc'),
        valgrind: version('valgrind') };
}

const version = (name) =>
    first('dpkg-query', ['-W', '-f=${Version}\n', name]);

function first(program, args) {
    return spawnSync(program, args, { encoding: 'utf8' }).stdout
        ?.split('\n')[0] ?? '';
}

export const kMachineColumns = [
    ['machine', ([name]) => name],
    ['', ([, value]) => value],
];
