// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a browser makes of an address, by the standards it follows: node's URL
// is a WHATWG parser, and Refresh has a grammar of its own (HTML, 4.2.5.3).
//
// An oracle for the return URL: it knows nothing of how the module checks one,
// only the contract's words and where a browser would go. Texts from outside
// are Buffers, what the module made of them is a string.

const kMostOctets = 2048;

// The site of the oracle's own questions.
export const kSite = {
    own: 'https://shop.example.com',
    trusted: ['https://www.example.com', 'http://localhost:3000'],
};

export function urlOf(text, base) {
    try {
        return new URL(text, base);
    } catch {
        return null;
    }
}

// Where "Refresh: value" leads to as it stands in the header, or null: the
// steps 1 to 11 for "shared declarative refresh".
export function refreshTarget(value) {
    const [, rest] = /^[ \t\n\f\r]*(?:\d+[\d.]*|(?=\.)[\d.]*)(.*)$/s
        .exec(value) ?? [];
    const list = /^(?:[ \t\n\f\r]*[;,][ \t\n\f\r]*|[ \t\n\f\r]+)(.*)$/s
        .exec(rest ?? '');

    if (!list || list[1] === '') {
        return null;
    }

    const named = /^url[ \t\n\f\r]*=[ \t\n\f\r]*(.*)$/is.exec(list[1]);
    const text = named ? named[1] : list[1];
    const quote = /^['"]/.exec(text)?.[0];

    return quote ? text.slice(1).split(quote)[0] : text;
}

// The texts that a path may become on its way: each part of the way may
// resolve its dot segments, or decode its escapes, in any order, any number of
// times.
export function readingsOf(path, origin) {
    const known = new Set([path]);

    for (const text of known) {
        // octets, not characters
        const octets = text.replace(/[\x80-\xff]/g, escapeOf);
        const url = text.startsWith('/') ? urlOf(octets, origin) : null;
        known.add(decodedOnce(text));
        if (url && url.origin === origin) {
            known.add(url.pathname);
        }
    }

    return [...known];
}

// What is wrong with having accepted `given` as `kept`: '' or a sentence.
export function wrongWithKept(given, kept, { own, trusted } = kSite) {
    const origins = [own, ...trusted];
    const base = `${own}/bff/callback?code=x&state=y`;
    const goesTo = (text) => urlOf(text, base)?.origin;

    if (kept !== asBrowsersWrite(given)) {
        return 'it is not kept octet by octet';
    }
    if (!/^[\x21-\x5b\x5d-\x7e]+$/.test(kept)) {
        return 'it has what cannot stand in a header';
    }
    if (given.length > kMostOctets) {
        return 'it is too long';
    }
    if (!origins.includes(goesTo(kept))) {
        return `it leads to ${goesTo(kept)}`;
    }
    if (refreshTarget(`0; url=${kept}`) !== kept) {
        return `Refresh leads to ${refreshTarget(`0; url=${kept}`)}`;
    }
    if (!isSameAddress(given, kept, base)) {
        return 'it leads elsewhere than what was given';
    }

    return kept.startsWith('/') ? wrongWithPath(kept, own) : '';
}

// Why `given` has to be accepted, by section 6 of the contract: '' or a
// sentence.
export function whyToKeep(given, { own, trusted } = kSite) {
    const text = given.toString('latin1');

    if (given.length > kMostOctets || /[\x00-\x1f\x7f\\]/.test(text)) {
        return '';
    }
    if (text.startsWith('/')) {
        const path = decoded(pathOf(text));
        const isForbidden = /[\x00-\x1f\x7f\\]/.test(path)
            || path.startsWith('//') || collapses(path);
        return isForbidden ? '' : 'it is a path of this site';
    }

    const isOurs = [own, ...trusted].some((origin) =>
        text.startsWith(origin) && /^([/?#]|$)/.test(text.slice(origin.length)));
    return isOurs ? 'it is a URL of this site' : '';
}

// `longer` is `kept` with these parameters behind those it has: '' or what is
// wrong.
export function wrongWithQuery(kept, longer, added, { own } = kSite) {
    const [before, after] = [kept, longer].map((text) => urlOf(text, own));

    if (!before || !after) {
        return 'no browser could read it';
    }
    for (const part of ['origin', 'pathname', 'hash']) {
        if (before[part] !== after[part]) {
            return `another ${part}: ${after[part]}`;
        }
    }

    const expected = [...before.searchParams, ...Object.entries(added)];
    return String(expected) === String([...after.searchParams]) ? ''
        : `its parameters are ${after.searchParams}`;
}

// An origin as core/web/url writes it, of a text as an operator, a provider or
// a Host header would: '' or what is wrong.
export function wrongWithOrigin(text, origin) {
    const url = urlOf(text);

    if (!url) {
        // to DNS a name all the same, which nobody can have typed
        return /\bxn--/i.test(text) ? '' : 'no browser could read it';
    }
    if (url.origin !== origin) {
        return `a browser reads ${url.origin}`;
    }

    return url.username || url.password || url.hash ? 'it has more parts' : '';
}

// What a browser writes into Origin has to be understood: '' or a sentence.
export function whyToReadOrigin(text) {
    const url = urlOf(text);
    const isOrigin = url && /^https?:$/.test(url.protocol)
        && url.origin === text && url.port !== '0';

    return isOrigin && isPlainHost(url.hostname)
        ? 'it is an origin as browsers write it' : '';
}

// Of what DNS, and so a name of a server, can have.
function isPlainHost(host) {
    const isName = host.length <= 253 && host.split('.').every((label) =>
        /^[a-z0-9_-]{1,63}$/.test(label)) && !/\.0x[^.]*$|^0x[^.]*$/.test(host);

    return isName || host.startsWith('[');
}

function wrongWithPath(kept, own) {
    for (const text of readingsOf(pathOf(kept), own)) {
        if (/^[/\\][/\\]/.test(text) || urlOf(text, own)?.origin !== own) {
            return `it becomes ${JSON.stringify(text)}`;
        }
        if (/[\x00-\x1f\x7f\\]/.test(text)) {
            return `it hides a character: ${JSON.stringify(text)}`;
        }
    }

    return '';
}

function pathOf(text) {
    return text.slice(0, text.search(/[?#]|$/));
}

// A dot segment before an empty one: as "/.//host", which is "//host".
function collapses(path) {
    return /\/\.\.?\/(.*\/)?\//s.test(path);
}

// A space and what is not ASCII percent-encoded, the rest as it is.
function asBrowsersWrite(given) {
    return given.toString('latin1').replace(/[ \x80-\xff]/g, escapeOf);
}

function escapeOf(c) {
    return `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function isSameAddress(given, kept, base) {
    const text = given.toString('utf8');
    const isText = Buffer.from(text).equals(given) && !/ $/.test(text);

    return !isText || urlOf(text, base)?.href === urlOf(kept, base)?.href;
}

function decodedOnce(text) {
    return text.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
        String.fromCharCode(parseInt(hex, 16)));
}

function decoded(text) {
    const once = decodedOnce(text);

    return once === text ? text : decoded(once);
}
