// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A login brings people back to where they were, byte for byte, and a link on
// another site leads where it says, although SameSite=Strict holds the cookie
// back on the first request of such a journey.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';

import { new_person } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { is_logged_in, log_in, sign_in_at_provider } from './lib/steps.mjs';

// A page's address, as far as a server gets it, and what Chromium writes it as.
const kOddLinks = [
  '/members/?\'a\'"b"', "/members/?a;url='//evil.test'", '/members/?0;url=//evil.test',
  '/members/?//evil.test', '/members/?<script>&amp;&sol;a,b;c=d&&', '/members/?%09%0d%0a%5c%00%2F',
  '/members/?\u00e9\u2713', `/members/?${'x'.repeat(3000)}`,
];

const kDeepLink = '/orders/42?from=mail&note=a%20b%26c&list=x+y&path=%2Fetc%2F%E2%9C%93';

describe('the way back', () => {
  const on = stage();

  it('leads to the deep link where the login began', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin + kDeepLink);
    await log_in(page);

    assert.equal(page.url(), on.demo.origin + kDeepLink);
    assert.deepEqual(person.complaints, []);
  });

  it('leads to the protected page that asked for a login', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(`${on.demo.origin}/members/?q=a%2Fb%20c`);
    await sign_in_at_provider(page);

    await page.getByRole('heading', { name: 'Members only' }).waitFor();
    assert.equal(page.url(), `${on.demo.origin}/members/?q=a%2Fb%20c`);
    assert.deepEqual(person.complaints, []);
  });

  it('leads from another site’s link through a login', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(await another_site(t, `${on.demo.origin}/members/?from=mail`));
    await page.getByRole('link').click();
    await sign_in_at_provider(page);

    await page.getByRole('heading', { name: 'Members only' }).waitFor();
    assert.equal(page.url(), `${on.demo.origin}/members/?from=mail`);
  });

  it('leads from another site’s link without a second login', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.demo.origin);
    await log_in(page);

    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(await another_site(t, `${on.demo.origin}/members/?from=mail`));
    await page.getByRole('link').click();
    await page.getByRole('heading', { name: 'Members only' }).waitFor();

    assert.equal(page.url(), `${on.demo.origin}/members/?from=mail`);
    assert.deepEqual(asked.filter((url) => url.startsWith(on.demo.issuer)), []);
    assert.deepEqual(person.complaints, []);
  });

  it('leads where it says, whatever a Refresh header could read in it', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.demo.origin);
    await log_in(page);
    const links = await another_site(t, ...kOddLinks.map((link) => `${on.demo.origin}${link}`));

    for (const [i, link] of kOddLinks.entries()) {
      await page.goto(links);
      await page.getByRole('link').nth(i).click();
      await page.getByRole('heading', { name: 'Members only' }).waitFor();
      assert.equal(page.url(), new URL(link, on.demo.origin).href);
    }
  });

  it('never leads to another site', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    for (const where of ['https://evil.example/', '//evil.example', '/\\evil.example', '/%2Fevil.example']) {
      const answer = await page.goto(
        `${on.demo.origin}/bff/login?returnUrl=${encodeURIComponent(where)}`);
      assert.equal(answer.status(), 400, where);
      assert.equal(new URL(page.url()).origin, on.demo.origin);
    }
  });

  it('never lets a page of another site act as the person', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.demo.origin);
    await log_in(page);
    const until_now = on.demo.api_requests().length;

    await page.goto(await another_site(t, `${on.demo.origin}/api/hello`));
    const read = await page.evaluate(async (url) => {
      const options = { method: 'POST', mode: 'no-cors', credentials: 'include', body: 'x' };
      await fetch(url, options).catch(() => {});
      return fetch(url, { credentials: 'include' }).then(() => true, () => false);
    }, `${on.demo.origin}/api/hello`);

    assert.equal(read, false);
    assert.equal(on.demo.api_requests().length, until_now);
    await page.goto(on.demo.origin);
    await is_logged_in(page);
  });
});

// The same machine under another name is another site to a browser.
async function another_site(t, ...links) {
  const anchors = links.map((link) => `<a href="${html_of(link)}">There</a> `).join('');
  const server = createServer((req, res) => {
    res.setHeader('Content-Type', 'text/html');
    res.end(`<!doctype html><link rel="icon" href="data:,">${anchors}`);
  });

  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => server.close());
  return `http://localhost:${server.address().port}/`;
}

function html_of(text) {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
