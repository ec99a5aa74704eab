// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Looks at a bearer token as an API does: signature, issuer, times. What it
// returns can be shown to anybody, since the token stands in it only by its
// first letters and its length.

import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';

const key_sets = new Map();

export function bearer_of({ headers: { authorization = '' } }) {
  return /^Bearer ([^ ]+)$/.exec(authorization)?.[1] ?? null;
}

/** `trusted` is the issuer whose tokens count, and where its keys are. */
export async function inspect_token(token, trusted) {
  if (token === null) {
    return { valid: false, why: 'no bearer token came' };
  }

  const shown = { shortened: shorten(token) };
  return is_jwt(token)
    ? { ...shown, format: 'jwt', ...await check(token, trusted) }
    : { ...shown, format: 'opaque', valid: true, why: 'not checked: only the provider can read it' };
}

async function check(token, { issuer, jwks_uri }) {
  try {
    const { payload } = await jwtVerify(token, keys_at(jwks_uri), { issuer });
    return { valid: true, claims: payload };
  } catch (error) {
    return { valid: false, why: error.message, claims: decodeJwt(token) };
  }
}

function keys_at(jwks_uri) {
  if (!key_sets.has(jwks_uri)) {
    key_sets.set(jwks_uri, createRemoteJWKSet(new URL(jwks_uri)));
  }

  return key_sets.get(jwks_uri);
}

function is_jwt(token) {
  try {
    return Boolean(decodeJwt(token));
  } catch {
    return false;
  }
}

function shorten(token) {
  return `${token.slice(0, 8)}… (${token.length} characters)`;
}
