// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Debian's Apache with mod_auth_openidc before the same upstream: one process
// with as many threads as there are connections, sessions in the cookie or in
// its shared memory, logged in at the scriptable provider.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { Place } from '../lib/nginx.mjs';
import { Provider } from '../lib/provider.mjs';
import { kProxyCpu, Server } from './servers.mjs';
import { kOut } from './sessions.mjs';

const kModules = '/usr/lib/apache2/modules';
const kThreads = 64;
const kSite = 'http://shop.test';

// type: of OIDCSessionType, 'client-cookie' or 'server-cache'; token: what the
// provider gives. { server, sessions: { apache } }, as one of a fleet.
export async function startApache(upstream, type, token) {
    const op = await Provider.start();
    op.accessToken = () => token;
    op.claims = (usual) => ({ ...usual, groups: Array.from({ length: 4 },
        (_, i) => `a-group-of-people-${i}-01234567890123456789`) });

    const server = await start((at) => configuration(at, upstream, op, type));
    try {
        const cookie = await logIn(server.ports.main, op);
        const file = path.join(kOut, `apache-${type}.cookie`);
        fs.writeFileSync(file, `${cookie}\n`);
        return { server, sessions: { apache: { first: file, count: 1,
            length: cookie.length } } };
    } finally {
        await op.stop();
    }
}

const configuration = (at, upstream, op, type) => `
ServerRoot ${at.prefix}
ServerName shop.test
DefaultRuntimeDir ${at.prefix}
PidFile ${at.prefix}/apache.pid
ErrorLog ${at.prefix}/error.log
LogLevel error
Listen ${at.plain()}
${process.getuid() === 0 ? 'User www-data\nGroup www-data' : ''}
${modules(['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'headers',
        'proxy', 'proxy_http', 'auth_openidc'])}

StartServers 1
ServerLimit 1
ThreadLimit ${kThreads}
ThreadsPerChild ${kThreads}
MaxRequestWorkers ${kThreads}
MinSpareThreads 1
MaxSpareThreads ${kThreads}
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 3600

OIDCProviderMetadataURL ${op.issuer}/.well-known/openid-configuration
OIDCClientID ${op.client.id}
OIDCClientSecret "${op.client.secret}"
OIDCRedirectURI ${kSite}/callback
OIDCCryptoPassphrase "a passphrase of this bench"
OIDCPKCEMethod S256
OIDCSessionType ${type}
OIDCSessionInactivityTimeout 3600
OIDCCacheType shm
OIDCPassClaimsAs environment
OIDCStripCookies mod_auth_openidc_session

ProxyPass /callback !
ProxyPass / http://127.0.0.1:${upstream.ports.main}/ keepalive=On
<Location />
    AuthType openid-connect
    Require valid-user
    RequestHeader set Authorization "Bearer %{OIDC_access_token}e"
</Location>
`;

function modules(names) {
    return names.map((name) => `LoadModule ${name}_module ${kModules}/mod_${
        name}.so`).join('\n');
}

async function start(text) {
    const place = await Place.make();
    const port = place.port();
    const file = place.file('apache.conf', text(place));
    fs.chmodSync(place.prefix, 0o755);

    const out = fs.openSync(path.join(place.prefix, 'out'), 'w');
    const child = spawn('taskset', ['-c', kProxyCpu, 'apache2', '-f', file,
        '-D', 'FOREGROUND'], { stdio: ['ignore', out, out] });
    const server = new Server(place, child, { main: port });
    await server.listening();
    return server;
}

// The Cookie header of a session.
async function logIn(port, op) {
    const there = await get(port, '/api/orders');
    const back = new URL(op.approve(there.headers.location));
    const end = await get(port, back.pathname + back.search,
        cookiesOf(there));
    const cookie = cookiesOf(end);

    if (!/mod_auth_openidc_session/.test(cookie)) {
        throw new Error(`mod_auth_openidc let nobody in: ${end.statusCode}`);
    }
    return cookie;
}

function cookiesOf(answer) {
    return (answer.headers['set-cookie'] ?? []).map((line) =>
        line.split(';')[0]).filter((pair) => !pair.endsWith('=')).join('; ');
}

function get(port, target, cookie = '') {
    return new Promise((resolve, reject) => http.get({ port, path: target,
        host: '127.0.0.1', headers: { Host: 'shop.test', Accept: 'text/html',
            'User-Agent': 'bench', ...cookie ? { Cookie: cookie } : {} } },
    (answer) => { answer.resume(); resolve(answer); }).on('error', reject));
}
