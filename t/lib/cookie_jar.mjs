// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Cookies as a browser keeps them (rfc6265bis).
//
// Only what a session cookie needs, but that without leniency: prefixes,
// Secure, Path, host, Max-Age, size limits and SameSite. What a browser would
// ignore is ignored here too, and remembered in `ignored`.

const kMaxPair = 4096;
const kMaxAttribute = 1024;

export class CookieJar {
    cookies = [];
    ignored = [];

    // url: where the answer came from; fromScript: document.cookie
    set(line, url) {
        const cookie = parse(line, url);
        const why = reasonToIgnore(cookie, url);

        if (why) {
            this.ignored.push({ line, why });
            return;
        }

        this.cookies = this.cookies.filter((c) => !isSame(c, cookie));

        if (cookie.expires > Date.now()) {
            this.cookies.push(cookie);
        }
    }

    // The Cookie header for a request. context.sameSite: the request comes
    // from the same site; context.navigation: top-level and safe method.
    header(url, context = { sameSite: true, navigation: false }) {
        return this.matching(url, context)
            .map((c) => `${c.name}=${c.value}`).join('; ');
    }

    matching(url, context = { sameSite: true, navigation: false }) {
        return this.cookies
            .filter((c) => c.expires > Date.now() && fits(c, url))
            .filter((c) => context.sameSite || c.sameSite === 'none'
                || (c.sameSite === 'lax' && context.navigation))
            .sort((a, b) => b.path.length - a.path.length);
    }

    get(name) {
        return this.cookies.find((c) => c.name === name);
    }

    named(pattern) {
        return this.cookies.filter((c) => pattern.test(c.name));
    }

    delete(name) {
        this.cookies = this.cookies.filter((c) => c.name !== name);
    }

    // A jar with the same content: "the same browser, later".
    copy() {
        const jar = new CookieJar();
        jar.cookies = this.cookies.map((c) => ({ ...c }));
        return jar;
    }
}

// { name, value, attributes: { path: '/', secure: true, ... } }
export function parseSetCookie(line) {
    const [pair, ...rest] = line.split(';');
    const eq = pair.indexOf('=');
    const attributes = {};

    for (const part of rest) {
        const at = part.indexOf('=');
        const name = (at < 0 ? part : part.slice(0, at)).trim().toLowerCase();
        const value = at < 0 ? '' : part.slice(at + 1).trim();

        if (value.length <= kMaxAttribute) {
            attributes[name] = at < 0 ? true : value;
        }
    }

    return { name: pair.slice(0, Math.max(eq, 0)).trim(),
        value: pair.slice(eq + 1).trim(), attributes };
}

function parse(line, url) {
    const { name, value, attributes } = parseSetCookie(line);
    const path = attributes.path;
    const domain = typeof attributes.domain === 'string'
        ? attributes.domain.replace(/^\./, '').toLowerCase() : '';

    return { name, value, attributes,
        host: domain || url.hostname, hostOnly: !domain,
        path: path?.startsWith?.('/') ? path : defaultPath(url.pathname),
        pathGiven: path === '/', secure: 'secure' in attributes,
        httpOnly: 'httponly' in attributes, expires: expiry(attributes),
        sameSite: String(attributes.samesite ?? 'lax').toLowerCase() };
}

function expiry({ 'max-age': age, expires }) {
    if (age !== undefined && /^-?\d+$/.test(age)) {
        return Number(age) <= 0 ? 0 : Date.now() + Number(age) * 1000;
    }

    const date = Date.parse(expires);
    return Number.isNaN(date) ? Infinity : date;
}

function reasonToIgnore(c, url) {
    const name = c.name.toLowerCase();
    const trusted = url.protocol === 'https:';

    const rules = {
        'control character': /[\x00-\x08\x0a-\x1f\x7f]/.test(c.name + c.value),
        'empty': c.name === '' && c.value === '',
        'too long': c.name.length + c.value.length > kMaxPair,
        'foreign domain': !domainMatches(url.hostname, c),
        'Secure over http': c.secure && !trusted,
        'SameSite=None without Secure': c.sameSite === 'none' && !c.secure,
        '__Secure-': name.startsWith('__secure-') && !c.secure,
        '__Http-': name.startsWith('__http-') && !(c.secure && c.httpOnly),
        '__Host-': name.startsWith('__host-')
            && !(c.secure && c.hostOnly && c.pathGiven),
        '__Host-Http-': name.startsWith('__host-http-') && !c.httpOnly,
        'bad octet': /["\s,\\]/.test(c.value),
    };

    return Object.keys(rules).find((rule) => rules[rule]);
}

function domainMatches(host, cookie) {
    return host === cookie.host || (!cookie.hostOnly
        && host.endsWith(`.${cookie.host}`));
}

function fits(cookie, url) {
    return domainMatches(url.hostname, cookie)
        && (!cookie.secure || url.protocol === 'https:')
        && (url.pathname === cookie.path || url.pathname.startsWith(
            cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`));
}

function defaultPath(pathname) {
    const end = pathname.lastIndexOf('/');
    return end <= 0 ? '/' : pathname.slice(0, end);
}

function isSame(a, b) {
    return a.name === b.name && a.host === b.host && a.path === b.path
        && a.hostOnly === b.hostOnly;
}
