// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A browser without a window: true cookies, true fetch metadata, no fetch().
//
// Any host name leads to 127.0.0.1, the test authority is trusted, and each
// header can be set or taken away. navigate() follows redirects and Refresh
// pages as a tab does, and knows when a chain became cross-site.

import http from 'node:http';
import https from 'node:https';
import http2 from 'node:http2';

import { CookieJar } from './cookie_jar.mjs';
import { authority } from './pki.mjs';
import { within } from './wait.mjs';

const kMaxHops = 12;

export class Browser {
    jar = new CookieJar();

    // origin: of the application, as https://shop.test:8443
    constructor(origin) {
        this.origin = origin;
    }

    // One request, nothing added but Host and cookies. options: method,
    // headers (null takes one away; an array gives several lines), body,
    // cookies (false, or the header's text), context (see CookieJar.header),
    // patience (ms).
    async request(target, options = {}) {
        const url = new URL(target, this.origin);
        const answer = await within(`an answer from ${url.pathname}`,
            send(url, options, this.#headers(url, options)), options.patience);

        if (options.cookies !== false) {
            answer.setCookies.forEach((line) => this.jar.set(line, url));
        }

        return answer;
    }

    // What fetch() of the application's own script sends.
    api(target, options = {}) {
        return this.request(target, { ...options, headers: {
            Accept: '*/*', 'X-CSRF': '1', 'Sec-Fetch-Mode': 'cors',
            'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Site': 'same-origin',
            ...(isSafe(options.method) ? {} : { Origin: this.origin }),
            ...options.headers } });
    }

    // A tab goes to an address. options.from: 'none' (typed), 'same-origin',
    // 'cross-site'; options.follow: false stops at the first answer.
    async navigate(target, options = {}) {
        const history = [];
        let site = options.from ?? 'none';
        let url = new URL(target, this.origin);
        let first = options;

        for (let hop = 0; hop < kMaxHops; hop++) {
            const answer = await this.request(url, {
                ...first, context: this.#navigation(site, first.method),
                headers: { ...navigationHeaders(site), ...first.headers } });
            history.push(answer);

            const next = options.follow === false ? null : whereNext(answer);

            if (!next) {
                return Object.assign(answer, { history });
            }

            site = nextSite(site, answer, next);
            url = next;
            first = {};
        }

        throw new Error(`lost after ${kMaxHops} hops: ${
            history.map((a) => a.url.href).join(' -> ')}`);
    }

    // The whole dance, ending at returnUrl.
    async login(returnUrl = '/', options = {}) {
        const path = options.path ?? '/bff/login';
        const page = await this.navigate(
            `${path}?returnUrl=${encodeURIComponent(returnUrl)}`,
            { from: 'same-origin' });

        if (page.status >= 400) {
            throw new Error(`login ended with ${page.status} at ${page.url}: `
                + page.body);
        }

        return page;
    }

    // The first half: the address at the provider, as a URL object.
    async startLogin(target = '/bff/login', options = {}) {
        const answer = await this.navigate(target,
            { from: 'same-origin', ...options, follow: false });

        if (answer.status !== 302) {
            throw new Error(`no login: ${answer.status} ${answer.body}`);
        }

        return new URL(answer.headers.location);
    }

    // The second half, as a cross-site navigation that is not followed.
    callback(url, options = {}) {
        return this.navigate(url, { from: 'cross-site', follow: false,
            ...options });
    }

    async session(options = {}) {
        return (await this.api('/bff/session', options)).json();
    }

    // Another tab or a restored profile: the same cookies, apart from now on.
    clone() {
        const other = new Browser(this.origin);
        other.jar = this.jar.copy();
        return other;
    }

    #navigation(site, method) {
        return { sameSite: site !== 'cross-site', navigation: isSafe(method) };
    }

    #headers(url, options) {
        const cookie = typeof options.cookies === 'string' ? options.cookies
            : options.cookies === false ? ''
                : this.jar.header(url, options.context);

        return Object.entries({ Host: url.host,
            ...(cookie ? { Cookie: cookie } : {}), Connection: 'close',
            ...options.headers })
            .filter(([, value]) => value !== null && value !== undefined)
            .flatMap(([name, value]) =>
                [value].flat().flatMap((one) => [name, String(one)]));
    }
}

