// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Signed tokens that somebody might try, whatever they are for.
//
// A row is [what, make, more]. make(t) gives the token; t has the good claims
// and header of the place where the token goes, the keys of the provider's
// set, and ways to sign. more: good (it must be taken), log (what the line in
// the log says of it), fetches (its key is not known, so that the keys may be
// asked for), tokenCode (the login's code, when it is another one).

import crypto from 'node:crypto';

import { b64 } from './jose.mjs';

const kNow = () => Math.floor(Date.now() / 1000);
const kP256 = BigInt('0xffffffff00000000ffffffffffffffff'
    + 'bce6faada7179e84f3b9cac2fc632551');
const kL = (1n << 252n) + 27742317777372353535851937790883648493n;

const json = (value) => Buffer.from(JSON.stringify(value));
const be = (number, octets) =>
    Buffer.from(number.toString(16).padStart(2 * octets, '0'), 'hex');
const fromBe = (octets) => BigInt(`0x${octets.toString('hex')}`);

const kHow = {
    RS256: (key) => ['sha256', { key }],
    ES256: (key) => ['sha256', { key, dsaEncoding: 'ieee-p1363' }],
    ES384: (key) => ['sha384', { key, dsaEncoding: 'ieee-p1363' }],
    EdDSA: (key) => [null, { key }],
};

function rawSignature(key, input) {
    const [hash, options] = kHow[key.alg](key.privateKey);
    return crypto.sign(hash, Buffer.from(input), options);
}

// What make() gets. keys: by kid, those of kKeys; evil: one that is in no set.
export function tools({ claims, header, keys, evil, jku }) {
    const main = keys.a;
    const t = { claims, header, keys, evil, jku };

    // Segments as they are, signed by key; change: of the signature's octets.
    t.segments = (head, payload, key = main, change = (raw) => raw) => {
        const input = `${head}.${payload}`;
        return `${input}.${b64(change(rawSignature(key, input)))}`;
    };
    // Octets, texts or values.
    t.sign = (head, payload, key, change) => t.segments(
        b64(octets(head)), b64(octets(payload)), key, change);
    t.good = () => t.sign(header, claims);
    // Any signature at all.
    t.with = (head, payload, signature) =>
        `${b64(octets(head))}.${b64(octets(payload))}.${b64(signature)}`;
    t.by = (kid, change, more) => t.sign(
        { ...header, alg: keys[kid].alg, kid, ...more },
        { ...claims, at_hash: undefined }, keys[kid], change);
    // The good claims as text, with this done to it.
    t.text = (change) => t.sign(header, change(JSON.stringify(claims)));
    t.head = (change) => t.sign(change(JSON.stringify(header)), claims);
    // A claim as it stands in the text.
    t.put = (name, literal) => t.sign(header, JSON.stringify(
        { ...claims, [name]: '@' }).replace('"@"', () => literal));
    t.mac = (alg, secret, more = {}) => {
        const input = `${b64(json({ ...header, alg, ...more }))}.`
            + b64(json(claims));
        return `${input}.${b64(crypto.createHmac(`sha${alg.slice(2)}`, secret)
            .update(input).digest())}`;
    };

    return t;
}

function octets(part) {
    return Buffer.isBuffer(part) ? part
        : typeof part === 'string' ? Buffer.from(part) : json(part);
}

// --- the header's alg ---

const kNones = ['none', 'None', 'NONE', 'nOnE', 'none ', ' none', '',
    'none\0', 'null'];
const kNoAlgs = [undefined, null, 0, 256, true, ['RS256'], ['none'],
    { alg: 'RS256' }, [], 'rs256', 'RS256 ', '\tRS256', 'RS256\0', 'RS-256',
    'RS256\r\n[injected]', 'RS1', 'RSA', 'ES256K', 'HS1', 'dir',
    'RSA-OAEP', 'A128KW', 'RS256,none'];

