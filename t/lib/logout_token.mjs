// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Logout tokens as the provider of a test makes them, good ones and others
// (Back-Channel Logout 1.0, 2.4), and the way they come.

import crypto from 'node:crypto';

import { signJwt } from './jose.mjs';

export const kEvent = 'http://schemas.openid.net/event/backchannel-logout';

// change: (claims) => claims; options: header, key.
export function logoutToken(op, change = (usual) => usual, options = {}) {
    const key = options.key ?? op.keys[0];
    const now = Math.floor(Date.now() / 1000);
    const claims = change({ iss: op.issuer, aud: op.client.id, iat: now,
        exp: now + 120, jti: crypto.randomUUID(), sub: 'user-1',
        sid: 'op-session-1', events: { [kEvent]: {} } });

    return signJwt({ ...key.header(), typ: 'logout+jwt', ...options.header },
        claims, key);
}

// As a provider posts it: no cookie, nothing of a browser's.
export function postForm(browser, fields, headers = {}) {
    const body = new URLSearchParams(fields).toString();

    return browser.request('/bff/backchannel', { method: 'POST', body,
        cookies: false, headers: {
            'Content-Type': 'application/x-www-form-urlencoded',
            'Content-Length': body.length, ...headers } });
}

export function postToken(browser, token) {
    return postForm(browser, { logout_token: token });
}
