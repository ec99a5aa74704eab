// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The page for people when something went wrong: readable by day, by night and
// on a small screen, with a way on, and nothing that its own policy forbids.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as wire from '../lib/wire.mjs';
import { new_person } from './lib/browser.mjs';
import { is_at, provider, shop, sites } from './lib/sites.mjs';

const kDeepLink = '/members/42?a=1&b=%2Fx%20y';
const kLeastContrast = 4.5; // WCAG 2.1, 1.4.3
const kSmall = { width: 320, height: 480 };

describe('the problem page', () => {
  const on = sites((s) => `
    ${provider(s)}
    ${shop(s)}`);

  const refuse_with = (error) => {
    on.op.callback = ({ state, iss }) => ({ error, state, iss });
  };

  it('has a link to a login that leads where the first one was to', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    refuse_with('access_denied');
    await page.goto(on.shop(kDeepLink));
    await page.getByText('login_refused: access_denied').waitFor();

    on.op.callback = (usual) => usual;
    await page.getByRole('link', { name: 'Sign in' }).click();
    await is_at(page, on.shop(kDeepLink));
    assert.deepEqual(complaints_but_the_status(person), []);
  });

  it('leads on when the provider is there again', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    on.op.wire.token = wire.closeBefore;
    await page.goto(on.shop(kDeepLink));
    await page.getByText('provider_unavailable').waitFor();

    on.op.wire.token = wire.plain;
    await page.getByRole('link', { name: 'Try again' }).click();
    await is_at(page, on.shop(kDeepLink));
  });

  it('leads to the start from a link that leads elsewhere', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.shop('/bff/login?returnUrl=//evil.test/'));
    await page.getByRole('heading', { name: 'This link leads elsewhere' }).waitFor();
    await page.getByRole('link', { name: 'To the start' }).click();
    await is_at(page, on.shop('/'), 'stranger');
    assert.deepEqual(complaints_but_the_status(person), []);
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`can be read when it is ${colorScheme}, and on a small screen`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(kSmall);
      refuse_with(`x${'_very_long'.repeat(20)}`);
      await page.goto(on.shop('/members/'));
      await page.getByText('login_refused').waitFor();

      const [has, needs] = await page.evaluate(() => [
        document.documentElement.clientWidth, document.documentElement.scrollWidth]);
      assert.ok(needs <= has, `${needs} pixels wide on ${has}`);

      const [paper, ...inks] = await page.evaluate(colours);
      assert.equal(luminance(paper) > 0.5, colorScheme === 'light');
      for (const ink of inks) {
        assert.ok(contrast(ink, paper) >= kLeastContrast, `${ink} on ${paper}`);
      }
      assert.deepEqual(complaints_but_the_status(person), []);
    });
  }
});

// The status is an error's, and Chromium says so; nothing else is wrong.
function complaints_but_the_status(person) {
  return person.complaints.filter((one) => !/the server responded with a status of/.test(one));
}

// Runs in the page: of the paper, and of what is written on it.
function colours() {
  const of = (selector) => getComputedStyle(document.querySelector(selector));
  return [of('body').backgroundColor,
    ...['h1', 'p', 'a', 'small'].map((selector) => of(selector).color)];
}

function luminance(colour) {
  const [red, green, blue] = colour.match(/[\d.]+/g).map((octet) => {
    const part = octet / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}