const algs = [
    ...kNones.flatMap((alg) => [
        [`alg ${JSON.stringify(alg)} without signature`, (t) =>
            t.with({ ...t.header, alg }, t.claims, '')],
        [`alg ${JSON.stringify(alg)} with a good signature`, (t) =>
            t.sign({ ...t.header, alg }, t.claims)],
        [`alg ${JSON.stringify(alg)} with any signature`, (t) =>
            t.with({ ...t.header, alg }, t.claims, 'x')],
    ]),
    ...kNoAlgs.flatMap((alg) => [
        [`alg ${JSON.stringify(alg)}`, (t) =>
            t.sign({ ...t.header, alg }, t.claims)],
        [`alg ${JSON.stringify(alg)} without signature`, (t) =>
            t.with({ ...t.header, alg }, t.claims, '')],
    ]),
].map(([what, make]) => [what, make, { log: /"alg"/ }]);

// --- a public key as a secret ---

const kSecrets = {
    'PEM': (key) => key.publicKey.export({ type: 'spki', format: 'pem' }),
    'PEM without its last newline': (key) =>
        key.publicKey.export({ type: 'spki', format: 'pem' }).trimEnd(),
    'PEM in one line': (key) => key.publicKey.export(
        { type: 'spki', format: 'pem' }).replaceAll('\n', ''),
    'PEM of PKCS #1': (key) =>
        key.publicKey.export({ type: 'pkcs1', format: 'pem' }),
    'DER': (key) => key.publicKey.export({ type: 'spki', format: 'der' }),
    'DER of PKCS #1': (key) =>
        key.publicKey.export({ type: 'pkcs1', format: 'der' }),
    'JWK': (key) => JSON.stringify(key.jwk()),
    'n as text': (key) => key.jwk().n,
    'n as octets': (key) => Buffer.from(key.jwk().n, 'base64url'),
    'kid': (key) => key.kid,
    'nothing': () => '',
    'zeros': () => Buffer.alloc(32),
};

const macs = [
    ...Object.entries(kSecrets).flatMap(([what, secret]) => [
        [`HS256 with the public key, ${what}`, (t) =>
            t.mac('HS256', secret(t.keys.a))],
        [`HS512 with the public key, ${what}`, (t) =>
            t.mac('HS512', secret(t.keys.a))],
        [`HS256 without kid, with the public key, ${what}`, (t) =>
            t.mac('HS256', secret(t.keys.a), { kid: undefined })],
    ]),
    ...['HS256', 'HS384', 'HS512'].map((alg) =>
        [`${alg} with the client secret`, (t) => t.mac(alg, 'shop secret')]),
].map(([what, make]) => [what, make, { log: /"alg"/ }]);

// --- a key of the token's own ---

const kOwnKeys = {
    jwk: (t) => ({ jwk: t.evil.jwk() }),
    jku: (t) => ({ jku: `${t.jku}/jwks` }),
    x5u: (t) => ({ x5u: `${t.jku}/chain.pem` }),
    x5c: () => ({ x5c: ['MIIB'] }),
    all: (t) => ({ jwk: t.evil.jwk(), jku: `${t.jku}/jwks`,
        x5u: `${t.jku}/chain.pem`, x5c: ['MIIB'], x5t: 'AAAA' }),
};

const ownKeys = Object.entries(kOwnKeys).flatMap(([what, members]) => [
    [`${what} of a key of its own, with a known kid`, (t) =>
        t.sign({ ...t.header, ...members(t) }, t.claims, t.evil),
    { log: /signature is wrong/ }],
    [`${what} of a key of its own, with its kid`, (t) => t.sign(
        { ...t.header, ...members(t), kid: t.evil.kid }, t.claims, t.evil),
    { log: /does not publish/, fetches: true }],
    [`${what} beside a good signature`, (t) =>
        t.sign({ ...t.header, ...members(t) }, t.claims), { good: true }],
]);

// --- extensions ---

const extensions = [
    ...[['exp'], ['b64'], ['alg'], ['x'], ['crit'], ['kid', 'typ'], [], [1],
        [''], 'exp', '', null, {}, true, 0].map((crit) =>
        [`crit ${JSON.stringify(crit)}`, (t) => t.sign(
            { ...t.header, crit, x: 1, exp: 1 }, t.claims), { log: /"crit"/ }]),
    ['b64 false and critical', (t) => t.segments(
        b64(json({ ...t.header, b64: false, crit: ['b64'] })),
        b64(json(t.claims))), { log: /"crit"/ }],
    ...[false, 0, null, 'false', 'true', [], 1].map((value) =>
        [`b64 ${JSON.stringify(value)}`, (t) =>
            t.sign({ ...t.header, b64: value }, t.claims), { log: /"b64"/ }]),
    ['a payload that is not encoded', (t) => t.segments(
        b64(json({ ...t.header, b64: false })), JSON.stringify(t.claims)
            .replaceAll('.', '%2e')), { log: /base64url/ }],
    ['zip DEF', (t) => t.sign({ ...t.header, zip: 'DEF' }, t.claims),
        { good: true }],
];

