// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Throwaway certificates from the openssl command line.
//
// One authority for each process, made on first use and removed at exit, and
// further ones for the tests that want a wrong one.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export class Authority {
    #dir;
    #count = 0;

    constructor(name = 'bff test CA') {
        this.#dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bff-pki-'));
        process.on('exit', () => fs.rmSync(this.#dir, { recursive: true }));

        fs.writeFileSync(this.#at('index.txt'), '');
        fs.writeFileSync(this.#at('crlnumber'), '01\n');
        fs.writeFileSync(this.#at('ca.cnf'), caConfiguration(this.#dir));
        this.#makeRoot(name);
    }

    get certificate() {
        return this.#at('ca.crt');
    }

    get text() {
        return fs.readFileSync(this.certificate, 'latin1');
    }

    // { certificate, key }: files of a server certificate for these names,
    // or of a client's.
    issue({ names = [], addresses = [], expired = false, client = false } = {}) {
        const base = this.#at(`leaf${++this.#count}`);
        const files = { certificate: `${base}.crt`, key: `${base}.key` };

        fs.writeFileSync(`${base}.ext`, client ? kClientExtensions
            : leafExtensions(names, addresses));
        openssl('req', '-new', ...kNewKey, '-keyout', files.key,
            '-out', `${base}.csr`, '-subj', `/CN=leaf ${this.#count}`);
        openssl('ca', '-config', this.#at('ca.cnf'), '-batch', '-notext',
            '-in', `${base}.csr`, '-out', files.certificate,
            '-extfile', `${base}.ext`, ...validity(expired));

        return files;
    }

    // The same, signed by nobody but itself.
    selfSigned() {
        const base = this.#at(`leaf${++this.#count}`);
        const files = { certificate: `${base}.crt`, key: `${base}.key` };

        openssl('req', '-x509', ...kNewKey, '-keyout', files.key,
            '-out', files.certificate, '-subj', `/CN=self ${this.#count}`,
            '-days', '30');
        return files;
    }

    revoke({ certificate }) {
        openssl('ca', '-config', this.#at('ca.cnf'), '-revoke', certificate);
    }

    // The file of a list of what was revoked so far.
    crl() {
        const file = this.#at(`crl${++this.#count}.pem`);
        openssl('ca', '-config', this.#at('ca.cnf'), '-gencrl',
            '-crldays', '30', '-out', file);
        return file;
    }

    #makeRoot(name) {
        openssl('req', '-x509', ...kNewKey, '-keyout', this.#at('ca.key'),
            '-out', this.certificate, '-subj', `/CN=${name}`, '-days', '30',
            '-config', this.#at('ca.cnf'), '-extensions', 'root');
    }

    #at(file) {
        return path.join(this.#dir, file);
    }
}

let shared;

export function authority() {
    return shared ??= new Authority();
}

let sharedLeaf;

// What NGINX and a well-behaved provider use unless a test says otherwise.
export function serverCertificate() {
    return sharedLeaf ??= authority().issue({
        names: ['localhost', 'shop.test', '*.shop.test', 'id.test', '*.test'],
        addresses: ['127.0.0.1', '::1'],
    });
}

const kNewKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
    '-nodes'];

const kClientExtensions = 'basicConstraints=critical,CA:FALSE\n'
    + 'extendedKeyUsage=clientAuth\n';

function openssl(...args) {
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function validity(expired) {
    return expired
        ? ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z']
        : ['-days', '30'];
}

function leafExtensions(names, addresses) {
    const all = [...names.map((n) => `DNS:${n}`),
        ...addresses.map((a) => `IP:${a}`)];

    return 'basicConstraints=critical,CA:FALSE\n'
        + 'extendedKeyUsage=serverAuth\n'
        + `subjectAltName=${all.join(',')}\n`;
}

function caConfiguration(dir) {
    return `
[ca]
default_ca = main
[main]
database = ${dir}/index.txt
new_certs_dir = ${dir}
rand_serial = yes
crlnumber = ${dir}/crlnumber
certificate = ${dir}/ca.crt
private_key = ${dir}/ca.key
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
`;
}
