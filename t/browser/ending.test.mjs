// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How sessions end where only a browser can tell: a page that posts by itself
// and that no script can look into, and a frame on the provider's site.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as wire from '../lib/wire.mjs';
import { new_person } from './lib/browser.mjs';
import { is_at, journey_of, provider, shop, sites } from './lib/sites.mjs';

describe('the end of a session', () => {
  const on = sites((s) => `
    ${provider(s)}
    ${shop(s)}`);

  async function logged_in(t) {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.shop('/members/'));
    await is_at(page, on.shop('/members/'));
    return { person, page };
  }

  it('RIL-3: a long hint goes in a form, and the browser comes back', async (t) => {
    on.op.claims = (usual) => ({ ...usual, junk: 'j'.repeat(5000) });
    const { person, page } = await logged_in(t);
    const { id_token } = on.op.tokens;
    const journey = journey_of(page);

    await page.evaluate(() => { location.assign('/bff/logout'); });
    await page.waitForURL(/\/\?state=/);
    await page.getByText('Hello stranger').waitFor();

    assert.deepEqual(journey, ['GET shop.test/bff/logout 200',
      'POST id.test/end_session 302', 'GET shop.test/ 200']);
    const [sent] = on.op.calls('end_session');
    assert.equal(sent.form.get('id_token_hint'), id_token);
    assert.equal(sent.form.get('client_id'), 'shop');
    assert.deepEqual(person.complaints, []);
  });

  it('BFF-21: a script that opens that page cannot look into it', async (t) => {
    on.op.claims = (usual) => ({ ...usual, junk: 'j'.repeat(5000) });
    const { page } = await logged_in(t);
    on.op.wire.end_session = wire.silent; // the page stays

    const popup = page.waitForEvent('popup');
    await page.evaluate(() => { window.opened = open('/bff/logout'); });
    await (await popup).waitForRequest(/end_session/);

    const seen = await page.evaluate(() => {
      try {
        return window.opened.document.body.innerHTML;
      } catch (error) {
        return error.name;
      }
    });
    assert.equal(seen, 'SecurityError');
  });

  it('FCL-1: a frame of the provider ends it, without any cookie', async (t) => {
    on.op.claims = (usual) => ({ ...usual, sid: 'sid-of-the-frame' });
    const { person, page } = await logged_in(t);
    const there = new URL('/bff/frontchannel', on.shop('/'));
    there.search = new URLSearchParams({ iss: on.op.issuer, sid: 'sid-of-the-frame' });
    on.op.wire.end_session = (socket) => wire.plain(socket, { status: 200,
      headers: { 'Content-Type': 'text/html' },
      body: `<!doctype html><link rel="icon" href="data:,">
        <iframe src="${there.href.replaceAll('&', '&amp;')}"></iframe>` });

    const other = await person.newPage();
    const framed = other.waitForResponse(there.href);
    await other.goto(`${on.op.issuer}/end_session`);
    const answer = await framed;
    assert.equal(answer.status(), 200);
    assert.equal((await answer.request().allHeaders()).cookie, undefined);
    assert.deepEqual(person.complaints, []);

    const code = await page.evaluate(async () =>
      (await (await fetch('/api/x', { headers: { 'X-CSRF': '1' } })).json()).code);
    assert.equal(code, 'session_revoked');
  });
});