// --- other forms than three segments ---

function serialised(t, general) {
    const [head, payload, signature] = t.good().split('.');
    const one = { protected: head, signature };

    return JSON.stringify(general
        ? { payload, signatures: [one, { ...one, header: { kid: 'b' } }] }
        : { payload, ...one });
}

const forms = [
    ['flattened JSON', (t) => serialised(t, false)],
    ['general JSON with two signatures', (t) => serialised(t, true)],
    ['JSON in base64url', (t) => b64(serialised(t, false))],
    ['JSON in three segments', (t) => `{"a":"${t.good()}"}`],
    ['a second signature as a fourth segment', (t) =>
        `${t.good()}.${t.good().split('.')[2]}`],
    ['the token twice', (t) => t.good() + t.good()],
    ['the token twice, with a dot', (t) => `${t.good()}.${t.good()}`],
    ['the token twice, with a comma', (t) => `${t.good()},${t.good()}`],
    ['with a disclosure', (t) => `${t.good()}~WyJhIiwiYiIsImMiXQ~`],
    ['one segment', (t) => t.good().split('.')[0]],
    ['two segments', (t) => t.good().split('.').slice(0, 2).join('.')],
    ['two segments and a dot', (t) =>
        `${t.good().split('.').slice(0, 2).join('.')}.`],
    ['four segments, the last empty', (t) => `${t.good()}.`],
    ['four segments, the first empty', (t) => `.${t.good()}`],
    ['five segments', (t) => `${t.good()}.AAAA.AAAA`],
    ['a JWE', (t) => ['{"alg":"RSA-OAEP","enc":"A128GCM","kid":"a"}', 'key',
        'iv', 'text', 'tag'].map(b64).join('.')],
    ['a JWE with dir', () => ['{"alg":"dir","enc":"A128GCM"}', '', 'iv',
        'text', 'tag'].map(b64).join('.')],
    ['no header', (t) => t.segments('', b64(json(t.claims)))],
    ['no payload', (t) => t.segments(b64(json(t.header)), '')],
    ['two dots', () => '..'],
    ['three dots', () => '...'],
    ['Bearer before it', (t) => `Bearer ${t.good()}`],
    ['in quotes', (t) => `"${t.good()}"`],
    ['percent-encoded dots', (t) => t.good().replaceAll('.', '%2E')],
    ['other dots', (t) => t.good().replaceAll('.', '\u3002')],
].map(([what, make]) => [what, make,
    { log: /segment|base64url|payload|signature|"alg"|header/ }]);

// --- base64url in one spelling only; what is spelt otherwise is signed so ---

// Its last character has bits that no octet needs.
function spare(t) {
    const pad = (value) => {
        const text = JSON.stringify(value);
        return b64(text + ' '.repeat((4 - text.length % 3) % 3));
    };
    const parts = [pad(t.header), pad(t.claims)];
    return [...parts, t.segments(...parts).split('.')[2]];
}

function lastChanged(segment) {
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
        + '0123456789-_';
    const value = last.indexOf(segment.at(-1));
    return segment.slice(0, -1) + last[value ^ 1];
}

const kSpellings = {
    'one =': (text) => `${text}=`,
    'two =': (text) => `${text}==`,
    '= in front': (text) => `=${text}`,
    'a blank behind': (text) => `${text} `,
    'a blank in front': (text) => ` ${text}`,
    'a blank within': (text) => `${text.slice(0, 8)} ${text.slice(8)}`,
    'a newline': (text) => `${text}\n`,
    'a newline within': (text) => `${text.slice(0, 64)}\n${text.slice(64)}`,
    'CRLF': (text) => `${text}\r\n`,
    'a tab': (text) => `${text}\t`,
    'NUL': (text) => `${text}\0`,
    '+': (text) => `${text.slice(0, -4)}+AAA`,
    '/': (text) => `${text.slice(0, -4)}AA/A`,
    'a letter that is not ASCII': (text) => `${text.slice(0, -4)}AAA\u00e9`,
    'one letter less, four and one': (text) =>
        text.slice(0, text.length - text.length % 4 - 3),
    'bits that no octet needs': lastChanged,
};

