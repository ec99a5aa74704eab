// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// An OpenID provider that a test can script.
//
// Left alone it is a correct and strict one: it checks client authentication,
// redirect_uri and PKCE, and takes a code once. Every answer can be changed,
// every transport fault produced, and every request that came is kept.

import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import fs from 'node:fs';

import { ClientCheck } from './client_auth.mjs';
import { SigningKey, b64, halfHash, signJwt } from './jose.mjs';
import { serverCertificate } from './pki.mjs';
import { freePort } from './ports.mjs';
import * as wire from './wire.mjs';

let sharedKey;

function defaultKey() {
    return sharedKey ??= new SigningKey('RS256', { kid: 'default' });
}

// Keys, tokens and userinfo have ports of their own, so that a test can close
// one of them.
const kDoors = ['main', 'jwks', 'token', 'userinfo'];

export class Provider {
    requests = [];
    refusals = [];
    #servers = {};
    #sockets = new Set();
    #codes = new Map();
    #refreshTokens = new Map();      // refresh token: its family
    #subjects = new Map();           // access token: whose it is

    // options: tls (true or { certificate, key }), host, path, client: as of
    // ClientCheck; mtls: true, every door asks for a certificate, or
    // 'aliases', one more door does so, and the metadata tells which
    static async start(options = {}) {
        const op = new Provider();
        op.tls = options.tls === true ? serverCertificate() : options.tls;
        op.host = options.host ?? '127.0.0.1';
        op.path = options.path ?? '';
        op.client = { id: 'shop', secret: 'shop secret', auth: null,
            ...options.client };
        op.mtls = options.mtls;
        op.doors = op.mtls === 'aliases' ? [...kDoors, 'mtls'] : kDoors;
        op.ports = {};

        for (const door of op.doors) {
            op.ports[door] = await freePort();
            await op.accept(door);
        }

        op.reset();
        return op;
    }

    // Back to the correct provider; what was recorded is forgotten.
    reset() {
        this.requests = [];
        this.refusals = [];          // why a client was not believed
        this.keys = [defaultKey()];
        this.wire = {};              // endpoint: function of wire.mjs
        this.metadata = (usual) => usual;
        this.jwks = (usual) => usual;
        this.claims = (usual) => usual;
        this.idToken = null;         // ({ claims, header, key }) => compact JWT
        this.tokenAnswer = (usual) => usual;
        this.userinfo = (usual) => usual;    // (claims, request) => claims, text
        this.userinfoType = 'application/json';
        this.callback = (usual) => usual;    // members of the redirect
        this.accessToken = () => `at-${b64(crypto.randomBytes(32))}`;
        this.refreshToken = () => `rt-${b64(crypto.randomBytes(32))}`;
        this.expiresIn = 3600;
        this.rotates = true;         // a refresh token is good for one use
        this.refreshedIdToken = true;
        this.refreshAnswer = (usual) => usual;   // members, or { status, body }
    }

    get issuer() {
        return this.#url('main', '');
    }

    // Requests to one endpoint: metadata, jwks, authorize, token, ...
    calls(endpoint) {
        return this.requests.filter((r) => r.endpoint === endpoint);
    }

    get tokens() {
        return this.lastTokens;
    }

    // What the browser would bring back from this authorization URL.
    approve(authorizationUrl) {
        return this.#authorize(new URL(authorizationUrl).searchParams)
            .headers.Location;
    }

    // What the browser would post: { url, body } (Form Post Response Mode, 2).
    approveByForm(authorizationUrl) {
        return this.#authorize(new URL(authorizationUrl).searchParams).form;
    }

