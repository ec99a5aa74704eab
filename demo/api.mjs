// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The API behind NGINX. It wants a bearer token of the demo's provider, checks
// it as an API does, and answers with what has reached it: the headers, the
// cookies, the claims of the token. The token itself is never in an answer.
//
//   PORT          preferred port, another free one if it is taken
//   URL_FILE      where to write the origin once it answers
//   ISSUER        the provider whose tokens count
//   JWKS_URI      where its keys are
//   RECORD_FILE   for tests: every Authorization header, one JSON text a line

import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { bearer_of, inspect_token } from './lib/bearer.mjs';
import { announce, listen } from './lib/listen.mjs';

const kBodyLimit = 64 * 1024;
const kAllowed = ['GET', 'POST'];
const kTrusted = { issuer: process.env.ISSUER, jwks_uri: process.env.JWKS_URI };

const server = createServer((req, res) => {
  answer(req, res).catch((error) => {
    console.error(error);
    send(res, 500, { error: 'the API failed' });
  });
});

announce(await listen(server, Number(process.env.PORT ?? 0)), process.env.URL_FILE);

async function answer(req, res) {
  record(req);

  if (!kAllowed.includes(req.method)) {
    return send(res, 405, { error: 'GET or POST, please' }, { Allow: kAllowed.join(', ') });
  }

  const body = await read_body(req);
  if (body === null) {
    return send(res, 413, { error: 'that is too much' });
  }

  const token = await inspect_token(bearer_of(req), kTrusted);
  return send(res, token.valid ? 200 : 401, what_came(req, body, token));
}

function what_came(req, body, token) {
  return {
    request: `${req.method} ${req.url}`,
    token,
    cookies: cookie_names(req),
    headers: shown_headers(req, token),
    body: parsed(body),
  };
}

function shown_headers(req, token) {
  const { authorization, ...headers } = req.headers;
  return authorization === undefined
    ? headers
    : { authorization: `Bearer ${token.shortened ?? '…'}`, ...headers };
}

function cookie_names({ headers: { cookie = '' } }) {
  return cookie.split(';').map((one) => one.split('=')[0].trim()).filter(Boolean);
}

async function read_body(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size <= kBodyLimit) {
      chunks.push(chunk);
    }
  }

  return size > kBodyLimit ? null : Buffer.concat(chunks).toString('utf8');
}

function parsed(body) {
  try {
    return body === '' ? null : JSON.parse(body);
  } catch {
    return body;
  }
}

function send(res, status, value, headers = {}) {
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    ...headers,
  });
  res.end(`${JSON.stringify(value, null, 2)}\n`);
}

function record({ method, url, headers: { authorization = null, cookie = null } }) {
  if (process.env.RECORD_FILE) {
    const line = JSON.stringify({ method, url, authorization, cookie });
    appendFileSync(process.env.RECORD_FILE, `${line}\n`, { mode: 0o600 });
  }
}
