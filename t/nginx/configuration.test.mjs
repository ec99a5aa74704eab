// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What nginx -t accepts and what it refuses, each refusal with the name of the
// directive and with what to do about it.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { Nginx, Place } from '../lib/nginx.mjs';
import { authority } from '../lib/pki.mjs';

// A provider that is right, with members changed, added or (null) left out.
function provider(change = {}, name = 'corp') {
    const members = { issuer: 'https://id.example.com', client_id: 'shop',
        client_secret: 'secret', ...change };

    return `bff_provider ${name} {\n${lines(members)}}\n`;
}

function lines(members) {
    return Object.entries(members).filter(([, value]) => value !== null)
        .flatMap(([key, value]) => [value].flat().map((v) => `${key} ${v};\n`))
        .join('');
}

function server(content = 'location /api/ { bff corp; }') {
    return `server { listen 127.0.0.1:18080; server_name a; ${content} }\n`;
}

// So that no metadata is asked for.
function byHand() {
    return { authorization_endpoint: 'https://id.example.com/a',
        token_endpoint: 'https://id.example.com/t',
        jwks_uri: 'https://id.example.com/k' };
}

const kSixtyFour = '00ff'.repeat(16);

const kLeaf = authority().issue({ client: true });
const kOther = authority().issue({ client: true });
const kFiles = keyFiles();

// Keys that nobody should sign with.
function keyFiles() {
    const place = fs.mkdtempSync(path.join(os.tmpdir(), 'bff-keys-'));
    process.on('exit', () => fs.rmSync(place, { recursive: true }));

    const ec = (namedCurve) => crypto.generateKeyPairSync('ec', { namedCurve });
    const pem = { type: 'pkcs8', format: 'pem' };
    const texts = {
        encrypted: ec('P-256').privateKey.export({ ...pem,
            cipher: 'aes-128-cbc', passphrase: 'secret' }),
        public: ec('P-256').publicKey.export({ ...pem, type: 'spki' }),
        weak: crypto.generateKeyPairSync('rsa', { modulusLength: 1024 })
            .privateKey.export(pem),
        curve: ec('secp256k1').privateKey.export(pem),
    };
    const file = (name) => path.join(place, name);

    Object.entries(texts).forEach(([name, text]) =>
        fs.writeFileSync(file(name), text));
    return Object.fromEntries(Object.keys(texts).map((n) => [n, file(n)]));
}