    // No listener at this door: connections are refused.
    async refuse(door) {
        const server = this.#servers[door];
        delete this.#servers[door];
        this.#sockets.forEach((s) => s.localPort === this.ports[door]
            && s.destroy());
        await new Promise((resolve) => server ? server.close(resolve) : resolve());
    }

    async accept(door) {
        if (this.#servers[door]) {
            return;
        }

        const server = this.#server(this.mtls === true || door === 'mtls');
        server.on('connection', (socket) => this.#keep(socket));
        server.on('tlsClientError', () => {});
        this.#servers[door] = server;
        await new Promise((resolve) =>
            server.listen(this.ports[door], '127.0.0.1', resolve));
        server.unref();
    }

    // Another certificate from the next connection on, at these doors.
    async useCertificate(files, doors = this.doors) {
        this.tls = files;

        for (const door of doors) {
            await this.refuse(door);
            await this.accept(door);
        }
    }

    async stop() {
        for (const door of this.doors) {
            await this.refuse(door);
        }
    }

    usualMetadata() {
        return {
            issuer: this.issuer,
            authorization_endpoint: this.#url('main', '/authorize'),
            token_endpoint: this.#url('token', '/token'),
            jwks_uri: this.#url('jwks', '/jwks'),
            userinfo_endpoint: this.#url('userinfo', '/userinfo'),
            end_session_endpoint: this.#url('main', '/end_session'),
            revocation_endpoint: this.#url('token', '/revoke'),
            response_types_supported: ['code'],
            subject_types_supported: ['public'],
            id_token_signing_alg_values_supported: ['RS256'],
            code_challenge_methods_supported: ['S256'],
            authorization_response_iss_parameter_supported: true,
            ...(this.mtls === 'aliases'
                ? { mtls_endpoint_aliases: this.#aliases() } : {}),
        };
    }

    #aliases() {
        return {
            token_endpoint: this.#url('mtls', '/token'),
            userinfo_endpoint: this.#url('mtls', '/userinfo'),
            revocation_endpoint: this.#url('mtls', '/revoke'),
        };
    }

    #url(door, path) {
        return `${this.tls ? 'https' : 'http'}://${this.host}:`
            + `${this.ports[door]}${this.path}${path}`;
    }

    #server(requestCert) {
        const serve = (req, res) => this.#serve(req, res);

        return !this.tls ? http.createServer(serve) : https.createServer({
            cert: fs.readFileSync(this.tls.certificate),
            key: fs.readFileSync(this.tls.key),
            // who signed it is for ClientCheck to judge
            requestCert, rejectUnauthorized: false,
            SNICallback: (name, done) => { this.lastSni = name; done(null); },
        }, serve);
    }

    #keep(socket) {
        this.#sockets.add(socket);
        socket.unref();
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => {});
    }

    async #serve(req, res) {
        const request = await this.#record(req);
        const answer = this.#answer(request);
        const send = this.wire[request.endpoint] ?? wire.plain;

        req.socket.on('error', () => {});
        res.detachSocket?.(req.socket);
        send(req.socket, { headers: {}, ...answer, body: answer.body ?? '' });
    }

    async #record(req) {
        const parts = [];

        for await (const part of req) {
            parts.push(part);
        }

        const url = new URL(req.url, 'http://provider');
        const body = Buffer.concat(parts).toString('utf8');
        const request = { endpoint: this.#endpoint(url.pathname),
            method: req.method, url: req.url, version: req.httpVersion,
            headers: req.headers, rawHeaders: req.rawHeaders, body,
            query: url.searchParams, form: new URLSearchParams(body),
            port: req.socket.localPort,
            certificate: req.socket.getPeerX509Certificate?.()?.raw,
            sni: req.socket.servername, resumed: req.socket.isSessionReused?.() };

        this.requests.push(request);
        return request;
    }

    #endpoint(pathname) {
        return { '/.well-known/openid-configuration': 'metadata',
            '/jwks': 'jwks', '/authorize': 'authorize', '/token': 'token',
            '/userinfo': 'userinfo', '/end_session': 'end_session',
            '/revoke': 'revoke' }[pathname.slice(this.path.length)] ?? pathname;
    }

    #answer(request) {
        switch (request.endpoint) {
        case 'metadata': return json(this.metadata(this.usualMetadata()));
        case 'jwks': return json(this.jwks(
            { keys: this.keys.map((key) => key.jwk()) }));
        case 'authorize': return this.#authorize(request.query);
        case 'token': return this.#token(request);
        case 'userinfo': return this.#userinfo(request);
        case 'end_session': return this.#endSession(request);
        case 'revoke': return { status: 200, body: '' };
        default: return { status: 404, body: 'not found' };
        }
    }

    #authorize(query) {
        const wrong = this.#wrongAuthorization(query);

        if (wrong) {
            return { status: 400, body: wrong };
        }

        const code = `code-${b64(crypto.randomBytes(16))}`;
        this.#codes.set(code, { code, used: false, query });
        const announced = this.metadata(this.usualMetadata())
            ?.authorization_response_iss_parameter_supported;
        const answer = this.callback({ code, state: query.get('state'),
            ...(announced ? { iss: this.issuer } : {}) });

        return query.get('response_mode') === 'form_post'
            ? formPost(query.get('redirect_uri'), answer)
            : { status: 302, body: '', headers: { Location:
                addQuery(query.get('redirect_uri'), answer) } };
    }

    #wrongAuthorization(query) {
        const needs = { response_type: 'code', client_id: this.client.id };

        for (const [name, value] of Object.entries(needs)) {
            if (query.get(name) !== value) {
                return `${name} is ${query.get(name)}`;
            }
        }

        return ['redirect_uri', 'state', 'scope'].find((n) => !query.get(n));
    }

    #token(request) {
        this.clientCheck ??= new ClientCheck(this.issuer, this.client);
        const wrong = this.clientCheck.wrong(request);

        if (wrong) {
            this.refusals.push(wrong);
            return error(401, 'invalid_client');
        }

        if (request.form.get('grant_type') === 'refresh_token') {
            return this.#refresh(request.form.get('refresh_token'));
        }

        const grant = this.#codes.get(request.form.get('code'));

        if (request.form.get('grant_type') !== 'authorization_code'
            || !grant || grant.used || !redeems(grant.query, request.form)) {
            return error(400, 'invalid_grant');
        }

        grant.used = true;
        return json(this.tokenAnswer(this.#tokens(grant), grant));
    }

    // Who uses one twice has stolen it, or was stolen from: all of its family
    // is good for nothing any more (RFC 9700, 4.14.2).
    #refresh(token) {
        const family = this.#refreshTokens.get(token);

        if (!family || family.isOver || (this.rotates && family.last !== token)) {
            if (family) {
                family.isOver = true;
            }
            return error(400, 'invalid_grant');
        }

        const tokens = this.#tokens(family.grant, family);
        if (!this.refreshedIdToken) {
            delete tokens.id_token;
        }
        const answer = this.refreshAnswer(tokens, family.grant);
        return answer.status ? answer : json(answer);
    }

    // The provider has ended its own session.
    forgetRefreshTokens() {
        this.#refreshTokens.clear();
    }

    #tokens(grant, family = { grant }) {
        const access_token = this.accessToken();
        const refresh_token = this.#refreshTokenOf(family);
        const id_token = this.#idToken(grant, access_token);

        this.lastTokens = { access_token, refresh_token, id_token };
        return { access_token, token_type: 'Bearer', expires_in: this.expiresIn,
            scope: grant.query.get('scope'), id_token,
            ...(refresh_token ? { refresh_token } : {}) };
    }

    #refreshTokenOf(family) {
        if (family.last && !this.rotates) {
            return family.last;
        }

        const token = this.refreshToken?.();
        if (token) {
            family.last = token;
            this.#refreshTokens.set(token, family);
        }
        return token;
    }

    #idToken(grant, accessToken) {
        const key = this.keys[0];
        const now = Math.floor(Date.now() / 1000);
        grant.authTime ??= now;
        const claims = this.claims({
            iss: this.issuer, sub: 'user-1', aud: this.client.id,
            exp: now + 300, iat: now, auth_time: grant.authTime,
            nonce: grant.query.get('nonce') ?? undefined, sid: 'op-session-1',
            name: 'Ada Lovelace', email: 'ada@example.com',
            at_hash: halfHash(key.alg, accessToken),
        }, { ...grant, accessToken });
        const header = { ...key.header(), typ: 'JWT' };
        this.#subjects.set(accessToken, claims.sub);

        return this.idToken ? this.idToken({ claims, header, key })
            : signJwt(header, claims, key);
    }

    // RFC 6750, section 2.1: the token in the header, and there only.
    #userinfo(request) {
        const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];

        if (!this.#subjects.has(token) || request.query.has('access_token')) {
            return { ...error(401, 'invalid_token'), headers: {
                'WWW-Authenticate': 'Bearer error="invalid_token"' } };
        }

        const claims = this.userinfo({ sub: this.#subjects.get(token),
            name: 'Ada Lovelace', nickname: 'ada',
            address: { locality: 'London' } }, request);
        return { ...json(claims),
            headers: { 'Content-Type': this.userinfoType } };
    }

    // RP-Initiated Logout, section 2: by GET or by POST.
    #endSession({ method, query, form }) {
        const sent = method === 'POST' ? form : query;
        const back = sent.get('post_logout_redirect_uri');
        const state = sent.get('state');

        return !back ? { status: 200, body: 'logged out' } : { status: 302,
            body: '', headers: { Location: addQuery(back, { state }) } };
    }
}

