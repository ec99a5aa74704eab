// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The demo is for everybody: it works by keyboard alone, it fits a phone, and
// each of its pages names its parts for those who hear them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { new_person } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { is_logged_in, is_logged_out, log_in } from './lib/steps.mjs';

const kPhone = { width: 360, height: 740 };
const kMostStops = 40;

describe('the page', () => {
  const on = stage();

  it('works by keyboard alone', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin);
    await is_logged_out(page);
    await press(page, page.getByRole('main').getByRole('link', { name: 'Log in' }));
    await page.waitForURL((url) => url.origin === on.demo.issuer);
    await press(page, page.getByRole('button', { name: 'Bob Baker' }));
    await press(page, page.getByRole('button', { name: 'Allow', exact: true }));
    await is_logged_in(page, 'Bob Baker');
    await press(page, page.getByRole('button', { name: 'GET', exact: true }));
    await page.getByText(/^200 GET/).waitFor();
    await press(page, page.getByRole('link', { name: 'Log out' }));
    await press(page, page.getByRole('button', { name: 'Sign out' }));
    await is_logged_out(page);
  });

  it('fits a phone', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.setViewportSize(kPhone);

    await page.goto(`${on.demo.origin}/orders/${'x'.repeat(80)}?q=${'y'.repeat(80)}`);
    await is_logged_out(page);
    await fits(page);
    await log_in(page);
    await page.locator('summary').first().click();
    await fits(page);
  });

  it('tells what is what', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin);
    await is_logged_out(page);
    for (const role of ['banner', 'main', 'contentinfo', 'status', 'alert']) {
      assert.equal(await page.getByRole(role).count(), 1, role);
    }
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('textbox', { name: 'A message for the POST' }).waitFor();
    assert.equal(await page.locator('button:not([type])').count(), 0);
  });
});

// As a person does it: on and on until it has the focus, and shows it.
async function press(page, target) {
  await target.waitFor();
  for (let stop = 0; stop < kMostStops; stop += 1) {
    if (await target.evaluate((one) => one === document.activeElement)) {
      assert.notEqual(await target.evaluate((one) => getComputedStyle(one).outlineStyle), 'none');
      await page.keyboard.press('Enter');
      return;
    }
    await page.keyboard.press('Tab');
  }

  assert.fail(`no way to ${target} by keyboard`);
}

async function fits(page) {
  const [has, needs] = await page.evaluate(() => [
    document.documentElement.clientWidth, document.documentElement.scrollWidth,
  ]);
  assert.ok(needs <= has, `${needs} pixels wide on ${has}`);
}
