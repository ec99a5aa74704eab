// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Runs NGINX with a configuration that stands in the test.
//
// The library adds what a test run needs: a prefix of its own, ports, logs,
// temporary paths, the module. A stop fails when the error log tells of an
// alert, a killed worker or a sanitizer report that the test did not expect.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { serverCertificate } from './pki.mjs';
import { freePort } from './ports.mjs';
import { kPatience, until, within } from './wait.mjs';

const kHere = path.dirname(fileURLToPath(import.meta.url));

// With its whole path, which an upgrade needs. NGINX_BINARY may name the one
// that t/build-nginx makes.
export const kBinary = whole(process.env.NGINX_BINARY || 'nginx');
export const kModule = path.resolve(process.env.BFF_MODULE
    || path.join(kHere, '../../build/ngx_http_bff_module.so'));

const kBad = /\[(alert|emerg)\]|exited on signal|Sanitizer|runtime error:/;

// Where a configuration stands: its prefix, its ports, its files. Ports are
// given before they are used, so that configurations stay plain functions.
export class Place {
    prefix = fs.mkdtempSync(path.join(os.tmpdir(), 'bff-nginx-'));
    #ports = [];
    #next = 0;
    #named = new Map();

    static async make() {
        const place = new Place();

        for (let i = 0; i < 12; i++) {
            place.#ports.push(await freePort());
        }

        return place;
    }

    get used() {
        return [...this.#named.values()];
    }

    port(name = 'main') {
        if (!this.#named.has(name)) {
            this.#named.set(name, this.#ports[this.#next++]);
        }

        return this.#named.get(name);
    }

    // `listen ${at.plain()};`
    plain(name) {
        return `127.0.0.1:${this.port(name)}`;
    }

    // `listen ${at.tls()};`, the certificate directives included.
    tls(name, options = '') {
        const { certificate, key } = serverCertificate();

        return `127.0.0.1:${this.port(name)} ssl ${options};
            ssl_certificate ${certificate};
            ssl_certificate_key ${key}`;
    }

    file(name, content, mode = 0o644) {
        const full = path.join(this.prefix, name);
        fs.mkdirSync(path.dirname(full), { recursive: true });
        fs.writeFileSync(full, content, { mode });
        return full;
    }

    remove() {
        fs.rmSync(this.prefix, { recursive: true, force: true });
    }
}

export class Nginx {
    #child;
    #ended;
    #expected;
    #stopped = false;
    #heir;           // the master that an upgrade has started

    constructor(place, child, expected) {
        this.place = place;
        this.#child = child;
        this.#expected = expected;
        this.#ended = once(child, 'exit');
        endWithThisProcess(child);
    }

    // http:     text of http{}, or (place) => text
    // conf:     the same for the whole file, then nothing is added but prefix
    // workers, master, level, module: false, expected: [RegExp of bad lines]
    // clock: true, for setForward()
    // under: (place) => words of a program that runs it, as valgrind
    // daemon: true, for upgrade(): NGINX refuses one while its parent lives
    static async start(options) {
        const place = options.place ?? await Place.make();
        writeConfiguration(place, options);

        const [program, ...words] = [...options.under?.(place) ?? [], kBinary,
            ...commandLine(place)];
        const child = spawn(program, words, {
            env: environment(place, options),
            stdio: ['ignore', 'ignore', 'inherit'],
        });
        const nginx = new Nginx(place, child, options.expected ?? []);

        try {
            await nginx.#listening();
            if (options.daemon) {
                await nginx.#isDaemon();
            }
        } catch (e) {
            child.kill('SIGTERM');
            place.remove();
            throw e;
        }

        return nginx;
    }

    // nginx -t: { code, output }
    static async test(options) {
        const place = options.place ?? await Place.make();
        writeConfiguration(place, options);

        try {
            const child = spawn(kBinary, [...commandLine(place), '-t'], {
                env: environment(place), stdio: ['ignore', 'pipe', 'pipe'],
            });
            const result = await collect(child);
            const found = sanitizerReports(place.prefix);
            if (found) {
                throw new Error(`sanitizer report:\n${found}`);
            }
            return result;
        } finally {
            if (!options.place) {
                place.remove();
            }
        }
    }

    // Of the master that the pid file names.
    get pid() {
        return this.#heir ?? this.#child.pid;
    }

    // Started with { clock: true }: it is now `seconds` later than it is, or
    // earlier when they are negative.
    setForward(seconds) {
        const sign = seconds < 0 ? '' : '+';
        const written = this.place.file('clock.new', `${sign}${seconds}\n`);
        fs.renameSync(written, path.join(this.place.prefix, 'clock'));
    }

    port(name) {
        return this.place.port(name);
    }

    // The error log, whole or from an earlier mark() on.
    log(from = 0) {
        return readIfThere(path.join(this.place.prefix, 'error.log'))
            .subarray(from).toString('utf8');
    }

    mark() {
        return readIfThere(path.join(this.place.prefix, 'error.log')).length;
    }

