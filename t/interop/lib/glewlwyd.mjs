// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Glewlwyd as an OpenID provider, with a database of its own.
//
// It is set up as an administrator would, over its API. Its pages are scripts,
// so what they ask and where they go is done here in their place. Each
// signature algorithm is an instance of its OpenID Connect plugin, and that is
// an issuer of its own.

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';

import { Browser } from '../../lib/browser.mjs';
import { freePort } from '../../lib/ports.mjs';
import { Program, environmentOf, fileOf } from './unpacked.mjs';

const kName = 'glewlwyd';
const kSchema = 'usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';

const kKeys = {
    ES256: ['ec', { namedCurve: 'P-256' }],
    ES512: ['ec', { namedCurve: 'P-521' }],
    PS256: ['rsa', { modulusLength: 2048 }],
    EdDSA: ['ed25519'],
};

export class Glewlwyd {
    // algorithms: of kKeys; clients: { name: properties of this client }
    static async start(at, algorithms, clients) {
        const op = new Glewlwyd();
        op.port = await freePort();
        op.origin = `http://127.0.0.1:${op.port}`;
        op.program = await Program.start(kName, 'usr/bin/glewlwyd', op.port,
            { arguments: [`--config-file=${op.configuration(at)}`] });
        await op.setUp(algorithms, clients);
        return op;
    }

    issuer(algorithm) {
        return `${this.origin}/api/${algorithm}`;
    }

    get output() {
        return this.program.output;
    }

    stop() {
        return this.program.stop();
    }

    // What its login page does for somebody who logs in and lets the client
    // know who it is; then on to the page that comes next.
    async login(browser, page, username, password) {
        const asked = page.url.searchParams;

        await this.ask(browser, 'POST', 'auth/', { username, password });
        await this.ask(browser, 'PUT', `auth/grant/${asked.get('client_id')}`,
            { scope: asked.get('scope') });
        return browser.navigate(`${asked.get('callback_url')}&g_continue`,
            { from: 'same-origin' });
    }

    // And what it does for somebody who confirms that the session shall end.
    async logout(browser, page) {
        const asked = page.url.searchParams;

        await this.ask(browser, 'DELETE',
            `${asked.get('plugin')}/session/${asked.get('sid')}`);
        await this.ask(browser, 'DELETE', 'auth/');
        return browser.navigate(asked.get('callback_url'),
            { from: 'cross-site' });
    }

    async ask(browser, method, path, content) {
        const body = content ? JSON.stringify(content) : '';
        const answer = await browser.request(`${this.origin}/api/${path}`, {
            method, body, headers: { 'Content-Type': 'application/json',
                'Content-Length': Buffer.byteLength(body) } });

        if (answer.status !== 200) {
            throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`
                + `\n${this.output}`);
        }
        return answer;
    }

    async setUp(algorithms, clients) {
        const admin = new Browser(this.origin);
        const ask = (...request) => this.ask(admin, ...request);

        await ask('POST', 'auth/', { username: 'admin', password: 'password' });
        await this.allowLogout(ask);
        for (const algorithm of algorithms) {
            await ask('POST', 'mod/plugin/', this.plugin(algorithm));
        }
        for (const [client_id, properties] of Object.entries(clients)) {
            await ask('POST', 'client/', { client_id, ...kClient,
                ...properties });
        }
        await ask('POST', 'user/', { username: 'alice', password: 'open sesame',
            name: 'Alice Archer', email: 'alice@example.com', enabled: true,
            scope: ['openid'] });
    }

    // Its end_session endpoint knows post_logout_redirect_uris, a list; the
    // properties that clients have from the start are without it, and without
    // the one for the back channel.
    async allowLogout(ask) {
        const backend = (await ask('GET', 'mod/client/database')).json();
        Object.assign(backend.parameters['data-format'], {
            post_logout_redirect_uris:
                { multiple: true, read: true, write: true },
            backchannel_logout_uri: { read: true, write: true },
        });
        await ask('PUT', 'mod/client/database', backend);
        await ask('PUT', 'mod/client/database/reset');
    }

    plugin(algorithm) {
        return { module: 'oidc', name: algorithm, display_name: algorithm,
            order_rank: 0, enabled: true, parameters: {
                iss: this.issuer(algorithm), 'subject-type': 'public',
                'jwks-private': privateKeys(algorithm), 'jwks-show': true,
                'access-token-duration': 3600, 'code-duration': 60,
                'refresh-token-duration': 7200, 'refresh-token-rolling': true,
                'auth-type-code-enabled': true,
                'auth-type-refresh-enabled': true, 'pkce-allowed': true,
                'back-channel-logout-allowed': true,
                'introspection-revocation-allowed': true,
                'introspection-revocation-allow-target-client': true,
                'allowed-scope': ['openid'],
                'name-claim': 'mandatory', 'email-claim': 'mandatory',
                'oauth-as-iss-id': true, 'session-management-allowed': true,
                'session-cookie-name': `sid-${algorithm}`,
                'session-cookie-expiration': 3600 } };
    }

    configuration(at) {
        const database = at.file('glewlwyd/database', '');
        execFileSync(fileOf(kName, 'usr/bin/sqlite3'), [database], {
            input: fs.readFileSync(fileOf(kName, kSchema)),
            env: { ...process.env, ...environmentOf(kName) } });

        const modules = fileOf(kName, 'usr/lib/glewlwyd');
        return at.file('glewlwyd/glewlwyd.conf', `
port = ${this.port}
bind_address = "127.0.0.1"
external_url = "${this.origin}"
login_url = "login.html"
api_prefix = "api"
static_files_path = "${fileOf(kName, 'usr/share/glewlwyd/webapp')}"
log_mode = "console"
log_level = "INFO"
cookie_domain = "127.0.0.1"
cookie_secure = 0
session_key = "GLEWLWYD2_SESSION_ID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "${modules}/user"
client_module_path = "${modules}/client"
user_auth_scheme_module_path = "${modules}/scheme"
plugin_module_path = "${modules}/plugin"
hash_algorithm = "SHA512"
database = { type = "sqlite3"; path = "${database}" };
`);
    }
}

const kClient = { enabled: true, confidential: true, scope: [],
    authorization_type: ['code', 'refresh_token'],
    token_endpoint_auth_method: ['client_secret_basic'] };

function privateKeys(algorithm) {
    const { privateKey } = generateKeyPairSync(...kKeys[algorithm]);
    return JSON.stringify({ keys: [{ ...privateKey.export({ format: 'jwk' }),
        alg: algorithm, kid: `of-${algorithm}` }] });
}