const spellings = Object.entries(kSpellings).flatMap(([what, change]) =>
    ['header', 'payload', 'signature'].map((name, i) =>
        [`${what}, in the ${name}`, (t) => {
            const parts = spare(t);
            parts[i] = change(parts[i]);
            return i === 2 ? parts.join('.') : t.segments(parts[0], parts[1]);
        }, { log: /base64url/ }]));

// --- JSON in one reading only ---

const nested = (levels, open = '[', close = ']') =>
    open.repeat(levels) + close.repeat(levels);
// The text inside the last brace.
const added = (text) => (all) => all.replace(/}$/, () => `,${text}}`);
const members = (count) => Array.from({ length: count },
    (_, i) => `"m${i}":${i}`).join(',');

const jsons = [
    ...['alg', 'kid'].map((name) => [`${name} twice in the header`, (t) =>
        t.head(added(`"${name}":${JSON.stringify(t.header[name])}`)),
    { log: /duplicate/ }]),
    ['alg none first', (t) => t.head((all) =>
        all.replace('{', '{"alg":"none",')), { log: /duplicate/ }],
    ['alg none last', (t) => t.head(added('"alg":"none"')),
        { log: /duplicate/ }],
    ['alg twice, once escaped', (t) => t.head(added('"\\u0061lg":"none"')),
        { log: /duplicate/ }],
    ['an unknown header member twice', (t) => t.head(added('"x":1,"x":1')),
        { log: /duplicate/ }],
    ...['iss', 'aud', 'sub'].map((name) => [`${name} twice`, (t) =>
        t.text(added(`"${name}":${JSON.stringify(t.claims[name])}`)),
    { log: /duplicate/ }]),
    ['sub twice, once escaped', (t) =>
        t.text(added('"\\u0073ub":"somebody"')), { log: /duplicate/ }],
    ['a nested member twice', (t) => t.text(added('"x":{"y":1,"y":1}')),
        { log: /duplicate/ }],
    ['a member twice, deep in a list', (t) =>
        t.text(added('"x":[[{"y":[{"z":1,"z":2}]}]]')), { log: /duplicate/ }],
    ['members with equal names apart from case', (t) =>
        t.text(added('"SUB":"somebody","Iss":"x"')), { good: true }],

    ['32 levels', (t) => t.text(added(`"x":${nested(31)}`)), { good: true }],
    ['32 levels of objects', (t) =>
        t.text(added(`"x":${'{"y":'.repeat(31)}1${'}'.repeat(31)}`)),
    { good: true }],
    ['33 levels', (t) => t.text(added(`"x":${nested(32)}`)), { log: /deep/ }],
    ['33 levels of objects', (t) =>
        t.text(added(`"x":${'{"y":'.repeat(32)}1${'}'.repeat(32)}`)),
    { log: /deep/ }],
    ['10,000 levels', (t) => t.text(added(`"x":${nested(10000)}`)),
        { log: /deep/ }],
    ['10,000 levels that never end', (t) =>
        t.text(added(`"x":${'['.repeat(10000)}`)), { log: /deep/ }],
    ['brackets in a string', (t) =>
        t.text(added(`"x":"\\"${'['.repeat(40)}"`)), { good: true }],
    ['a header of 33 levels', (t) => t.head(added(`"x":${nested(32)}`)),
        { log: /deep/ }],
    ['1,000 members', (t) => t.text(added(members(1000))), { good: true }],
    ['a list of 20,000', (t) =>
        t.text(added(`"x":[${Array(20000).fill(0)}]`)),
    { good: true }],
    ['a header of 500 members', (t) => t.head(added(members(500))),
        { good: true }],
    ['a header of more than 16 KiB', (t) =>
        t.head(added(`"x":"${'y'.repeat(16384)}"`)), { log: /large/ }],
    ['a payload of more than 96 KiB', (t) =>
        t.text(added(`"x":"${'y'.repeat(98304)}"`)),
    { log: /long/, tokenCode: 'provider_misconfigured' }],

    ...[['\\xff', [0x22, 0xff, 0x22]], ['an overlong NUL', [0x22, 0xc0, 0x80,
        0x22]], ['an overlong slash', [0x22, 0xe0, 0x80, 0xaf, 0x22]],
    ['a surrogate as octets', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['beyond Unicode', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
    ['half a letter', [0x22, 0xc3, 0x22]], ['Latin-1', [0x22, 0xe4, 0x62, 0x22]],
    ].flatMap(([what, value]) => ['header', 'claims'].map((where) =>
        [`${what} in the ${where}`, (t) => {
            const spoilt = Buffer.concat([json(t[where]).subarray(0, -1),
                Buffer.from(',"x":'), Buffer.from(value), Buffer.from('}')]);
            return where === 'header' ? t.sign(spoilt, t.claims)
                : t.sign(t.header, spoilt);
        }, { log: /UTF-8|syntax/ }])),
    ...['"\\ud800"', '"\\udc00"', '"\\udc00\\ud800"', '"\\ud800x"',
        '"\\ud800\\u0041"'].map((text) => [`a lone surrogate ${text}`, (t) =>
        t.text(added(`"x":${text}`)), { log: /JSON/ }]),
    ['a pair of surrogates', (t) => t.text(added('"x":"\\ud83d\\ude00"')),
        { good: true }],
    ['NUL in a string of no interest', (t) => t.text(added('"x":"a\\u0000b"')),
        { good: true }],
    ['NUL in a member\'s name', (t) => t.text(added('"x\\u0000":1')),
        { log: /JSON/ }],
    ['NUL in the name alg', (t) => t.head(added('"alg\\u0000":"none"')),
        { log: /JSON/ }],
    ['NUL behind the claims', (t) => t.text((all) => `${all}\0`),
        { log: /JSON/ }],
    ['NUL behind the header', (t) => t.head((all) => `${all}\0`),
        { log: /JSON/ }],
    ['a control character in a string', (t) => t.text(added('"x":"a\nb"')),
        { log: /JSON/ }],
    ['a BOM before the header', (t) => t.head((all) => `\ufeff${all}`),
        { log: /JSON/ }],
    ['a BOM before the claims', (t) => t.text((all) => `\ufeff${all}`),
        { log: /JSON/ }],
    ['UTF-16', (t) => t.sign(t.header, Buffer.from(JSON.stringify(t.claims),
        'utf16le')), { log: /JSON/ }],
    ['two objects', (t) => t.text((all) => all + all), { log: /JSON/ }],
    ['text behind the claims', (t) => t.text((all) => `${all}x`),
        { log: /JSON/ }],
    ['a comma too many', (t) => t.text((all) => all.replace(/}$/, ',}')),
        { log: /JSON/ }],
    ['a comment', (t) => t.text((all) => all.replace('{', '{/**/')),
        { log: /JSON/ }],
    ['single quotes', (t) => t.text((all) => all.replaceAll('"', "'")),
        { log: /JSON/ }],
    ['blanks around the claims', (t) => t.text((all) => ` \r\n\t${all}\n`),
        { good: true }],
    ...['[]', '"text"', 'null', '1', 'true', '', ' ', '{', 'nonsense'].flatMap(
        (text) => [
            [`the claims are ${JSON.stringify(text)}`, (t) =>
                t.sign(t.header, text), { log: /JSON|payload/ }],
            [`the header is ${JSON.stringify(text)}`, (t) =>
                t.sign(text, t.claims), { log: /JSON/ }],
        ]),
    ...['NaN', 'Infinity', '-Infinity', '0x10', '01', '1.', '.5', '+1', '1e400',
        '-1e400', '9223372036854775808', '18446744073709551616',
        `1${'0'.repeat(400)}`].map((number) =>
        [`${number.slice(0, 24)} where nobody looks`, (t) =>
            t.text(added(`"x":${number}`)), { log: /JSON/ }]),
    ...['1e308', '9223372036854775807', '-9223372036854775808', '5e-324', '-0',
        '1E+2'].map((number) => [`${number} where nobody looks`, (t) =>
        t.text(added(`"x":${number}`)), { good: true }]),
];

// --- kid ---

const kids = [
    ...[7, null, true, ['a'], {}, 1.5].map((kid) =>
        [`kid ${JSON.stringify(kid)}`, (t) =>
            t.sign({ ...t.header, kid }, t.claims), { log: /"kid"/ }]),
    ...['', 'A', 'a ', 'a\0', 'a\r\n[injected]', '../a', "a' OR '1'='1",
        '\u0430', 'x'.repeat(8000), '%s%n%s'].map((kid) =>
        [`kid ${JSON.stringify(kid).slice(0, 40)}`, (t) =>
            t.sign({ ...t.header, kid }, t.claims),
        { log: /does not publish/, fetches: true }]),
    ['kid of 1 MiB', (t) =>
        t.sign({ ...t.header, kid: 'x'.repeat(1 << 20) }, t.claims),
    { log: /./, tokenCode: 'provider_misconfigured' }],
    ['another key\'s kid', (t) => t.sign({ ...t.header, kid: 'b' }, t.claims),
        { log: /signature is wrong/ }],
    ['another key of the set, by the first one\'s kid', (t) =>
        t.sign(t.header, t.claims, t.keys.b), { log: /signature is wrong/ }],
    ['another key of the set, by its own kid', (t) =>
        t.sign({ ...t.header, kid: 'b' }, t.claims, t.keys.b), { good: true }],
    ['no kid, another key of the set', (t) =>
        t.sign({ ...t.header, kid: undefined }, t.claims, t.keys.b),
    { good: true }],
    ['no kid, a key of no set', (t) =>
        t.sign({ ...t.header, kid: undefined }, t.claims, t.evil),
    { log: /does not publish/, fetches: true }],
    ['a weak key of the set', (t) =>
        t.sign({ ...t.header, kid: 'weak' }, t.claims, t.keys.weak),
    { log: /does not publish/, fetches: true }],
    ['a key of the set with an exponent of one', (t) => {
        const input = `${b64(json({ ...t.header, kid: 'one' }))}.`
            + b64(json(t.claims));
        const info = Buffer.concat([
            Buffer.from('3031300d060960864801650304020105000420', 'hex'),
            crypto.createHash('sha256').update(input).digest()]);
        return `${input}.${b64(Buffer.concat([Buffer.from([0, 1]),
            Buffer.alloc(256 - 3 - info.length, 0xff), Buffer.from([0]),
            info]))}`;
    }, { log: /does not publish/, fetches: true }],
    ['a key of the set of small order', (t) => t.with(
        { ...t.header, alg: 'EdDSA', kid: 'small' }, t.claims,
        Buffer.from([1, ...Array(63).fill(0)])),
    { log: /does not publish/, fetches: true }],
];

// --- the signature's octets ---

const rs = (raw) => [fromBe(raw.subarray(0, 32)), fromBe(raw.subarray(32))];
const ecdsa = (change) => (t) => t.by('e', (raw) => {
    const [r, s] = change(...rs(raw));
    return Buffer.concat([be(r, 32), be(s, 32)]);
});

const signatures = [
    ['none', (t) => t.with(t.header, t.claims, ''), { log: /signature/ }],
    ...[0, 255].map((octet) => [`octets of ${octet}`, (t) => t.sign(t.header,
        t.claims, t.keys.a, (raw) => raw.fill(octet))]),
    ['one octet less', (t) => t.sign(t.header, t.claims, t.keys.a,
        (raw) => raw.subarray(1))],
    ['a zero in front', (t) => t.sign(t.header, t.claims, t.keys.a,
        (raw) => Buffer.concat([Buffer.alloc(1), raw]))],
    ['plus the modulus', (t) => t.sign(t.header, t.claims, t.keys.a, (raw) => {
        const n = fromBe(Buffer.from(t.keys.a.jwk().n, 'base64url'));
        const sum = fromBe(raw) + n;
        return be(sum, sum >> 2048n ? 257 : 256);
    })],
    ['SHA-1', (t) => {
        const [head, payload] = t.good().split('.');
        return `${head}.${payload}.${b64(crypto.sign('sha1',
            Buffer.from(`${head}.${payload}`), t.keys.a.privateKey))}`;
    }],
    ['SHA-512', (t) => {
        const [head, payload] = t.good().split('.');
        return `${head}.${payload}.${b64(crypto.sign('sha512',
            Buffer.from(`${head}.${payload}`), t.keys.a.privateKey))}`;
    }],
    ['PSS', (t) => {
        const [head, payload] = t.good().split('.');
        return `${head}.${payload}.${b64(crypto.sign('sha256',
            Buffer.from(`${head}.${payload}`), { key: t.keys.a.privateKey,
                padding: crypto.constants.RSA_PKCS1_PSS_PADDING }))}`;
    }],
    ['of a hash without its name', (t) => {
        const [head, payload] = t.good().split('.');
        return `${head}.${payload}.${b64(crypto.privateEncrypt(
            t.keys.a.privateKey, crypto.createHash('sha256')
                .update(`${head}.${payload}`).digest()))}`;
    }],
    ['of other claims', (t) => [...t.sign(t.header, { ...t.claims, x: 1 })
        .split('.').slice(0, 2), t.good().split('.')[2]].join('.')],
    ['of another header', (t) => {
        const parts = t.good().split('.');
        return [b64(json({ ...t.header, x: 1 })), ...parts.slice(1)].join('.');
    }],
    ['an MAC under RS256', (t) => {
        const [head, payload] = t.good().split('.');
        return `${head}.${payload}.${b64(crypto.createHmac('sha256',
            kSecrets.PEM(t.keys.a)).update(`${head}.${payload}`).digest())}`;
    }],

    ['ES256', (t) => t.by('e'), { good: true }],
    ['ES256 with the other s', ecdsa((r, s) => [r, kP256 - s]),
        { good: true }],
    ['ES256 with r zero', ecdsa((r, s) => [0n, s])],
    ['ES256 with s zero', ecdsa((r) => [r, 0n])],
    ['ES256 of zeros', ecdsa(() => [0n, 0n])],
    ['ES256 with r and s of the order', ecdsa(() => [kP256, kP256])],
    ['ES256 with s beyond the order', ecdsa((r, s) =>
        [r, s + kP256 < 1n << 256n ? s + kP256 : kP256 + 1n])],
    ['ES256 with r and s changed over', ecdsa((r, s) => [s, r])],
    ['ES256 with one octet more', (t) => t.by('e', (raw) =>
        Buffer.concat([raw, Buffer.alloc(1)]))],
    ['ES256 with one octet less', (t) => t.by('e', (raw) => raw.subarray(1))],
    ['ES256 in DER', (t) => t.by('e', () => {
        const [head, payload] = t.by('e').split('.');
        return crypto.sign('sha256', Buffer.from(`${head}.${payload}`),
            t.keys.e.privateKey);
    })],
    ['ES256 with the key of ES384', (t) =>
        t.by('e3', undefined, { alg: 'ES256' }),
    { log: /does not publish/, fetches: true }],
    ['ES384', (t) => t.by('e3'), { good: true }],

    ['EdDSA', (t) => t.by('d'), { good: true }],
    ['EdDSA under its other name', (t) =>
        t.by('d', undefined, { alg: 'Ed25519' }), { good: true }],
    ['EdDSA with s beyond the order', (t) => t.by('d', (raw) => {
        const s = fromBe(Buffer.from(raw.subarray(32)).reverse()) + kL;
        return Buffer.concat([raw.subarray(0, 32), be(s, 32).reverse()]);
    })],
    ['EdDSA with one octet less', (t) => t.by('d', (raw) => raw.subarray(0, 63))],
    ['EdDSA with one octet more', (t) => t.by('d', (raw) =>
        Buffer.concat([raw, Buffer.alloc(1)]))],
    ['EdDSA of zeros', (t) => t.by('d', (raw) => raw.fill(0))],
    ['EdDSA with R of small order', (t) => t.by('d', () =>
        Buffer.from([1, ...Array(63).fill(0)]))],
    ['EdDSA twice', (t) => t.by('d', (raw) => Buffer.concat([raw, raw]))],
    ['RS256 said, EdDSA signed', (t) => t.sign(
        { ...t.header, kid: 'd' }, t.claims, t.keys.d),
    { log: /does not publish/, fetches: true }],
].map(([what, make, more]) => [`signature: ${what}`, make,
    { log: /signature is wrong/, ...more }]);

// --- whose it is, for whom and when; not of userinfo, which needs no times ---

const kIssuers = [
    (iss) => `${iss}/`, (iss) => iss.toUpperCase(), (iss) => `${iss} `,
    (iss) => ` ${iss}`, (iss) => iss.replace(/^https?:/, ''),
    (iss) => `${iss}/.`, (iss) => `${iss}?`, (iss) => `${iss}#`,
    (iss) => `${iss}\0`, (iss) => iss.replace('127.0.0.1', 'localhost'),
    (iss) => iss.replace('127.0.0.1', '127.1'), (iss) => [iss], (iss) => [[iss]],
    (iss) => ({ [iss]: 1 }), () => '', () => null, () => 1, () => undefined,
    (iss) => `${iss}\r\n[injected]`, (iss) => iss.slice(0, -1),
];

const kAudiences = [[['shop']], [['shop'], 'shop'], ['shop', ['shop']], [1],
    ['shop', 1], ['shop', null], ['shop', {}], 1, 0, null, {}, { shop: true },
    true, [], '', 'SHOP', 'shop ', ' shop', 'shop/', 'shop\0', ['Shop'],
    'shop,other', 'shop other', '["shop"]', ['shop', 'other'],
    ['other', 'shop'], ['shop\r\n[injected]'], 'sh\u043ep', undefined];

const kTimes = ['1e308', '-1e308', '9223372036854775807',
    '-9223372036854775808', '9223372036854775808', '18446744073709551616',
    '1e400', '-1e400', '-1', '-1e10', '253402300800', '1e18',
    '[4000000000]', '{}', 'true', 'null', '"4000000000"', '"4e9"', '""',
    '"now"', 'NaN', 'Infinity', '4000000000000'];

const claims = [
    ...kIssuers.map((change, i) => [`iss, number ${i}`, (t) => t.sign(t.header,
        { ...t.claims, iss: change(t.claims.iss) }), { log: /"iss"/ }]),
    ...kAudiences.map((aud) => [`aud ${JSON.stringify(aud)}`, (t) =>
        t.sign(t.header, { ...t.claims, aud }), { log: /"aud"/ }]),
    ['aud as a list', (t) => t.sign(t.header, { ...t.claims, aud: ['shop'] }),
        { good: true }],
    ...['exp', 'iat', 'nbf'].flatMap((name) => kTimes.map((time) =>
        [`${name} ${time}`, (t) => t.put(name, time),
            { log: new RegExp(`"${name}"|JSON`) }])),
    ['exp zero', (t) => t.put('exp', '0'), { log: /"exp"/ }],
    ['exp -0.0', (t) => t.put('exp', '-0.0'), { log: /"exp"/ }],
    ['iat zero', (t) => t.put('iat', '0'), { log: /"iat"/ }],
    ['nbf zero', (t) => t.put('nbf', '0'), { good: true }],
    ['exp in 2286, as 1e10', (t) => t.put('exp', '1e10'), { good: true }],
    ['exp at the end of time', (t) => t.put('exp', '253402300799'),
        { good: true }],
    ['exp and iat are one moment', (t) => t.sign(t.header,
        { ...t.claims, exp: t.claims.iat }), { good: true }],
    ['exp before iat, both within the skew', (t) => t.sign(t.header,
        { ...t.claims, iat: kNow() + 20, exp: kNow() - 20 }), { good: true }],
    ['exp with a fraction, just over', (t) =>
        t.put('exp', `${kNow() - 62}.999`), { log: /"exp"/ }],
    ['times with a fraction', (t) => t.sign(t.header, { ...t.claims,
        exp: kNow() + 300.25, iat: kNow() - 0.75, nbf: kNow() - 0.5 }),
    { good: true }],
    ...['7', 'null', '""', '["user-1"]', '{}', 'true', '"a\\u0000b"',
        '"a\\nb"', '"\\u00fc"', '"\\ud83d\\ude00"', `"${'x'.repeat(256)}"`].map(
        (sub) => [`sub ${sub.slice(0, 30)}`, (t) => t.put('sub', sub),
            { log: /"sub"/ }]),
];

export const kRows = { algs, macs, 'own keys': ownKeys, extensions, forms,
    spellings, jsons, kids, signatures, claims };
