// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Workers that end while something is under way, and reloads that fail or
// that change who is trusted: nobody is left without an answer, nothing
// crashes, and what runs on runs as before.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertLoggedIn, assertRefused, kKey } from '../lib/checks.mjs';
import { Dns } from '../lib/dns.mjs';
import { Authority, authority } from '../lib/pki.mjs';
import { exchange, parseAnswer } from '../lib/raw.mjs';
import { attempt, play } from '../lib/stage.mjs';
import { until } from '../lib/wait.mjs';
import * as wire from '../lib/wire.mjs';

const kFile = '0123456789'.repeat(5000);
const kWaiting = 16;

const configuration = (more = () => '') => (s) => `
    bff_provider corp {
        issuer ${s.op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        timeout 10s;
        ${more(s)}
    }

    server {
        listen ${s.at.tls()};
        listen ${s.at.plain('plain')} reuseport;
        root ${s.at.prefix}/www;

        location / { }
        location /api/ { bff corp; proxy_pass http://${s.api.address}; }
        location = /status { stub_status; }
    }
`;

function change(s, edit) {
    s.at.file('nginx.conf', edit(s.nginx.file('nginx.conf')));
}

// --- a worker that ends while a name is looked up ---

// A name server that is asked and does not answer.
async function silentDns() {
    const dns = await Dns.start({});
    dns.asked = 0;
    dns.socket.removeAllListeners('message');
    dns.socket.on('message', () => { dns.asked++; });
    return dns;
}

function whileResolving(name, act) {
    const resolver = (s) =>
        `insecure_http on; resolver 127.0.0.1:${s.dns.port};`;

    test(name, () => play(configuration(resolver), {
        provider: { host: 'id.test' },
        prepare: async (s) => { s.dns = await silentDns(); },
        finish: (s) => s.dns?.stop(),
    }, async (s) => {
        const lost = s.browser().navigate('/bff/login', { follow: false })
            .catch(() => 'lost');
        await until('the question', () => s.dns.asked > 0);
        await act(s);
        assert.equal(await lost, 'lost');
    }));
}

whileResolving('a worker ends while a name is looked up', async (s) => {
    const [old] = s.nginx.workers();
    process.kill(old, 'SIGTERM');
    await until('a new worker', () => {
        const now = s.nginx.workers();
        return now.length > 0 && !now.includes(old);
    });
});

whileResolving('NGINX ends while a name is looked up', async (s) => {
    process.kill(s.nginx.pid, 'SIGTERM');
    await until('the end', () => /\bexit\n/.test(s.nginx.log()));
});

// --- a reload that fails ---

// What the master forks after the failure is what it was before.
function failedReload(name, edit) {
    test(`a reload that fails (${name}), then a worker dies`, () =>
        play(configuration(), {
            expected: [/\[emerg\]/],
            prepare: ({ at }) => at.file('www/file.txt', kFile),
        }, async (s) => {
            change(s, edit);
            process.kill(s.nginx.pid, 'SIGHUP');
            await until('the failure', () => /\[emerg\]/.test(s.nginx.log()));
            await s.nginx.killWorker();

            const { answer, browser } = await attempt(s);
            assertLoggedIn(answer);
            assert.equal((await browser.api('/api/x')).status, 200);
            await assertFiles(browser);
        }));
}

async function assertFiles(browser) {
    const whole = await browser.request('/file.txt');
    const part = await browser.request('/file.txt',
        { headers: { Range: 'bytes=2-4' } });
    const known = await browser.request('/file.txt', { headers: {
        'If-Modified-Since': whole.headers['last-modified'] } });

    assert.equal(whole.body, kFile);
    assert.deepEqual([part.status, part.body], [206, '234']);
    assert.equal(known.status, 304);
}

failedReload('an unknown provider', (text) =>
    text.replace('bff corp;', 'bff nosuch;'));

failedReload('an unknown directive', (text) =>
    text.replace('bff corp;', 'bff corp; nosuch on;'));

failedReload('no provider any more, and a log that cannot be', (text) => text
    .replace(/bff_provider corp \{[^}]*\}/, '').replace('bff corp;', '')
    .replace('location / {', 'access_log /nowhere/log; location / {'));

// --- a reload while workers wait for each other ---

async function startLogin(s) {
    const port = s.at.port('plain');
    const text = await exchange(port, 'GET /bff/login HTTP/1.1\r\n'
        + `Host: 127.0.0.1:${port}\r\nConnection: close\r\n`
        + 'Accept: text/html\r\n\r\n');

    return parseAnswer(text).status;
}

async function underWay(s) {
    const { body } = await s.browser().request('/status');
    return Number(/Writing: (\d+)/.exec(body)[1]) - 1;
}

test('a reload while workers wait for what another one fetches', () =>
    play(configuration(), { workers: 4 }, async (s) => {
        let open;
        const opened = new Promise((resolve) => { open = resolve; });
        s.op.wire.metadata = (socket, answer) =>
            opened.then(() => wire.plain(socket, answer));

        const all = Array.from({ length: kWaiting }, () => startLogin(s));
        await until('all to wait', async () => await underWay(s) === kWaiting
            && s.op.calls('metadata').length > 0);
        process.kill(s.nginx.pid, 'SIGHUP');
        await until('all old workers to know', () => s.nginx.log()
            .match(/gracefully shutting down/g)?.length === 4);
        open();

        assert.deepEqual(await Promise.all(all), Array(kWaiting).fill(302));
    }));

// --- a reload that trusts others ---

// first and then: the lines of bff_provider before and after the reload.
function distrusts(name, first, then) {
    const other = new Authority('other');
    const tls = other.issue({ names: ['localhost'] });

    test(`${name}: what was fetched before is not believed`, () =>
        play(configuration(() => first(other)), {
            provider: { host: 'localhost', tls },
        }, async (s) => {
            assertLoggedIn((await attempt(s)).answer);
            change(s, (text) => text.replace(first(other), then()));
            await s.nginx.reload();

            const start = await s.browser().navigate('/bff/login',
                { follow: false });
            assertRefused(start, 503, 'provider_unavailable');
            assert.match(s.nginx.complaints().at(-1), /certificate|verify/i);
        }));
}

const trust = (who) => `ssl_trusted_certificate ${who.certificate};`;

distrusts('ssl_verify is switched on', () => 'ssl_verify off;',
    () => trust(authority()));
distrusts('ssl_trusted_certificate names another authority', trust,
    () => trust(authority()));
