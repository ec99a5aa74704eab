// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// LemonLDAP::NG's portal as an OpenID provider, with a folder of its own.
//
// Its demonstration accounts are built in: dwho has the password dwho. The
// portal is one Perl process, without any web server in front.

import { generateKeyPairSync } from 'node:crypto';

import { freePort } from '../../lib/ports.mjs';
import { Program, fileOf } from './unpacked.mjs';

const kName = 'lemonldap-ng';
const kPlackup = 'usr/bin/plackup';
const kHtdocs = 'usr/share/lemonldap-ng/portal/htdocs/index.psgi';
const kTemplates = 'usr/share/lemonldap-ng/portal/templates';

export class LemonldapNg {
    // clients: { name: options of this relying party }
    static async start(at, clients) {
        const op = new LemonldapNg();
        op.at = at;
        op.clients = clients;
        op.port = await freePort();
        op.issuer = `http://auth.localhost:${op.port}/`;
        op.write({ kid: 'first' });
        await op.run();
        return op;
    }

    // New keys, as the operator's next configuration has them.
    async rotate(kid) {
        await this.stop();
        this.write({ kid });
        await this.run();
    }

    async run() {
        const place = `${this.at.prefix}/llng`;

        this.program = await Program.start(kName, kPlackup, this.port, {
            arguments: ['--env', 'deployment', '--host', '127.0.0.1',
                '--port', String(this.port), fileOf(kName, kHtdocs)],
            environment: { LLNG_DEFAULTCONFFILE: `${place}/lemonldap-ng.ini` },
            perl: `${place}/perl` });
    }

    get output() {
        return this.program.output;
    }

    stop() {
        return this.program.stop();
    }

    write({ kid }) {
        const { at } = this;
        const place = `${at.prefix}/llng`;

        at.file('llng/lemonldap-ng.ini', `[all]
logLevel = warn
[configuration]
type = File
dirName = ${place}/conf
[portal]
staticPrefix = /static
templateDir = ${fileOf(kName, kTemplates)}
languages = en
`);
        at.file('llng/perl/NoCaptcha.pm', kNoCaptcha);
        for (const folder of ['sessions/lock', 'persistent/lock', 'cache']) {
            at.file(`llng/${folder}/.there`, '');
        }
        at.file('llng/conf/lmConf-1.json', JSON.stringify({
            ...this.portal(place), ...signatureKeys(kid),
            ...relyingParties(this.clients) }));
    }

    portal(place) {
        const storage = (folder) => ({ Directory: `${place}/${folder}`,
            LockDirectory: `${place}/${folder}/lock` });

        return {
            cfgNum: 1, cfgDate: 1, cfgVersion: '2.16.1', portal: this.issuer,
            domain: 'auth.localhost', cookieName: 'lemonldap', securedCookie: 0,
            authentication: 'Demo', userDB: 'Same', passwordDB: 'Null',
            registerDB: 'Null', captcha: 'NoCaptcha',
            portalDisplayResetPassword: 0, portalDisplayRegister: 0,
            demoExportedVars: { cn: 'cn', mail: 'mail', uid: 'uid' },
            whatToTrace: 'uid', groups: {}, macros: {}, exportedVars: {},
            locationRules: { 'auth.localhost': { default: 'accept' } },
            globalStorage: 'Apache::Session::File',
            globalStorageOptions: storage('sessions'),
            persistentStorage: 'Apache::Session::File',
            persistentStorageOptions: storage('persistent'),
            localSessionStorage: 'Cache::FileCache',
            localSessionStorageOptions: { cache_root: `${place}/cache`,
                namespace: 'sessions', default_expires_in: 600 },
            issuerDBOpenIDConnectActivation: 1,
            issuerDBOpenIDConnectPath: '^/oauth2/',
            issuerDBOpenIDConnectRule: '1',
            oidcServiceAllowAuthorizationCodeFlow: 1,
        };
    }
}

// The portal loads a captcha whether one is used or not, and its own one needs
// a graphics library.
const kNoCaptcha = `package NoCaptcha;
use Mouse;
extends 'Lemonldap::NG::Portal::Main::Plugin';
sub init { 1 }
1;
`;

function signatureKeys(kid) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
        modulusLength: 2048,
        privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' } });

    return { oidcServicePrivateKeySig: privateKey,
        oidcServicePublicKeySig: publicKey, oidcServiceKeyIdSig: kid };
}

function relyingParties(clients) {
    const each = (make) => Object.fromEntries(
        Object.entries(clients).map(([name, own]) => [name, make(name, own)]));

    return {
        oidcRPMetaDataExportedVars: each(() =>
            ({ name: 'cn', email: 'mail', preferred_username: 'uid' })),
        oidcRPMetaDataOptions: each((name, { secret, origin, ...own }) => ({
            oidcRPMetaDataOptionsClientID: name,
            oidcRPMetaDataOptionsClientSecret: secret,
            oidcRPMetaDataOptionsRedirectUris: `${origin}/bff/callback`,
            oidcRPMetaDataOptionsPostLogoutRedirectUris: `${origin}/`,
            oidcRPMetaDataOptionsIDTokenSignAlg: 'RS256', ...own })),
    };
}
