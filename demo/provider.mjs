// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A real OpenID provider on the loopback interface, for the demo and its
// tests. It lets anybody in under any name; never let it listen elsewhere.
//
//   PORT                 preferred port, another free one if it is taken
//   URL_FILE             where to write the issuer once it answers
//   APP_ORIGINS          origins of the application, separated by blanks
//   CLIENT_SECRET_FILE   the secret of the client "shop"
//   ACCESS_TOKENS        "jwt" (default) or "opaque"
//   RECORD_FILE          for tests: every token answer, one JSON text a line
//   CLIENT_PROPERTIES    for tests: more of the client's registration, as JSON
//   EXTENSION            for tests: a module that changes the configuration and
//                        extends the provider

import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

import { announce, listen } from './lib/listen.mjs';
import { configuration, kBase } from './provider/configuration.mjs';
import { interactions } from './provider/interaction.mjs';

const kStyle = readFileSync(new URL('./provider/style.css', import.meta.url));
const kApi = 'urn:bff:demo:api';

const origins = process.env.APP_ORIGINS.split(' ');

// The port is part of the issuer's name, so it is known first.
const server = createServer();
const issuer = await listen(server, Number(process.env.PORT ?? 0));
const settings = configuration({
  client: shop(),
  api: kApi,
  access_tokens: process.env.ACCESS_TOKENS ?? 'jwt',
});

const extension = process.env.EXTENSION ? await import(process.env.EXTENSION) : {};
extension.configure?.(settings);

const provider = new Provider(issuer, settings);

extension.extend?.(provider);
provider.use(guard);
provider.use(style);
provider.use(interactions(provider));
report_errors();
record_tokens();

server.on('request', provider.callback());
announce(issuer, process.env.URL_FILE);

function shop() {
  return {
    client_id: 'shop',
    client_name: 'The Shop',
    client_secret: readFileSync(process.env.CLIENT_SECRET_FILE, 'utf8').trim(),
    redirect_uris: origins.map((origin) => `${origin}/bff/callback`),
    post_logout_redirect_uris: origins.map((origin) => `${origin}/`),
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...JSON.parse(process.env.CLIENT_PROPERTIES ?? '{}'),
  };
}

// Chromium holds the redirects that follow a form to form-action as well: the
// last one leads to the application.
async function guard(ctx, next) {
  ctx.set('Content-Security-Policy', [
    "default-src 'none'",
    "script-src 'none'",
    "style-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action 'self' ${origins.join(' ')}`,
  ].join('; '));
  ctx.set('Referrer-Policy', 'same-origin');
  ctx.set('X-Content-Type-Options', 'nosniff');
  await next();
}

async function style(ctx, next) {
  if (ctx.path !== `${kBase}/style.css`) {
    return next();
  }

  ctx.type = 'css';
  ctx.body = kStyle;
}

function report_errors() {
  for (const event of ['authorization.error', 'grant.error', 'end_session.error']) {
    provider.on(event, (ctx, error) => {
      console.error(`${event}: ${error.error}: ${error.error_detail ?? error.message}`);
    });
  }
  provider.on('server_error', (ctx, error) => console.error(error));
}

function record_tokens() {
  const file = process.env.RECORD_FILE;
  if (file) {
    provider.on('grant.success', (ctx) => {
      appendFileSync(file, `${JSON.stringify(ctx.body)}\n`, { mode: 0o600 });
    });
  }
}