function redeems(query, form) {
    const challenge = query.get('code_challenge');
    const verifier = form.get('code_verifier');
    const proven = challenge === null ? verifier === null
        : query.get('code_challenge_method') === 'S256' && verifier !== null
            && b64(crypto.createHash('sha256').update(verifier).digest())
                === challenge;

    return proven && form.get('redirect_uri') === query.get('redirect_uri');
}

function json(body) {
    return { status: 200,
        body: typeof body === 'string' ? body : JSON.stringify(body) };
}

function error(status, code) {
    return { status, body: JSON.stringify({ error: code,
        error_description: `the provider says ${code}` }) };
}

// Members that are null or undefined are left out, an array gives several.
export function formPost(url, members) {
    const fields = Object.entries(members).map(([name, value]) =>
        `<input type="hidden" name="${name}" value="${value}">`).join('');

    return { status: 200, headers: { 'Content-Type': 'text/html' },
        body: `<!doctype html><body onload="document.forms[0].submit()">`
            + `<form method="post" action="${url}">${fields}</form>`,
        form: { url, body: String(new URLSearchParams(members)) } };
}

function addQuery(url, members) {
    const pairs = Object.entries(members).flatMap(([name, value]) =>
        [value].flat().filter((v) => v !== null && v !== undefined)
            .map((v) => `${name}=${encodeURIComponent(v)}`));

    return pairs.length === 0 ? url
        : `${url}${url.includes('?') ? '&' : '?'}${pairs.join('&')}`;
}
