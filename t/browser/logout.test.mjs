// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// After a logout nothing is left: no cookie, no session in any tab, no call
// that gets through, and no provider that logs the next person in unasked.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { new_person } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import {
  call_api, is_logged_in, is_logged_out, log_in, log_out,
} from './lib/steps.mjs';

describe('a logout', () => {
  const on = stage();

  it('ends the session here and at the provider', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.demo.origin);
    await log_in(page);

    await log_out(page);
    assert.equal(page.url(), `${on.demo.origin}/`);
    assert.deepEqual(person.complaints, []);
    assert.deepEqual(await person.cookies(on.demo.origin), []);

    await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Who are you today?' }).waitFor();
  });

  it('lets no further call through, and the page says so', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.demo.origin);
    await log_in(page);
    await call_api(page, 'GET');
    await log_out(page);
    const until_now = on.demo.api_requests().length;

    assert.match(await call_api(page, 'GET'), /^401 /);
    assert.match(await call_api(page, 'POST'), /^401 /);
    const alert = page.getByRole('alert');
    assert.match(await alert.textContent(), /no_session/);
    await alert.getByRole('link', { name: 'Log in' }).waitFor();
    assert.equal(on.demo.api_requests().length, until_now);
  });

  it('is a logout in the other tabs, too', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.demo.origin);
    await log_in(page);
    const second = await person.newPage();
    await second.goto(on.demo.origin);
    await is_logged_in(second);

    await log_out(page);
    assert.match(await call_api(second, 'GET'), /^401 /);
    await is_logged_out(second);
  });

  it('may leave the provider’s own session alone', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.demo.origin);
    await log_in(page);

    await page.getByRole('link', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Stay signed in here' }).click();
    await is_logged_out(page);

    // Known there, but the permission ended with the session: one question.
    await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await is_logged_in(page);
  });
});
