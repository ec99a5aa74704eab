// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A browser that keeps no cookies of the shop: no login can work, so people are
// told what to change, instead of being sent in a circle.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { new_person_who_prefers } from './lib/browser.mjs';
import {
  asked, journey_of, provider, shop, sites,
} from './lib/sites.mjs';

const kBlock = 2; // of chrome://settings/content/cookies

// One bounce, one login, one refusal; and one look more where the cookie could
// have been held back.
const kBounce = 'GET shop.test/members/ 200';
const kStart = 'GET shop.test/members/ 302';
const kRefusal = 'GET shop.test/bff/callback 400';
const kJourneys = {
  main: [kBounce, kStart, 'GET id.test/authorize 302', kRefusal, kRefusal],
  lax: [kStart, 'GET id.test/authorize 302', kRefusal],
  form: [kBounce, kStart, 'GET id.test/authorize 200', 'POST shop.test/bff/callback 400', kRefusal],
};

describe('a browser without cookies', () => {
  const on = sites((s) => `
    ${provider(s)}
    ${provider(s, 'cookie_samesite lax;', 'lax')}
    ${provider(s, 'response_mode form_post;', 'form')}
    ${shop(s)}
    ${shop(s, 'lax', 'lax')}
    ${shop(s, 'form', 'form')}`);

  const blocked = {
    'by one site': () => ({ content_settings: { exceptions: { cookies: {
      'https://[*.]shop.test,*': { setting: kBlock },
    } } } }),
    everywhere: () => ({ default_content_setting_values: { cookies: kBlock } }),
  };

  for (const [where, preferences] of Object.entries(blocked)) {
    it(`blocked ${where}: people are told, and do not go in circles`, async (t) => {
      const person = await new_person_who_prefers(t, { profile: preferences() });

      for (const listener of ['main', 'lax', 'form']) {
        on.op.requests = [];
        const page = await person.newPage();
        await page.goto(on.evil_page('link.html',
          `<a href="${on.shop('/members/', listener)}">There</a>`));
        const journey = journey_of(page);
        const last = listener === 'lax' ? /code=/ : /error=login_expired/;
        await page.getByRole('link').click();
        await page.waitForURL(last);
        await page.getByText('allow them for this site').waitFor();
        assert.deepEqual(journey, kJourneys[listener]);
        assert.deepEqual(asked(on), { authorize: 1, token: 0 });
        assert.deepEqual(await person.cookies(), []);
      }
    });
  }
});
