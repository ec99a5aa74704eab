// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Back, forward and reload, wherever in a login they are pressed: people end in
// the shop and are logged in, and no code is redeemed twice.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as wire from '../lib/wire.mjs';
import { new_person } from './lib/browser.mjs';
import {
  ask_at_provider, asked, go_on_at_provider, is_at, journey_of, provider, reload, shop, sites,
  stuck_before,
} from './lib/sites.mjs';

const kOnce = { authorize: 1, token: 1 };

describe('back and reload', () => {
  const on = sites((s) => `
    ${provider(s)}
    ${provider(s, 'cookie_samesite lax;', 'lax')}
    ${shop(s, 'corp', 'strict')}
    ${shop(s, 'lax', 'lax')}`);

  for (const kind of ['strict', 'lax']) {
    const at = (path) => on.shop(path, kind);

    it(`${kind}: back is the page before the login, forward the one after`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      await page.goto(at('/before'));
      await page.evaluate(() => { location.href = '/members/'; });
      await is_at(page, at('/members/'));

      await page.goBack();
      await is_at(page, at('/before'));
      await page.goForward();
      await is_at(page, at('/members/'));
      await page.reload();
      await is_at(page, at('/members/'));
      assert.deepEqual(asked(on), kOnce);
      assert.deepEqual(person.complaints, []);
    });

    it(`CB-7: ${kind}: back at the provider, on again: in the shop`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      ask_at_provider(on);
      await page.goto(at('/members/'));
      await go_on_at_provider(page);
      await is_at(page, at('/members/'));

      for (let time = 0; time < 2; time += 1) {
        const journey = journey_of(page);
        await page.goBack();
        await go_on_at_provider(page);
        await is_at(page, at('/'));
        assert.ok(journey.length <= 4, journey);
        assert.equal(asked(on).token, 1);
      }
    });

    it(`CB-7: ${kind}: a callback opened once more leads to the shop`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      const callback = page.waitForRequest((one) => one.url().startsWith(at('/bff/callback')));
      await page.goto(at('/members/'));
      await is_at(page, at('/members/'));
      const url = (await callback).url();

      await page.goto(url);
      await is_at(page, at('/'));
      const link = on.evil_page('again.html', `<a href="${url.replaceAll('&', '&amp;')}">Again</a>`);
      await page.goto(link);
      const journey = journey_of(page);
      await page.getByRole('link').click();
      await is_at(page, at('/'));

      assert.deepEqual(journey, kind === 'lax'
        ? ['GET shop.test/bff/callback 302', 'GET shop.test/ 200']
        : ['GET shop.test/bff/callback 400', 'GET shop.test/bff/callback 302', 'GET shop.test/ 200']);
      assert.deepEqual(asked(on), kOnce);
    });

    it(`CB-7: ${kind}: somebody who stops and clicks again finds a way on`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      ask_at_provider(on);
      await page.goto(at('/members/'));

      // the answer to the first click comes when nobody waits for it any more
      const calls = [];
      const called = new Promise((resolve) => {
        on.op.wire.token = (...call) => resolve(calls.push(call));
      });
      const { x, y } = await page.getByRole('button').boundingBox();
      await page.mouse.click(x + 5, y + 5);
      await called;
      const journey = journey_of(page);
      await (await person.newCDPSession(page)).send('Page.stopLoading');
      await page.mouse.click(x + 5, y + 5);
      await page.getByText('This sign-in is over').waitFor();
      calls.forEach((call) => wire.plain(...call));
      assert.deepEqual(journey,
        Array(kind === 'lax' ? 1 : 2).fill('GET shop.test/bff/callback 400'));
      assert.equal(await page.getByText('cookies').count(), 0);

      on.op.wire.token = wire.plain;
      await page.getByRole('link', { name: 'Sign in' }).click();
      await go_on_at_provider(page);
      await is_at(page, at(kind === 'lax' ? '/members/' : '/'));
      assert.equal(asked(on).token, 2);
    });
  }

  it('CB-7: a reload of the callback leads to the shop, whoever led there', async (t) => {
    const link = on.evil_page('login.html',
      `<a href="${on.shop('/bff/login?returnUrl=/members/', 'strict')}">There</a>`);

    for (const start of [on.shop('/', 'strict'), link]) {
      on.op.requests = [];
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      const arrived = stuck_before(page, on.shop('/members/', 'strict'));
      await page.goto(start);
      await page.evaluate((url) => { location.href = url; },
        on.shop('/bff/login?returnUrl=/members/', 'strict'));
      await arrived;
      assert.equal(new URL(page.url()).pathname, '/bff/callback');

      const journey = journey_of(page);
      await reload(page);
      await is_at(page, on.shop('/', 'strict'));
      assert.deepEqual(journey.slice(-2),
        ['GET shop.test/bff/callback 302', 'GET shop.test/ 200']);
      assert.ok(journey.length <= 3, journey);
      assert.deepEqual(asked(on), kOnce);
    }
  });
});
