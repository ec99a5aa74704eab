// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a browser fetches ahead of time uses up no login and ends no session.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { until } from '../lib/wait.mjs';
import { new_person } from './lib/browser.mjs';
import {
  asked, is_at, provider, shop, sites,
} from './lib/sites.mjs';

const kMoment = 3000;
const kSigns = {
  'a link': (url) => `<link rel="prefetch" href="${url}">`,
  'a rule': (url) => rules('prefetch', url),
  'a rule to prerender': (url) => rules('prerender', url),
};

function rules(action, url) {
  return `<script type="speculationrules">${JSON.stringify({
    [action]: [{ urls: [url], eagerness: 'immediate' }],
  })}</script>`;
}

describe('a prefetch', () => {
  const on = sites((s) => `
    log_format told '$request_method $request_uri $status $http_sec_purpose';
    ${provider(s)}
    ${shop(s, 'corp', 'main', 'access_log told.log told;')}`);

  // A page of the shop has its browser fetch `url`, and gets this status. A
  // browser that is busy leaves it at that, so the page asks again.
  async function ahead(page, sign, url) {
    on.at.file('shop/ahead.html', `<!doctype html><link rel="icon" href="data:,">${sign(url)}`);
    const { pathname } = new URL(url, on.shop('/'));
    const line = new RegExp(`^GET ${pathname}\\S* (\\d+) prefetch`, 'm');
    const seen = () => line.exec(on.nginx.file('told.log'));

    on.at.file('told.log', '');
    const [, status] = await until(`a prefetch of ${pathname}`, async () => {
      await page.goto(on.shop('/ahead.html'));
      return until('a browser with time', seen, kMoment).catch(() => null);
    });
    return Number(status);
  }

  for (const [name, sign] of Object.entries(kSigns)) {
    it(`CB-6: ${name} begins no login`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      assert.equal(await ahead(page, sign, '/bff/login'), 400);
      assert.deepEqual(await person.cookies(), []);
      assert.deepEqual(asked(on), { authorize: 0, token: 0 });
    });

    it(`${name} to a protected page begins no login`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      assert.equal(await ahead(page, sign, '/members/'), 401);
      assert.deepEqual(await person.cookies(), []);
      assert.deepEqual(asked(on), { authorize: 0, token: 0 });
      await page.goto(on.shop('/members/'));
      await is_at(page, on.shop('/members/'));
      assert.equal(await ahead(page, sign, '/members/'), 200);
    });

    it(`CB-6: ${name} uses up no callback`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      await page.goto(on.shop('/'));
      const there = await page.evaluate(() => fetch('/bff/login', { method: 'POST' })
        .then((answer) => answer.json()));
      const back = on.op.approve(there.authorization_url);

      assert.equal(await ahead(page, sign, back), 400);
      assert.deepEqual(asked(on), { authorize: 0, token: 0 });
      await page.goto(back);
      await is_at(page, on.shop('/'));
      assert.equal(asked(on).token, 1);
    });

    it(`${name} ends no session`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      await page.goto(on.shop('/members/'));
      await is_at(page, on.shop('/members/'));
      const { logout_url } = await page.evaluate(() => fetch('/bff/session')
        .then((answer) => answer.json()));

      assert.equal(await ahead(page, sign, logout_url), 400);
      await page.goto(on.shop('/members/'));
      await is_at(page, on.shop('/members/'));
    });
  }
});