    // What the module itself has to say to an operator.
    complaints(from = 0) {
        return this.log(from).split('\n').filter((line) =>
            /\[(warn|error|crit)\]/.test(line) && / bff: /.test(line));
    }

    file(name) {
        return readIfThere(path.join(this.place.prefix, name)).toString('utf8');
    }

    workers() {
        return children(this.pid);
    }

    async reload() {
        await until('workers to replace', () => this.workers().length > 0);
        const before = this.workers();
        process.kill(this.pid, 'SIGHUP');

        await until('new workers after a reload', () =>
            this.workers().some((pid) => !before.includes(pid)));
        await until('old workers to leave', () =>
            !this.workers().some((pid) => before.includes(pid)));
        await this.#listening();
    }

    // A signal that comes before the workers is not heeded.
    async #isDaemon() {
        await within('the first process to leave', this.#ended);
        this.#follow();
        await until('workers', () => this.workers().length > 0);
    }

    // The pid file names another master than the one that was known.
    #follow() {
        const pid = Number(this.file('nginx.pid'));

        if (pid !== this.#child.pid) {
            this.#heir ?? process.on('exit', () => isAlive(this.#heir)
                && process.kill(this.#heir, 'SIGTERM'));
            this.#heir = pid;
        }
    }

    // A new binary is executed, and both serve; the old one's pid.
    async beginUpgrade() {
        const old = this.pid;
        process.kill(old, 'SIGUSR2');

        await until('a new master', () => {
            const pid = Number(this.file('nginx.pid'));
            return pid && pid !== old && children(pid).length > 0;
        });
        this.#follow();
        return old;
    }