// [what, http{}, what the message names, the remedy]
const kRefused = [
    ['a provider without issuer', provider({ issuer: null }),
        /"issuer"/, /corp/],
    ['an issuer that is no URL', provider({ issuer: 'id.example.com' }),
        /"issuer"/, /https|URL/],
    ['an issuer with a query', provider({ issuer: 'https://id.example.com/?a' }),
        /"issuer"/, /query|URL/],
    ['an issuer with a fragment',
        provider({ issuer: '"https://id.example.com/#a"' }),
        /"issuer"/, /fragment|URL/],
    ['an http issuer off loopback',
        provider({ issuer: 'http://id.example.com' }),
        /"issuer"/, /https|insecure_http/],
    ['a provider without client_id', provider({ client_id: null }),
        /"client_id"/, /corp/],
    ['BFF-1: a provider without credentials', provider({ client_secret: null }),
        /client_secret/, /corp/],
    ['a secret file that is not there',
        provider({ client_secret: 'file:/nowhere/secret' }),
        /client_secret/, /\/nowhere\/secret/],
    ['a secret file that is a folder',
        provider({ client_secret: 'file:/etc' }),
        /"client_secret"/, /directory/],
    ['a client_id file that is not there',
        provider({ client_id: 'file:/nowhere/id' }),
        /"client_id"/, /\/nowhere\/id/],
    ['a key file without a key',
        provider({ session_key: 'file:/dev/null' }),
        /"session_key"/, /64 hex digits/],
    ['an unknown client_auth', provider({ client_auth: 'magic' }),
        /"client_auth"|client_auth/, /magic|client_secret_basic/],
    ['client_auth client_secret_post without a secret',
        provider({ client_secret: null, client_auth: 'client_secret_post' }),
        /client_secret/, /corp|client_auth/],
    ['client_auth private_key_jwt without a key',
        provider({ client_auth: 'private_key_jwt' }),
        /"client_key"/, /private_key_jwt/],
    ['client_auth client_secret_jwt with a short secret',
        provider({ client_auth: 'client_secret_jwt' }),
        /"client_secret"/, /32 octets/],
    ['MT-1: client_auth tls_client_auth without a certificate',
        provider({ client_auth: 'tls_client_auth' }),
        /"client_certificate"/, /"client_certificate_key"/],
    ['MT-1: client_auth tls_client_auth where there is no TLS',
        provider({ issuer: 'http://localhost:81', client_secret: null,
            client_auth: 'tls_client_auth', client_certificate: kLeaf.certificate,
            client_certificate_key: kLeaf.key }),
        /"client_auth tls_client_auth"/, /https/],
    ['a certificate, and nothing that says how it is registered',
        provider({ client_secret: null, client_certificate: kLeaf.certificate,
            client_certificate_key: kLeaf.key }),
        /"client_auth"/, /self_signed_tls_client_auth/],
    ['a client_certificate without its key',
        provider({ client_certificate: kLeaf.certificate }),
        /"client_certificate_key"/, /together/],
    ['a client_certificate_key without its certificate',
        provider({ client_certificate_key: kLeaf.key }),
        /"client_certificate"/, /together/],
    ['the key of another client_certificate',
        provider({ client_certificate: kLeaf.certificate,
            client_certificate_key: kOther.key }),
        /"client_certificate_key" is not the key/, /certificate was made for/],
    ['an encrypted client_certificate_key',
        provider({ client_certificate: kLeaf.certificate,
            client_certificate_key: kFiles.encrypted }),
        /"client_certificate_key"/, /is encrypted.*decrypt it/],
    ['a client_certificate that is not there',
        provider({ client_certificate: '/nowhere/a.crt',
            client_certificate_key: kLeaf.key }),
        /"client_certificate"/, /\/nowhere\/a\.crt/],
    ['a client_certificate that is none',
        provider({ client_certificate: kLeaf.key,
            client_certificate_key: kLeaf.key }),
        /"client_certificate"/, /PEM/],
    ['a client_key that is not there', provider({ client_key: '/nowhere/k' }),
        /"client_key"/, /\/nowhere\/k/],
    ['a client_key that is a folder', provider({ client_key: '/etc' }),
        /"client_key"/, /\/etc/],
    ['an encrypted client_key', provider({ client_key: kFiles.encrypted }),
        /"client_key"/, /is encrypted.*decrypt it/],
    ['a client_key that is public', provider({ client_key: kFiles.public }),
        /"client_key"/, /no private key/],
    ['a client_key that is no key', provider({ client_key: '/dev/null' }),
        /"client_key"/, /neither PEM nor a JWK/],
    ['a client_key of 1024 bits', provider({ client_key: kFiles.weak }),
        /"client_key"/, /1024 bits.*2048/],
    ['a client_key on another curve', provider({ client_key: kFiles.curve }),
        /"client_key"/, /secp256k1.*P-256/],
    ['an alg that client_key does not fit',
        provider({ client_key: `${kLeaf.key} alg=RS256` }),
        /"client_key"/, /alg=ES256/],
    ['an alg of client_key that is unknown',
        provider({ client_key: `${kLeaf.key} alg=none` }),
        /"client_key"/, /alg=none.*RS256/],
    ['a third word behind client_key',
        provider({ client_key: `${kLeaf.key} use=sig` }),
        /"client_key"/, /use=sig.*kid=/],
    ['CA-4: the same client_key twice',
        provider({ client_key: [kLeaf.key, kLeaf.key] }),
        /"client_key"/, /kid=/],
    ['a public client with a key',
        provider({ client_secret: null, client_auth: 'none',
            client_key: kLeaf.key }),
        /"client_auth none"/, /"client_key"/],
    ['KEY-1: id_token_alg none', provider({ id_token_alg: 'none' }),
        /id_token_alg/, /none/],
    ['UI-6: userinfo on with all endpoints by hand but its own',
        provider({ userinfo: 'on', ...byHand() }),
        /"userinfo_endpoint"/, /remove "userinfo on"/],
    ['UI-6: userinfo that is neither on nor off', provider({ userinfo: 'yes' }),
        /"userinfo"/, /"on" or "off"/],
    ['DISC-3: an http userinfo_endpoint off loopback',
        provider({ userinfo_endpoint: 'http://id.example.com/userinfo' }),
        /"userinfo_endpoint"/, /https/],
    ['an unknown id_token_alg', provider({ id_token_alg: 'RS1' }),
        /id_token_alg/, /RS1/],
    ['KEY-2: HS256 mixed with RS256', provider({ id_token_alg: 'HS256 RS256' }),
        /id_token_alg/, /HS256/],
    ['a key of wrong length', provider({ session_key: 'abcd' }),
        /session_key/, /64|32/],
    ['a key of 64 characters that are not hex',
        provider({ session_key: 'zz'.repeat(32) }), /session_key/, /hex/],
    ['a key file that is not there',
        provider({ session_key: 'file:/nowhere/key' }),
        /session_key/, /\/nowhere\/key/],
    ['__Host- with a Domain', provider({ cookie_domain: 'example.com' }),
        /cookie_domain/, /cookie_name|__Host-/],
    ['__Host- without Secure', provider({ cookie_secure: 'off' }),
        /cookie_secure/, /cookie_name|__Host-/],
    ['__Secure- without Secure',
        provider({ cookie_secure: 'off', cookie_name: '__Secure-bff' }),
        /cookie_secure/, /cookie_name|__Secure-/],
    ['SameSite=None without Secure', provider({ cookie_secure: 'off',
        cookie_name: 'bff', cookie_samesite: 'none' }),
    /cookie_samesite/, /cookie_secure|Secure/],
    ['an unknown cookie_samesite', provider({ cookie_samesite: 'loose' }),
        /cookie_samesite/, /loose|strict/],
    ['a cookie_name that no cookie can have',
        provider({ cookie_name: '"a b"' }), /cookie_name/, /cookie_name/],
    ['IDT-11: a clock_skew above 300s', provider({ clock_skew: '301s' }),
        /clock_skew/, /300/],
    ['BCP-12: an http redirect_uri off loopback',
        provider({ redirect_uri: 'http://shop.example.com/bff/callback' }),
        /redirect_uri/, /https/],
    ['an endpoints_path that is no path', provider({ endpoints_path: 'bff' }),
        /endpoints_path/, /\//],
    ['an http token_endpoint of an https provider',
        provider({ token_endpoint: 'http://id.example.com/token' }),
        /token_endpoint/, /https/],
    ['a certificate file that is not there',
        provider({ ssl_trusted_certificate: '/nowhere/ca.pem' }),
        /\/nowhere\/ca\.pem/, /\/nowhere/],
    ['a directive twice', provider({ client_id: ['shop', 'shop'] }),
        /client_id/, /duplicate/],
    ['issuer twice', provider({
        issuer: ['https://id.example.com', 'https://id.example.com'] }),
    /issuer/, /duplicate/],
    ['two providers of one name', provider() + provider(),
        /bff_provider/, /duplicate|already/],
    ['an unknown directive in the block', provider({ magic: 'on' }),
        /magic/, /unknown/],
    ['BFF-41: the grant of passwords', provider({ grant_type: 'password' }),
        /grant_type/, /unknown/],
    ['BFF-40: another response_type than code', provider({ response_type: 'token' }),
        /response_type/, /unknown/],
    ['bff for a provider that is not defined',
        server('location / { bff other; }'), /bff/, /other/],
    ['bff_endpoints for a provider that is not defined',
        server('location /bff/ { bff_endpoints other; }'),
        /bff_endpoints/, /other/],
    ['bff_unauthenticated with a strange word',
        server('bff_unauthenticated maybe;'), /bff_unauthenticated/, /maybe/],
    ['bff_activity with a strange word', server('bff_activity maybe;'),
        /bff_activity/, /"on" or "off"/],
    ['bff twice in one place', `${provider()}${server('bff corp; bff corp;')}`,
        /"bff"/, /duplicate/],
    ['two providers with one endpoints path in one server',
        `${provider()}${provider({}, 'other')}${server(
            'location /a { bff corp; } location /b { bff other; }')}`,
        /endpoints_path/, /endpoints_path/],
    ['bff and bff_endpoints of two providers with one path in one server',
        `${provider()}${provider({}, 'other')}${server(
            'location /a { bff corp; } '
            + 'location /bff/ { bff_endpoints other; }')}`,
        /endpoints_path/, /endpoints_path/],
    ['two providers with one cookie_name in one server',
        `${provider({ cookie_name: '__Host-own' })}${provider(
            { cookie_name: '__Host-own', endpoints_path: '/two/' }, 'other')}${
            server('location /a { bff corp; } location /b { bff other; }')}`,
        /cookie_name/, /cookie_name/],
    ['ISS-5: one redirect_uri for two issuers',
        provider({ redirect_uri: 'https://shop.example.com/bff/callback' })
        + provider({ redirect_uri: 'https://SHOP.example.com:443/bff/callback',
            issuer: 'https://id.example.org' }, 'other'),
        /"redirect_uri"/, /give each one of its own/],
    ['a session_timeout below a second', provider({ session_timeout: '500ms' }),
        /session_timeout/, /second/],
    ['a session_timeout of zero', provider({ session_timeout: '0' }),
        /session_timeout/, /session_timeout/],
    ['a session_idle_timeout of zero', provider({ session_idle_timeout: '0' }),
        /session_idle_timeout/, /off/],
    ['a session_idle_timeout below a second',
        provider({ session_idle_timeout: '500ms' }), /session_idle_timeout/,
        /second/],
    ['a session_idle_timeout that is no time',
        provider({ session_idle_timeout: 'never' }), /session_idle_timeout/,
        /off/],
    ['a session_timeout with a broken second',
        provider({ session_timeout: '1500ms' }), /session_timeout/, /second/],
    ...['redis=r', 'zone', 'zone=', 'zone=a', 'zone=:1m', 'zone=a:',
        'zone=a:much', 'memory'].map((store) => [`session_store ${store}`,
        provider({ session_store: store }), /"session_store"/,
        /zone=NAME:SIZE/]),
    ['a session_store that is too small',
        provider({ session_store: 'zone=a:16k' }), /"session_store"/, /64k/],
    ['a session_store with the name of the bff_zone',
        provider({ session_store: 'zone=bff:1m' }), /"session_store"/,
        /choose another/],
    ['a session_store of two sizes', provider({ session_store: 'zone=a:1m' })
        + provider({ session_store: 'zone=a:2m' }, 'other'),
        /"session_store"/, /same size/],
    ['a session_store in a zone of somebody else\'s',
        `limit_req_zone $host zone=a:1m rate=1r/s;
        ${provider({ session_store: 'zone=a:1m' })}`, /"a"/, /already/],
    ['a bff_zone that is too small', `bff_zone bff:1k; ${provider()}`,
        /bff_zone/, /small|size/],
    ...['on', '0', '63k', '65535', '-1m', '1x', '""', 'none', 'OFF',
        '99999999999999999999g'].map((size) => [`bff_session_cache ${size}`,
        `bff_session_cache ${size}; ${provider()}`, /"bff_session_cache"/,
        /"off" or a size of at least 64k, as in "bff_session_cache 16m"/]),
    ['a cache of more memory than there is',
        `bff_session_cache 90000000000m; ${provider()}`, /"bff_session_cache"/,
        /write a smaller size/, process.env.BFF_SANITIZE
            && 'AddressSanitizer ends who asks for as much'],
    ['two sizes of the cache',
        `bff_session_cache 1m; bff_session_cache off; ${provider()}`,
        /"bff_session_cache" directive is duplicate/, /one cache for all providers/],
    ...['*', 'null', 'app.example.com', 'https://app.example.com/',
        'https://app.example.com/app', 'https://*.example.com',
        'http://app.example.com', 'https://app.example.com.',
        'https://u@app.example.com', '"https://a.example https://b.example"',
        '"https://app.example.com?"', '"https://app.example.com#"', '""',
        'https://app.example.com:99999'].map((origin) =>
        [`BFF-12: bff_trusted_origin ${origin}`, provider() + server(
            `location / { bff corp; bff_trusted_origin https://ok.example ${
                origin}; }`), /"bff_trusted_origin /,
        /as in "https:\/\/|list each|must begin with https/]),
    ['bff_authorization dpop, which is for a later version', provider()
        + server('bff_authorization dpop;'), /"bff_authorization dpop"/,
    /"bearer", or "off"/],
    ['bff_authorization with a strange word', provider()
        + server('bff_authorization on;'), /"bff_authorization on"/,
    /"bearer" and "off"/],
    ['bff_authorization twice', provider()
        + server('bff_authorization off; bff_authorization bearer;'),
    /"bff_authorization"/, /duplicate/],
    ['bff_accept_bearer with a strange word', provider()
        + server('bff_accept_bearer bearer;'), /"bff_accept_bearer"/,
    /"on" or "off"/],
    ['bff_accept_bearer twice', provider()
        + server('bff_accept_bearer on; bff_accept_bearer on;'),
    /"bff_accept_bearer"/, /duplicate/],
    ['bff_require without a value', provider()
        + server('bff_require error=401;'), /"bff_require"/, /needs a value/],
    ['bff_require with another status', provider()
        + server('bff_require $bff_sub error=404;'),
    /"bff_require error=404"/, /"error=401" and "error=403"/],
    ['bff_require with two statuses', provider()
        + server('bff_require $bff_sub error=401 error=403;'),
    /"bff_require error=403"/, /once/],
    ...['$', '$bff_sub$', '${bff_sub'].map((value) => [
        `bff_require ${value}, which is no variable`,
        provider() + server(`bff_require '${value}';`), /"bff_require /,
        /no variable/]),
    ['bff_csrf with a strange word', provider() + server('bff_csrf on;'),
        /"bff_csrf on"/, /"auto", "strict" and "off"/],
    ['bff_csrf twice', provider() + server('bff_csrf auto; bff_csrf off;'),
        /"bff_csrf"/, /duplicate/],
    ...['Accept 1', 'Content-Type 1', 'Sec-Fetch-Site same-origin', 'Origin',
        'Authorization', 'X_CSRF', '"X CSRF"', '""'].map((header) =>
        [`BFF-11: bff_csrf_header ${header}`, provider() + server(
            `bff_csrf_header ${header};`), /"bff_csrf_header /, /"X-CSRF"/]),
    ['BFF-11: bff_csrf_header with an empty value', provider() + server(
        'bff_csrf_header X-CSRF "";'), /"bff_csrf_header /, /value/],
    ['bff_csrf_header twice', provider() + server(
        'bff_csrf_header X-A; bff_csrf_header X-B;'), /"bff_csrf_header"/,
    /duplicate/],
    ['pkce plain', provider({ pkce: 'plain' }), /pkce/, /plain|on/],
];

for (const [what, http, directive, remedy, skip] of kRefused) {
    test(`nginx -t refuses ${what}`, { skip }, async () => {
        const { code, output } = await Nginx.test({ http: complete(http) });
        assert.equal(code, 1, 'it was accepted');

        const message = output.split('\n')
            .filter((line) => line.includes('[emerg]')).join('\n');
        assert.match(message, directive);
        assert.match(message, remedy);
        assert.match(message, / in .*nginx\.conf:\d+|corp|other|bff/);
    });
}

// Every configuration of the list has a server that uses the provider.
function complete(http) {
    return http.includes('server {') ? http : http + server();
}

test('the key that is too short never stands in the message', async () => {
    const { output } = await Nginx.test({
        http: provider({ session_key: 'c0ffee11' }) + server() });
    assert.doesNotMatch(output, /c0ffee11/);
});

// [what, http{}, what the log warns of or null]
const kAccepted = [
    ['the smallest provider', provider({ session_key: kSixtyFour }), null],
    ['a provider that nobody uses', `${provider()}${server('')}`, null],
    ['http issuers on loopback', ['127.0.0.1', 'localhost', '[::1]'].map(
        (host, i) => provider({ issuer: `http://${host}:9` }, `p${i}`)).join('')
        + server(''), null],
    ['an http issuer with insecure_http', provider({
        issuer: 'http://id.example.com', insecure_http: 'on' }), null],
    ['client_auth none, with a warning', provider({ client_secret: null,
        client_auth: 'none' }), /client_auth/],
    ['a client_key and no secret', provider({ client_secret: null,
        client_key: `${kLeaf.key} kid=one alg=ES256` }), null],
    ['a client_key that is written as file:', provider({
        client_secret: null, client_key: `file:${kLeaf.key}` }), null],
    ['two client_keys beside a secret', provider({
        client_key: [kLeaf.key, kOther.key] }), null],
    ['a certificate beside a secret', provider({
        client_certificate: kLeaf.certificate,
        client_certificate_key: `file:${kLeaf.key}` }), null],
    ['a certificate alone', provider({ client_secret: null,
        client_auth: 'tls_client_auth', client_certificate: kLeaf.certificate,
        client_certificate_key: kLeaf.key }), null],
    ['UI-6: userinfo on with metadata', provider({ userinfo: 'on' }), null],
    ['UI-6: userinfo on with all endpoints by hand', provider({ userinfo: 'on',
        ...byHand(), userinfo_endpoint: 'https://id.example.com/u' }), null],
    ['ssl_verify off, with a warning', provider({ ssl_verify: 'off' }),
        /ssl_verify/],
    ['a redirect_uri that does not lead to the callback, with a warning',
        provider({ redirect_uri: 'https://shop.example.com/auth/callback' }),
        /redirect_uri/],
    ['two providers with one cookie_name in two servers',
        provider({ cookie_name: '__Host-own' })
        + provider({ cookie_name: '__Host-own' }, 'other')
        + server('bff corp;') + server('bff other;').replace('a;', 'b;'), null],
    ['a sibling-domain cookie', provider({ cookie_name: '__Secure-bff',
        cookie_domain: 'example.com', cookie_samesite: 'lax' }), null],
    ['plain-http development', provider({ cookie_name: 'bff',
        cookie_secure: 'off', cookie_samesite: 'lax' }), null],
    ['ISS-5: one redirect_uri for two clients of one issuer',
        provider({ redirect_uri: 'https://shop.example.com/bff/callback' })
        + provider({ redirect_uri: 'https://shop.example.com/bff/callback',
            client_id: 'shop2' }, 'other'), null],
    ['ISS-5: a redirect_uri for each of two issuers',
        provider({ redirect_uri: 'https://shop.example.com/bff/callback' })
        + provider({ redirect_uri: 'https://shop.example.com/two/callback',
            endpoints_path: '/two/', issuer: 'https://id.example.org' },
        'other'), null],
    ['two providers with two endpoints paths in one server',
        provider() + provider({ endpoints_path: '/two/' }, 'other')
        + server('location /a { bff corp; } location /b { bff other; }'), null],
    ['two providers with one endpoints path in two servers',
        provider() + provider({}, 'other')
        + server('bff corp;') + server('bff other;').replace('a;', 'b;'), null],
    ['origins, header and rule at every level', `
        bff_csrf strict; bff_csrf_header X-Http yes;
        bff_trusted_origin https://a.example;
        ${provider({ session_key: kSixtyFour })}${server(`
            bff_csrf auto; bff_csrf_header X-Server;
            bff_trusted_origin https://b.example:8443 http://localhost:5173;
            bff_trusted_origin HTTPS://C.Example:443 http://[::1];
            location / { bff corp; bff_csrf off; bff_csrf_header X-Location 2;
                bff_trusted_origin https://d.example; }`)}`, null],
    ['bff by http level, off by location',
        `${provider()} bff corp; ${server('location / { bff off; }')}`, null],
];

for (const [what, http, warning] of kAccepted) {
    test(`nginx -t accepts ${what}`, async () => {
        const { code, output } = await Nginx.test({ http: complete(http) });
        assert.equal(code, 0, output);

        if (warning) {
            assert.match(output, new RegExp(`\\[warn\\].*${warning.source}`));
        }
    });
}

for (const [path, more] of [['/bff/callback', {}],
    ['/auth/callback', { endpoints_path: '/auth/' }]]) {
    test(`nginx -t has nothing to say about a redirect_uri to ${path}`,
        async () => {
            const { code, output } = await Nginx.test({ http: complete(provider({
                ...more, redirect_uri: `https://shop.example.com${path}`,
                session_key: kSixtyFour })) });
            assert.equal(code, 0, output);
            assert.doesNotMatch(output, /\[warn\]/);
        });
}

test('nginx -t accepts every directive', async () => {
    const at = await Place.make();
    const file = at.file('keys', `${kSixtyFour}\n${'11'.repeat(32)}\n`);
    const all = provider({
        client_secret: `file:${at.file('secret', 'x\n')}`,
        client_auth: 'client_secret_post', client_key: kOther.key,
        client_certificate: kLeaf.certificate,
        client_certificate_key: kLeaf.key, scope: '"openid profile"',
        redirect_uri: 'https://shop.example.com/auth/callback',
        endpoints_path: '/auth/', extra_auth_args: '"a=b&c=$host"',
        login_args: 'prompt login_hint', pkce: 'on',
        id_token_alg: 'RS256 PS256 ES256 EdDSA', trusted_audience: 'x y',
        clock_skew: '30s', config_url: 'https://id.example.com/config',
        authorization_endpoint: 'https://id.example.com/a',
        token_endpoint: 'https://id.example.com/t',
        jwks_uri: 'https://id.example.com/j',
        end_session_endpoint: 'https://id.example.com/e',
        ssl_trusted_certificate: authority().certificate,
        ssl_crl: authority().crl(), ssl_verify: 'on',
        resolver: '127.0.0.1:53 ipv6=off', timeout: '5s', insecure_http: 'off',
        session_key: [`file:${file}`, '22'.repeat(32)],
        session_store: 'zone=sessions:1m',
        session_timeout: '1h', session_claims: 'sub name',
        cookie_name: '__Host-shop', cookie_samesite: 'lax',
        cookie_secure: 'on', post_logout_uri: 'https://shop.example.com/bye',
        logout_token_hint: 'off',
    });

    const { code, output } = await Nginx.test({ place: at, http: `
        bff_zone own:1m;
        ${all}
        ${server(`bff corp; bff_unauthenticated redirect;
            location /auth/ { bff_endpoints corp; }
            location /api/ { bff_unauthenticated 401; }
            location /free/ { bff off; }`)}` });
    at.remove();
    assert.equal(code, 0, output);
});