export function navigationHeaders(site) {
    return { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document',
        'Sec-Fetch-Site': site };
}

function isSafe(method = 'GET') {
    return ['GET', 'HEAD', 'OPTIONS'].includes(method);
}

// A redirect keeps the chain's site unless it leaves it; a Refresh page is a
// new navigation that its own document started.
function nextSite(site, answer, next) {
    if (answer.url.hostname !== next.hostname) {
        return 'cross-site';
    }

    return answer.status === 200 ? 'same-origin' : site;
}

function whereNext(answer) {
    const { location, refresh } = answer.headers;
    const page = /^0\s*;\s*url=(.+)$/i.exec(refresh ?? '')?.[1]
        ?? /http-equiv="?refresh"? content="0;\s*url=([^"]+)"/i
            .exec(answer.body)?.[1]?.replaceAll('&amp;', '&');

    if (answer.status >= 300 && answer.status < 400 && location) {
        return new URL(location, answer.url);
    }

    return answer.status === 200 && page ? new URL(page, answer.url) : null;
}

function send(url, options, headers) {
    const secure = url.protocol === 'https:';

    return new Promise((resolve, reject) => {
        const request = (secure ? https : http).request({
            host: '127.0.0.1', port: url.port, agent: options.agent ?? false,
            method: options.method ?? 'GET', setHost: false, headers,
            path: options.rawTarget ?? url.pathname + url.search,
            ...(secure ? { ca: authority().text, servername:
                /^[\d.]+$/.test(url.hostname) ? '' : url.hostname } : {}),
        });

        request.on('response', (r) => read(r, url).then(resolve, reject));
        request.on('error', reject);
        request.end(options.body);
    });
}

async function read(response, url) {
    const parts = [];

    for await (const part of response) {
        parts.push(part);
    }

    return new Answer(url, response.statusCode, response.rawHeaders,
        Buffer.concat(parts));
}

export class Answer {
    constructor(url, status, rawHeaders, bytes) {
        this.url = url;
        this.status = status;
        this.rawHeaders = rawHeaders;
        this.bytes = bytes;
        this.body = bytes.toString('utf8');
        this.headers = {};
        this.setCookies = [];

        for (let i = 0; i < rawHeaders.length; i += 2) {
            this.#add(rawHeaders[i].toLowerCase(), rawHeaders[i + 1]);
        }
    }

    json() {
        return JSON.parse(this.body);
    }

    // Header lines and body as one text, to search for what must not be there.
    get everything() {
        return `${this.rawHeaders.join('\n')}\n${this.body}`;
    }

    #add(name, value) {
        if (name === 'set-cookie') {
            this.setCookies.push(value);
            return;
        }

        this.headers[name] = name in this.headers
            ? `${this.headers[name]}, ${value}` : value;
    }
}

// One HTTP/2 connection; ask(headers, body) gives { status, headers, body }.
// Cookies may be an array: one field each, as browsers send them.
export class Http2 {
    constructor(origin) {
        const url = new URL(origin);
        this.authority = url.host;
        this.client = http2.connect(`https://127.0.0.1:${url.port}`,
            { ca: authority().text, servername: url.hostname });
        this.client.on('error', () => {});
    }

    ask(path, headers = {}, body = undefined) {
        const stream = this.client.request({ ':path': path,
            ':authority': this.authority, ':scheme': 'https', ...headers });

        return within(`an HTTP/2 answer from ${path}`,
            new Promise((resolve, reject) => {
                let head;
                let text = '';
                stream.on('response', (h) => { head = h; });
                stream.on('data', (data) => { text += data; });
                stream.on('error', reject);
                stream.on('end', () => resolve({ status: head[':status'],
                    headers: head, body: text }));
                stream.end(body);
            }));
    }

    close() {
        return new Promise((resolve) => this.client.close(resolve));
    }
}
