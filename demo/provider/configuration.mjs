// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What the demo's OpenID provider is: one confidential client, PKCE always,
// refresh tokens that rotate, and access tokens for one API. Keys and secrets
// are made at start, so nothing here outlives the process.

import { generateKeyPairSync, randomBytes } from 'node:crypto';

import * as accounts from './accounts.mjs';
import { error_page, logged_out_page, logout_page } from './pages.mjs';

// Everything stands below one path, and so do the cookies: a browser does not
// tell ports apart, and the shop on the same host shall not see them.
export const kBase = '/oidc';

const kIdentity = ['name', 'preferred_username', 'email', 'email_verified'];
const kMinute = 60;
const kHour = 60 * kMinute;

export function configuration({ client, api, access_tokens }) {
  return {
    clients: [client],
    jwks: { keys: [signing_key()] },
    cookies: cookies(),
    routes: routes(),
    ttl: lifetimes(),
    findAccount: find_account,
    interactions: { url: (ctx, { uid }) => `${kBase}/interaction/${uid}` },
    features: features(api, access_tokens),
    renderError: (ctx, out) => { ctx.body = error_page(out); },

    // The claims belong to "openid" and stand in the ID token, so that a client
    // that asks for nothing more still learns who has come.
    claims: { openid: ['sub', ...kIdentity], profile: ['name'], email: ['email'] },
    conformIdTokenClaims: false,

    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (ctx, asking) => asking.grantTypeAllowed('refresh_token'),
  };
}

function features(api, access_tokens) {
  return {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => { ctx.body = logout_page(form, ctx); },
      postLogoutSuccessSource: (ctx) => { ctx.body = logged_out_page(); },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => api,
      useGrantedResource: () => true,
      getResourceServerInfo: () => resource_server(api, access_tokens),
    },
  };
}

function resource_server(api, accessTokenFormat) {
  return {
    scope: '',
    audience: api,
    accessTokenFormat,
    jwt: { sign: { alg: 'RS256' } },
  };
}

function find_account(ctx, id) {
  const account = accounts.find(id);
  return account && {
    accountId: account.id,
    claims: () => accounts.claims_of(account),
  };
}

function signing_key() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    ...privateKey.export({ format: 'jwk' }),
    kid: randomBytes(8).toString('hex'),
    use: 'sig',
    alg: 'RS256',
  };
}

// Lax, not None: a browser drops SameSite=None without Secure, and the
// provider of the demo speaks plain http on the loopback interface.
function cookies() {
  return {
    keys: [randomBytes(32).toString('hex')],
    long: { httpOnly: true, sameSite: 'lax', path: kBase },
    short: { httpOnly: true, sameSite: 'lax' },
  };
}

function routes() {
  return {
    authorization: `${kBase}/auth`,
    end_session: `${kBase}/session/end`,
    jwks: `${kBase}/jwks`,
    pushed_authorization_request: `${kBase}/request`,
    revocation: `${kBase}/token/revocation`,
    token: `${kBase}/token`,
    userinfo: `${kBase}/me`,
  };
}

function lifetimes() {
  return {
    AccessToken: kHour,
    AuthorizationCode: kMinute,
    Grant: 24 * kHour,
    IdToken: kHour,
    Interaction: kHour,
    RefreshToken: 24 * kHour,
    Session: 24 * kHour,
  };
}
