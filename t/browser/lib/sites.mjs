// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Another stage: shop.test and its provider id.test are different sites to the
// browser, as they are in real life, and evil.test is a third one. The test
// brings NGINX's configuration and scripts the provider, who answers at once,
// as one does who knows the person already.

import { after, before, beforeEach } from 'node:test';

import { kKey } from '../../lib/checks.mjs';
import { Dns } from '../../lib/dns.mjs';
import { Nginx, Place } from '../../lib/nginx.mjs';
import { authority } from '../../lib/pki.mjs';
import { Provider } from '../../lib/provider.mjs';
import { Upstream } from '../../lib/upstream.mjs';
import * as wire from '../../lib/wire.mjs';
import { start_browser } from './browser.mjs';

/** `configuration`: (stage) => text of http{}; stage has op, api and at. */
export function sites(configuration) {
  const on = {
    shop: (path, listener = 'main') => `https://shop.test:${on.at.port(listener)}${path}`,
    evil: (path) => `https://evil.test:${on.at.port('evil')}${path}`,
    /** A page of evil.test; the address to open it at. */
    evil_page: (name, body) => {
      on.at.file(`evil/${name}`, `${kHead}${body}`);
      return on.evil(`/${name}`);
    },
  };

  before(() => begin(on, configuration));
  after(() => end(on));
  beforeEach(() => {
    on.op.reset();
    on.op.wire['/favicon.ico'] = wire.instead({ status: 204, body: '' });
  });
  return on;
}

async function begin(on, configuration) {
  on.dns = await Dns.start({ 'id.test': { a: ['127.0.0.1'] } });
  on.op = await Provider.start({ tls: true, host: 'id.test' });
  on.api = await Upstream.start();
  on.at = await Place.make();
  on.at.file('shop/index.html', kShop);
  on.at.file('evil/index.html', kHead);
  on.nginx = await Nginx.start({ place: on.at, http: `
    server {
        listen ${on.at.tls('evil')};
        server_name evil.test;
        root evil;
    }
    ${configuration(on)}` });
  on.browser = await start_browser();
}

async function end(on) {
  try {
    await on.browser?.close();
    await on.nginx?.stop();
  } finally {
    await on.op?.stop();
    await on.api?.stop();
    await on.dns?.stop();
  }
}

/** A provider block, with these directives more. */
export function provider({ op, dns }, more = '', name = 'corp') {
  return `
    bff_provider ${name} {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        resolver 127.0.0.1:${dns.port};
        ssl_trusted_certificate ${authority().certificate};
        ${more}
    }`;
}

/** A server of the shop: public pages, pages for members, an API. */
export function shop({ at, api }, name = 'corp', listener = 'main', more = '') {
  return `
    server {
        listen ${at.tls(listener)};
        server_name shop.test;
        root shop;
        location / { try_files $uri /index.html; }
        location /members/ { bff ${name}; try_files /index.html =404; }
        location /api/ { bff ${name}; proxy_pass http://${api.address}; }
        ${more}
    }`;
}

// An icon of its own, so that nobody asks for one.
const kHead = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">';

// It says who is logged in, and nothing else.
const kShop = `${kHead}
<title>The Shop</title>
<h1>The Shop</h1>
<p role="status"></p>
<script type="module">
  const answer = await fetch('/bff/session', { headers: { 'X-CSRF': '1' } });
  const { authenticated, claims } = await answer.json();
  document.querySelector('[role=status]').textContent =
    authenticated ? 'Hello ' + claims.name : 'Hello stranger';
</script>
`;

/** `page` is at `url` of the shop in the end, and knows who looks at it. */
export async function is_at(page, url, who = 'Ada Lovelace') {
  await page.waitForURL(url);
  await page.getByText(`Hello ${who}`).waitFor();
}

/** From now on the provider has a page, and goes on when somebody says so. */
export function ask_at_provider({ op }) {
  op.wire.authorize = (socket, answer) => {
    const { url, body } = answer.form ?? { url: answer.headers.Location };
    const fields = [...new URLSearchParams(body)].map(([name, value]) =>
      `<input type="hidden" name="${name}" value="${value}">`);
    const way_on = answer.form
      ? `<form method="post" action="${url}">${fields.join('')}<button>Go on</button></form>`
      : `<a role="button" href="${url.replaceAll('&', '&amp;')}">Go on</a>`;

    wire.plain(socket, { status: 200, headers: { 'Content-Type': 'text/html' },
      body: `${kHead}<h1>Who are you?</h1>${way_on}` });
  };
}

export async function go_on_at_provider(page) {
  await page.getByRole('button', { name: 'Go on' }).click();
}

/** `page` asks for `url` and gets no answer, once; resolves when it has asked. */
export function stuck_before(page, url) {
  return new Promise((resolve) => { page.route(url, resolve, { times: 1 }); });
}

/** F5, also while the page waits for something. */
export async function reload(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Page.reload');
  await cdp.detach();
}

/** All documents that `page` gets from now on, in order. */
export function journey_of(page) {
  const journey = [];

  page.on('response', (response) => {
    const request = response.request();
    if (request.isNavigationRequest()) {
      const { hostname, pathname } = new URL(response.url());
      journey.push(`${request.method()} ${hostname}${pathname} ${response.status()}`);
    }
  });
  return journey;
}

/** What the provider was asked since the last reset(), by endpoint. */
export function asked({ op }) {
  return {
    authorize: op.calls('authorize').length,
    token: op.calls('token').length,
  };
}