    // The old master's workers end, then itself.
    async finishUpgrade(old) {
        process.kill(old, 'SIGWINCH');
        await until('the old workers to leave', () =>
            children(old).every((pid) => pid === this.#heir));
        process.kill(old, 'SIGQUIT');
        await until('the old master to leave', () => !isAlive(old));
    }

    async upgrade() {
        await this.finishUpgrade(await this.beginUpgrade());
    }

    // The old master serves again, and the new one goes.
    async rollBack(old) {
        const heir = this.#heir;

        process.kill(old, 'SIGWINCH');
        await until('the old workers to leave', () =>
            children(old).every((pid) => pid === heir));
        process.kill(old, 'SIGHUP');
        await until('the old workers to come back', () =>
            children(old).some((pid) => pid !== heir));
        process.kill(heir, 'SIGQUIT');
        await until('the new master to leave', () => !isAlive(heir)
            && Number(this.file('nginx.pid')) === old);
        this.#follow();
    }

    async killWorker(signal = 'SIGKILL') {
        const [victim] = this.workers();
        this.#expected.push(new RegExp(`process ${victim} exited on signal`));
        process.kill(victim, signal);
        await until('a new worker', () => {
            const now = this.workers();
            return now.length > 0 && !now.includes(victim);
        });
        return victim;
    }

    async stop() {
        if (this.#stopped) {
            return;
        }

        this.#stopped = true;
        await this.#quit();
        const found = this.#findings();

        if (found) {
            throw new Error(`${found}\n(kept: ${this.place.prefix})`);
        }

        this.place.remove();
    }

    async #quit() {
        if (isAlive(this.pid)) {
            process.kill(this.pid, 'SIGQUIT');
        }

        try {
            await (this.#heir
                ? until('NGINX to quit', () => !isAlive(this.#heir))
                : within('NGINX to quit', this.#ended));
        } catch (e) {
            children(this.pid).forEach((pid) => process.kill(pid, 'SIGKILL'));
            process.kill(this.pid, 'SIGKILL');
            throw e;
        }
    }

    #findings() {
        const lines = this.log().split('\n').filter((line) => kBad.test(line)
            && !this.#expected.some((known) => known.test(line)));

        return [...lines, sanitizerReports(this.place.prefix)]
            .filter(Boolean).join('\n');
    }

    async #listening() {
        await until('NGINX to listen', async () => {
            if (this.#child.exitCode) {
                throw new Error(`NGINX did not start:\n${this.log()}`);
            }

            const open = await Promise.all(this.place.used.map(canConnect));
            return open.every(Boolean) && this.file('nginx.pid') !== '';
        });
    }
}

// A test that failed half-way must neither hang nor leave a process behind.
export function endWithThisProcess(child) {
    const end = () => child.kill('SIGTERM');
    child.unref();
    process.on('exit', end);
    child.once('exit', () => process.off('exit', end));
}

function commandLine(place) {
    return ['-p', place.prefix, '-c', path.join(place.prefix, 'nginx.conf'),
        '-e', path.join(place.prefix, 'error.log')];
}

function writeConfiguration(place, options) {
    const text = (part) => typeof part === 'function' ? part(place) : part;
    place.file('nginx.conf',
        options.conf ? text(options.conf) : wholeFile(place, options, text));
}

function wholeFile(place, options, text) {
    const level = process.env.BFF_DEBUG ? 'debug' : options.level ?? 'info';

    return `
daemon ${options.daemon ? 'on' : 'off'};
master_process ${options.master ?? 'on'};
worker_processes ${options.workers ?? 1};
worker_shutdown_timeout 5s;
${process.getuid() === 0 ? 'user root;' : ''}
${options.clock ? kClockVariables : ''}
${process.env.BFF_SANITIZE ? kSanitizerVariables : ''}
error_log error.log ${level};
pid nginx.pid;
${options.module === false ? '' : `load_module ${kModule};`}
${text(options.main ?? '')}
events { worker_connections 512; }
http {
    access_log off;
    ${temporaryPaths()}
${text(options.http)}
}
`;
}

export function temporaryPaths() {
    return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((kind) => `${kind}_temp_path temp_${kind};`).join('\n    ');
}

// A clock that the test can set forward, by Debian's libfaketime. The
// monotonic one goes on as it is.
const kClock = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

// To skip a test that sets it, where it cannot be set.
export const kNoClock = process.env.BFF_SANITIZE
    ? 'libfaketime and ASan do not go together' : false;

// A worker's environment has only what the configuration names.
const kClockVariables = `env FAKETIME_TIMESTAMP_FILE; env FAKETIME_NO_CACHE;
env FAKETIME_DONT_FAKE_MONOTONIC; env DONT_FAKE_MONOTONIC;`;

// Of any process that shall go by the clock of this place.
export function clockEnvironment(place) {
    return {
        LD_PRELOAD: [process.env.BFF_SANITIZE && preload(), kClock]
            .filter(Boolean).join(':'),
        FAKETIME_TIMESTAMP_FILE: place.file('clock', '+0\n'),
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
    };
}

function environment(place, options = {}) {
    return { ...process.env, ...sanitizerEnvironment(place),
        ...options.clock ? clockEnvironment(place) : {} };
}

function sanitizerEnvironment(place) {
    if (!process.env.BFF_SANITIZE) {
        return {};
    }

    const log = path.join(place.prefix, 'sanitizer');

    return {
        LD_PRELOAD: preload(),
        ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=1`
            + `:log_path=${log}.asan:detect_stack_use_after_return=1`
            + ':detect_odr_violation=0', // names of generated files, in each
        LSAN_OPTIONS: `suppressions=${kHere}/lsan.supp:print_suppressions=0`,
        UBSAN_OPTIONS: `log_path=${log}.ubsan:print_stacktrace=1`,
    };
}

// What a new binary is executed with, too; and an alert of NGINX's own about
// its inner state ends the process, so that it cannot be missed.
const kSanitizerVariables = `env LD_PRELOAD; env ASAN_OPTIONS;
env LSAN_OPTIONS; env UBSAN_OPTIONS; debug_points abort;`;

let preloaded;

function preload() {
    return preloaded ??= ['libasan.so', 'libubsan.so'].map((name) =>
        execFileSync('gcc', [`-print-file-name=${name}`]).toString().trim(),
    ).join(':');
}

function sanitizerReports(prefix) {
    return fs.readdirSync(prefix)
        .filter((name) => name.startsWith('sanitizer.'))
        .map((name) => fs.readFileSync(path.join(prefix, name), 'utf8'))
        .join('\n');
}

function readIfThere(file) {
    try {
        return fs.readFileSync(file);
    } catch (e) {
        if (e.code === 'ENOENT') {
            return Buffer.alloc(0); // or no more, in this very moment
        }
        throw e;
    }
}

function whole(program) {
    const found = program.includes('/') ? program : (process.env.PATH ?? '')
        .split(':').map((folder) => path.join(folder, program))
        .find((file) => fs.existsSync(file));

    return found ?? program;
}

// Whoever has ended and was not asked after yet counts as gone.
export function isAlive(pid) {
    try {
        return !/^\d+ \(.*\) Z/.test(
            fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
        return false;
    }
}

// The memory that a process holds for the next binary: [{ name, file }], the
// file as a path that can be opened.
export function heirlooms(pid) {
    return fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        const file = `/proc/${pid}/fd/${fd}`;
        const name = /^\/memfd:ngx_http_bff:(.*) \(deleted\)$/.exec(
            linkOf(file))?.[1];
        return name ? [{ name, file }] : [];
    });
}

function linkOf(file) {
    try {
        return fs.readlinkSync(file);
    } catch {
        return ''; // closed meanwhile
    }
}

export function children(pid) {
    const file = `/proc/${pid}/task/${pid}/children`;

    try {
        return fs.readFileSync(file, 'utf8').trim().split(' ')
            .filter(Boolean).map(Number);
    } catch {
        return [];
    }
}

function canConnect(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.once('connect', () => socket.destroy() && resolve(true));
        socket.once('error', () => resolve(false));
    });
}

async function collect(child) {
    let output = '';
    child.stdout.on('data', (data) => { output += data; });
    child.stderr.on('data', (data) => { output += data; });
    const [code] = await within('nginx -t', once(child, 'close'), kPatience);
    return { code, output };
}
