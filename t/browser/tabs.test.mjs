// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Several tabs log in at once, and end in any order.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { new_person } from './lib/browser.mjs';
import {
  ask_at_provider, asked, go_on_at_provider, is_at, journey_of, provider, shop, sites,
} from './lib/sites.mjs';

describe('several tabs', () => {
  const on = sites((s) => `
    ${provider(s)}
    ${provider(s, 'response_mode form_post;', 'form')}
    ${shop(s)}
    ${shop(s, 'form', 'form')}`);

  async function tabs(t, many, listener = 'main') {
    const person = await new_person(t, on.browser);
    ask_at_provider(on);
    const pages = [];
    for (let one = 0; one < many; one += 1) {
      pages.push(await person.newPage());
      await pages[one].goto(on.shop(`/members/${one}`, listener));
    }
    return pages;
  }

  it('CB-3: four end in any order, each where it wanted', async (t) => {
    const pages = await tabs(t, 4);
    for (const one of [2, 0, 3, 1]) {
      await go_on_at_provider(pages[one]);
      await is_at(pages[one], on.shop(`/members/${one}`));
    }
    assert.deepEqual(asked(on), { authorize: 4, token: 4 });
  });

  for (const listener of ['main', 'form']) {
    it(`CB-3: ${listener}: the oldest of five ends in the shop after another`, async (t) => {
      const [oldest, ...others] = await tabs(t, 5, listener);
      await go_on_at_provider(others[3]);
      await is_at(others[3], on.shop('/members/4', listener));

      const journey = journey_of(oldest);
      await go_on_at_provider(oldest);
      await is_at(oldest, on.shop('/', listener));
      assert.ok(journey.length <= 3, journey);
      assert.equal(asked(on).token, 1);

      for (const one of [1, 2, 3]) {
        await go_on_at_provider(others[one - 1]);
        await is_at(others[one - 1], on.shop(`/members/${one}`, listener));
      }
    });
  }

  it('CB-3: the oldest of five, before all others, is shown a way on', async (t) => {
    const [oldest] = await tabs(t, 5);
    const journey = journey_of(oldest);
    await go_on_at_provider(oldest);
    await oldest.waitForURL(/error=/);
    await oldest.getByText('login_expired').waitFor();
    assert.equal(journey.length, 2, journey);

    await oldest.getByRole('link', { name: 'Sign in' }).click();
    await go_on_at_provider(oldest);
    await is_at(oldest, on.shop('/'));
  });
});
