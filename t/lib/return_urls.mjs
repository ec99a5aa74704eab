// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Return URLs, good and bad, each with the verdict that section 6 of the
// contract gives it.
//
// {own} stands for the application's origin, {host} for its host and port.
// Text is what a page would have in its string; octets('...') is what is not
// UTF-8.

export const kTrusted = ['https://app.example.com', 'http://localhost:5173'];

const octets = (text) => Buffer.from(text, 'latin1');

// 2047 octets from `first` to `first + span`, the same each time.
function noise(first, span) {
    let seed = 1;

    return Array.from({ length: 2047 }, () => {
        seed = seed * 48271 % 0x7fffffff;
        return String.fromCharCode(first + Math.floor(seed / 8) % (span + 1));
    }).join('');
}

function asEscapes(text) {
    return text.replace(/[^]/g, (c) =>
        `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

// These come back octet by octet.
const kPaths = [
    '/', '/orders', '/orders/', '/orders/17', '/a/b/c/d', '/index.html',
    // what is in a segment is nobody's business
    '/evil.test', '/@evil.test', '/:80', '/:@evil.test', '/user:pw@evil.test',
    '/https://evil.test', '/https:evil.test', '/http:/evil.test',
    '/javascript:alert(1)', '/data:text/html,x', '/;evil', '/;/evil', '/;//evil',
    '/,evil', '/*', '/~me', '/-', '/_', '/$', '/!', '/=', '/&', '/+', '/%2B',
    '/(a)', '/[a]', '/{a}', '/|', '/^', '/`', '/<a>', '/a<b>c', '/.', '/..',
    '/...', '/..a', '/.a', '/a.', '/a..', '/.well-known/x', '/a/.', '/a/..',
    '/a/./b', '/a/../b', '/a/../../b', '/./a', '/../a', '/%2e', '/%2e%2e',
    '/%2e%2e/a', '/.%2E/a', '/..;/a', '/..;//evil', '/a//b', '/a///b', '/a//',
    '/a//b/../c', '/a//b/.', '/a/../b/', '/a%2F/b/..',
    // encoded, once and twice
    '/a%2fb', '/a%2Fb', '/a%252fb', '/a%252Fb', '/my%20file', '/%20', '/%2520',
    '/caf%C3%A9', '/caf%c3%a9', '/%E2%9C%93', '/%C0%AFevil', '/%c0%ae%c0%ae/a',
    '/%E3%80%82evil', '/%EF%BC%8Fevil', '/%EF%BC%BCevil', '/%E2%88%95evil',
    '/%80', '/%ff', '/%3Fa', '/%23a', '/%3a', '/%40evil', '/%3Cscript%3E',
    '/%22', '/%27', '/a%25', '/a%2525', '/%41', '/%2', '/%', '/%zz', '/%u002f',
    '/100%', '/%2525', '/a%3b%2f', '/%26amp;',
    // the query is data, and survives
    '/?', '/?a', '/?a=b', '/?a=b&c=d', '/?a=b&a=c', '/?&&', '/??', '/?a?b',
    '/?next=//evil.test', '/?next=https://evil.test/', '/?//evil', '/?/..//evil',
    '/?next=%2F%2Fevil.test', '/?next=%252F%252F', '/?a=%5C', '/?a=%0d%0aX:%20y',
    '/?a=%00', '/?a=%09', '/?a=+b', '/?a=%2B', '/?a=%20', '/?q=a;b', '/?q=a,b',
    "/?q='a'", '/?q="a"', '/?<script>', '/?a=%C3%A9', '/?a=%e9', '/?%', '/?a=%zz',
    '/?returnUrl=/x', '/?bff_error=x', '/?url=//evil', '/?a=b=c', '/?a[]=1',
    '/?a={b}', '/?a=^`|', '/orders?page=2&sort=date', '/a?b#c',
    // and so is the fragment
    '/#', '/#a', '/#/route', '/#/route?x=1', '/#//evil', '/#%5c', '/#?', '/a#b#c',
    '/?a#b?c', '/#https://evil.test', '/#\'"', '/#access_token=x',
    // what Refresh and HTML have a grammar for
    "/'", '/"', "/a'b", '/a"b', "/'a'", '/"a"', '/;url=//evil', '/,url=//evil',
    '/0;url=//evil', "/';url=//evil", '/";url=//evil', '/&#47;evil', '/&amp;',
    '/&#x2f;', '/&sol;&sol;evil', '/"><script>alert(1)</script>',
    "/'onclick='x", '/<!--', '/${x}', '/{{x}}', '/\u007e',
    // at the limit
    `/${'x'.repeat(2046)}`, `/${'x'.repeat(2047)}`, `/?${'x'.repeat(2046)}`,
    `/${'%C3%A9'.repeat(341)}`, `/${'%25'.repeat(682)}`, `/${'a/'.repeat(1023)}`,
];

const kUrls = [
    '{own}', '{own}/', '{own}/a', '{own}/a?b=c#d', '{own}?a', '{own}#a', '{own}//a',
    '{own}/%2f%2fevil', '{own}/.//evil', '{own}/a/..//evil', '{own}/@evil.test',
    '{own}/?//evil', '{own}/%5cevil', "{own}/'\"", '{own}?@evil.test',
    '{own}#@evil.test', '{own}/https://evil.test',
    ...kTrusted.flatMap((o) => [o, `${o}/`, `${o}/a%20b?c=%2F#d`, `${o}?a`, `${o}#a`]),
    'https://app.example.com:443', 'https://app.example.com:443/a',
    'HTTPS://app.example.com/', 'https://APP.Example.Com/a', 'hTTp://LOCALHOST:5173/',
];

// What is no URL text as it stands is percent-encoded, as a browser does.
const kEncoded = [
    ['/a b', '/a%20b'], ['/ ', '/%20'], ['/a ', '/a%20'], ['/ /evil', '/%20/evil'],
    ['/?a b', '/?a%20b'], ['/#a b', '/#a%20b'], ['/caf\u00e9', '/caf%C3%A9'],
    ['/?q=\u00e9', '/?q=%C3%A9'], ['/\u2713', '/%E2%9C%93'],
    ['/\uff0fevil', '/%EF%BC%8Fevil'], ['/\uff3cevil', '/%EF%BC%BCevil'],
    ['/\u2215evil', '/%E2%88%95evil'], ['/\u2044evil', '/%E2%81%84evil'],
    ['/\u3002evil', '/%E3%80%82evil'], ['/\u00a0/evil', '/%C2%A0/evil'],
    ['/\u2028/evil', '/%E2%80%A8/evil'], ['/\ufeff/evil', '/%EF%BB%BF/evil'],
    ['/\u200b/evil', '/%E2%80%8B/evil'], ['/\u202eevil', '/%E2%80%AEevil'],
    ['/\u0085/evil', '/%C2%85/evil'], ['/\ud83d\ude00', '/%F0%9F%98%80'],
    [octets('/\x80'), '/%80'], [octets('/\xe9'), '/%E9'],
    [octets('/\xc0\xaf/evil'), '/%C0%AF/evil'],
    [octets('/\xc0\xaeevil'), '/%C0%AEevil'], [octets('/\xff\xfe'), '/%FF%FE'],
    [octets('/?\xa0'), '/?%A0'], [octets('/\xed\xa0\x80'), '/%ED%A0%80'],
    [`/${'\u00e9'.repeat(1023)}`, `/${'%C3%A9'.repeat(1023)}`],
    // what no cookie can make short
    [octets(`/${noise(0x80, 0x7f)}`), `/${asEscapes(noise(0x80, 0x7f))}`],
    [octets(`/?${noise(0x41, 0x30).slice(1).replaceAll('\\', '/')}`),
        `/?${noise(0x41, 0x30).slice(1).replaceAll('\\', '/')}`],
    ['{own}/a b', '{own}/a%20b'], ['{own}/\u00e9', '{own}/%C3%A9'],
];

export const kKept = [...[...kPaths, ...kUrls].map((text) => [text, text]),
    ...kEncoded];

// Ways to write "//" and what stands in its place.
const kOtherHost = ['//', '///', '////', '/\\', '\\/', '\\\\', '/\\/', '//\\',
    '/%2f', '/%2F', '/%2f/', '/%2f%2f', '%2f%2f', '/%5c', '/%5C', '/%5c/',
    '/%5c%5c', '/%252f', '/%252F', '/%25252f', '/%255c', '/%25%32%66', '/%%32f',
    '/\t/', '/\n/', '/\r/', '/\r\n/', '/\0/', '/\x0b/', '/\x0c/', '/\x1f/', '/\x7f/',
    '/%09/', '/%0a/', '/%0D/', '/%00/', '/%2509/', '/%7f/', '/%1f',
    '/.//', '/..//', '/././/', '/../..//', '/a/..//', '/a/b/../..//', '/a/.//',
    '/%2e//', '/%2E%2E//', '/.%2e//', '/a/%2e%2e//', '/%252e//', '/./%2f',
    '/..%2f/', '/..%2f%2f', '/%2e%2e%2f%2f', '/a%2f..//', '/.%252f/', '/;/..//',
    '/a//../..//', '/.\\', '/..\\', '/.%5c', '/..%5c/', '/a/..%5c%5c',
    '\t//', ' //', '\n/', '\x01/', '\u00a0//', '\ufeff//', '\u3000//'];

const kSchemes = ['https://evil.test', 'http://evil.test/', 'https:evil.test',
    'https:/evil.test', 'https:///evil.test', 'https:////evil.test',
    'https:\\\\evil.test', 'https:\\evil.test', 'http:evil.test', 'HTTPS://evil.test',
    'ht\ttps://evil.test', 'https\n://evil.test', 'https:\t//evil.test',
    'https:/\r/evil.test', ' https://evil.test', '\thttps://evil.test',
    '\x00https://evil.test', 'https%3a//evil.test', 'https%3A%2F%2Fevil.test',
    'https:', 'https:/', 'https://', 'https:///', 'http:', '://evil.test',
    ':evil.test', ':', 'ws://{host}/', 'wss://{host}/', 'ftp://{host}/',
    'file:///etc/passwd', 'file://{host}/', 'blob:{own}/x', 'filesystem:{own}/x',
    'view-source:{own}/', 'about:blank', 'mailto:a@evil.test', 'tel:1',
    'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\tscript:alert(1)',
    'java\nscript:alert(1)', ' javascript:alert(1)', '\x01javascript:alert(1)',
    'javascript://{host}/%0aalert(1)', 'javascript:/*{own}/*/alert(1)',
    'javascript&colon;alert(1)', 'javascript%3aalert(1)',
    'vbscript:x', 'data:text/html,<script>x</script>', 'data:;base64,eA==',
    'intent://evil.test#Intent;end', 'x:y'];

// Nearly this origin, or nearly a trusted one.
const kLookalikes = ['http://{host}/', 'https://{host}.evil.test/',
    'https://{host}evil.test/', 'https://x{host}/', 'https://evil.test/{host}',
    'https://evil.test?{own}', 'https://evil.test#{own}', 'https://shop.test/',
    'https://shop.test:1/', 'https://shop.test:443/', 'https://shop.test:/',
    'https://shop.test:0/', 'https://shop.test:65536/', 'https://shop.test:8443x/',
    '{own}0/', '{own}1', '{own}.', '{own}:443/', '{own}@evil.test/', '{own}:@evil.test',
    '{own}%00.evil.test', '{own}%2fevil', '{own}%40evil.test', '{own}\\evil.test',
    '{own}\\@evil.test', '{own}/\\evil', '{own}/a\tb', '{own}/\u0000', '{own}\n',
    '{own},https://evil.test', '{own} https://evil.test', '{own};evil',
    'https://user@{host}/', 'https://user:pw@{host}/', 'https://@{host}/',
    'https://:@{host}/', 'https://evil.test@{host}/', 'https://{host}@evil.test/',
    'https:/{host}/', 'https:{host}/', 'https:///{host}/', '//{host}/', '/\\{host}/',
    'https://shop.test.:{port}/', 'https://sub.shop.test:{port}/',
    'https://shop%2etest:{port}/', 'https://shop\u3002test:{port}/',
    'https://shop\uff0etest:{port}/', 'https://\uff53hop.test:{port}/',
    'https://sh\u00adop.test:{port}/', 'https://\u0455hop.test:{port}/',
    'https://xn--hop-gtd.test:{port}/', 'https://sho\u200bp.test:{port}/',
    'https://shop\u2024test:{port}/', 'https://s\u212fhop.test:{port}/',
    'https://shop_test:{port}/', 'https://shop..test:{port}/', 'https://.shop.test/',
    'https://shop.test:0{port}/', 'https://shop.test:+{port}/',
    'https://shop.test: {port}/', 'https://shop.test:\uff14/', 'https://[shop.test]/',
    'https://127.0.0.1:{port}/', 'https://127.1:{port}/', 'https://0x7f.1/',
    'https://2130706433/', 'https://0177.0.0.1/', 'https://017700000001/',
    'https://127.0.0.1./', 'https://0/', 'https://[::1]/', 'https://[::ffff:7f00:1]/',
    'https://[::ffff:127.0.0.1]/', 'https://\u2460\u2461\u2466.0.0.1/',
    'https://app.example.com.evil.test/', 'https://app.example.com./',
    'https://a.app.example.com/', 'https://example.com/', 'https://app.example.com:444/',
    'https://app.example.com:/', 'https://app.example.com:0443/',
    'https://appXexample.com/', 'http://app.example.com/', '//app.example.com/',
    'https:app.example.com', 'https:/app.example.com/', 'https://app.example.com\\a',
    'https://app.example.com@evil.test/', 'https://app.example.com:443@evil.test/',
    'https://evil.test\\@app.example.com/', 'https://app.example.com%252eevil.test/',
    'http://localhost/', 'http://localhost:5174/', 'https://localhost:5173/',
    'http://127.0.0.1:5173/', 'http://[::1]:5173/', 'http://localhost.:5173/',
    'http://localhost:05173/', 'http://user@localhost:5173/'];

const kNoPaths = ['', ' ', 'a', 'orders', './a', '../a', './/evil', '..//evil', '?a',
    '#a', '@evil.test', '.evil.test', ':80', '*', '~', ';', '&', 'null', 'undefined',
    'true', '[]', '{}', 'evil.test', 'evil.test:443', 'localhost', '127.0.0.1', '%2f',
    '%2fa', '%5c', '\uff0f', '\uff0f\uff0fevil.test', '\u2215\u2215evil', '\\', '\\a',
    '\t', '\n/', '/\n', '/\t', '/\0', '/a\0', '/a\tb', '/a\r\nSet-Cookie: x=1', '/a\\b',
    '/a/\\', '/?\\', '/?a=\\', '/#\\', '/?a\tb', '/?a\nb', '/#a\0', '/a%5cb', '/a%5C',
    '/a%0d%0aX', '/a%00', '/a%09b', '/a%7Fb', '/%01', '/%250a', '/a%255cb', ' /x',
    '\t/x', '\u00a0/x', '\ufeff/x', octets('\x80'), octets('\xff/'),
    octets('\xc0\xaf\xc0\xafevil'), octets('\xef\xbb\xbf//evil'), octets('//\x80'),
    `/${'x'.repeat(2048)}`, `/?${'x'.repeat(2047)}`, `/#${'x'.repeat(2047)}`,
    `/${'%41'.repeat(683)}`, `/${'\u00e9'.repeat(1024)}`, `/${'x'.repeat(8000)}`,
    `https://app.example.com/${'x'.repeat(2025)}`];

export const kRefused = [
    ...kOtherHost.flatMap((start) => [`${start}evil.test`, `${start}user@evil.test/`]),
    ...kSchemes, ...kLookalikes, ...kNoPaths];

// As octets, with the application's own origin filled in.
export function filledIn(text, own) {
    if (Buffer.isBuffer(text)) {
        return text;
    }

    const { host, port } = new URL(own);
    return Buffer.from(text.replaceAll('{own}', own)
        .replaceAll('{host}', host).replaceAll('{port}', port));
}
