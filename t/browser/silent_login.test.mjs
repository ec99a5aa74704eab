// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The silent login, as docs/endpoints.md tells pages to do it: its own code
// runs here, with the provider as another site in the hidden frame.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import * as wire from '../lib/wire.mjs';
import { new_person } from './lib/browser.mjs';
import { asked, is_at, journey_of, provider, shop, sites } from './lib/sites.mjs';

const kDocs = readFileSync(new URL('../../docs/endpoints.md', import.meta.url), 'utf8');
const kCode = /^## Silent login$[^]*?^```js$([^]*?)^```$/m.exec(kDocs)[1];
const kSilentLogin = `(() => { ${kCode} return silentLogin(); })()`;
const kFull = '/bff/login?prompt=none&returnUrl=/deep%3Fa=1%23top';

const kModes = { query: '', form_post: 'response_mode form_post;', lax: 'cookie_samesite lax;' };

describe('a silent login', () => {
  const on = sites((s) => {
    s.at.file('shop/silent.html', '<!doctype html>');
    return Object.entries(kModes).map(([name, more]) =>
      provider(s, more, name) + shop(s, name, name)).join('\n');
  });

  const refuse_with = (error) => {
    on.op.callback = ({ state, iss }) => ({ error, state, iss });
  };

  for (const mode of Object.keys(kModes)) {
    const at = (path) => on.shop(path, mode);

    it(`${mode}: logs in, in a hidden frame`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      await page.goto(at('/'));
      const journey = journey_of(page);

      assert.equal(await page.evaluate(kSilentLogin), null);
      assert.deepEqual(journey, ['GET shop.test/bff/login 302', 'GET id.test/authorize 302',
        `GET shop.test/bff/callback ${mode === 'lax' ? 302 : 200}`, 'GET shop.test/silent.html 200']);
      assert.equal(await page.locator('iframe').count(), 0);
      assert.equal(on.op.calls('authorize')[0].query.get('prompt'), 'none');
      assert.deepEqual(asked(on), { authorize: 1, token: 1 });
      await page.reload();
      await is_at(page, at('/'));
      assert.deepEqual(person.complaints, []);
    });

    it(`${mode}: tells the page that it is refused`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      refuse_with('login_required');
      await page.goto(at('/'));

      assert.equal(await page.evaluate(kSilentLogin), 'login_required');
      assert.deepEqual(asked(on), { authorize: 1, token: 0 });
      assert.deepEqual(await person.cookies(), []);
      await page.reload();
      await is_at(page, at('/'), 'stranger');
    });
  }

  for (const mode of ['query', 'form_post']) {
    const at = (path) => on.shop(path, mode);

    it(`${mode}: lets a live session go on when it is refused`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      await page.goto(at('/members/'));
      await is_at(page, at('/members/'));

      refuse_with('login_required');
      assert.equal(await page.evaluate(kSilentLogin), 'login_required');
      await page.reload();
      await is_at(page, at('/members/'));
    });

    it(`${mode}: works as a full page`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      await page.goto(at('/'));
      await page.evaluate((url) => { location.href = url; }, kFull);
      await is_at(page, at('/deep?a=1#top'));
      assert.deepEqual(person.complaints, []);
    });

    it(`CB-4: ${mode}: a full page lands in the shop when it is refused`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      refuse_with('login_required');
      await page.goto(at('/'));
      await page.evaluate((url) => { location.href = url; }, kFull);
      await is_at(page, at('/deep?a=1&bff_error=login_required#top'), 'stranger');
      await page.goBack();
      await is_at(page, at('/'), 'stranger');
      assert.deepEqual(asked(on), { authorize: 1, token: 0 });
    });
  }

  it('gives up in a frame where the provider shows a page', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    on.op.wire.authorize = wire.instead({ status: 200, body: 'Who are you?',
      headers: { 'Content-Type': 'text/html', 'X-Frame-Options': 'DENY' } });
    await page.clock.install();
    await page.goto(on.shop('/', 'query'));

    const shown = page.waitForResponse((one) => one.url().startsWith(on.op.issuer));
    const outcome = page.evaluate(kSilentLogin);
    await shown;
    await page.clock.fastForward(10_000);
    assert.equal(await outcome, 'timeout');
    assert.equal(await page.locator('iframe').count(), 0);
  });
});
