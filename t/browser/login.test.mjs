// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The main thing: a person logs in at a real provider, and from then on the
// page's calls reach the API with that person's token, in every tab.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { new_person } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import {
  call_api, facts_of, is_logged_in, is_logged_out, log_in,
} from './lib/steps.mjs';

describe('a person in a browser', () => {
  const on = stage();

  it('logs in at the provider and lands on the page', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin);
    await is_logged_out(page);
    await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
    await page.waitForURL((url) => url.origin === on.demo.issuer);
    await page.goBack();
    await log_in(page);

    assert.equal(page.url(), `${on.demo.origin}/`);
    const facts = await facts_of(page, 'Who am I?');
    assert.equal(facts.sub, 'alice');
    assert.equal(facts.email, 'alice@example.com');
    assert.deepEqual(person.complaints, []);
  });

  it('is whoever they say they are', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin);
    await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
    await page.getByLabel('Somebody else').fill('Zoë <b>&amp; 李');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Allow', exact: true }).click();

    await is_logged_in(page, 'Zoë <b>&amp; 李');
    assert.deepEqual(person.complaints, []);
  });

  it('calls the API with a token it never had', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin);
    await log_in(page, 'Bob Baker');
    for (const method of ['GET', 'POST']) {
      assert.match(await call_api(page, method), /^200 /);
      const facts = await facts_of(page, 'What the API got');
      assert.equal(facts.request, `${method} /api/hello?from=page`);
      assert.match(facts.checked, /signature is good/);
      assert.equal(facts.cookies, 'none');
      assert.equal(facts.body, method === 'GET' ? 'none' : '{"message":"Hello from the page"}');

      const { authorization, cookie } = on.demo.api_requests().at(-1);
      assert.equal(authorization, `Bearer ${latest_access_token(on.demo)}`);
      assert.equal(cookie, null);
    }
    assert.deepEqual(person.complaints, []);
  });

  it('is still logged in after a reload, and in a second tab', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin);
    await log_in(page);
    await page.reload();
    await is_logged_in(page);

    const second = await person.newPage();
    await second.goto(on.demo.origin);
    await is_logged_in(second);
    assert.match(await call_api(second, 'GET'), /^200 /);
    assert.deepEqual(person.complaints, []);
  });

  it('holds one cookie, as strict as cookies can be', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin);
    await log_in(page);

    const cookies = await person.cookies(on.demo.origin);
    assert.deepEqual(cookies.map(({ name }) => name), ['__Host-Http-bff-corp']);
    const { domain, path, httpOnly, secure, sameSite } = cookies[0];
    assert.deepEqual({ domain, path, httpOnly, secure, sameSite }, {
      domain: '127.0.0.1', path: '/', httpOnly: true, secure: true, sameSite: 'Strict',
    });
  });

  it('has no session after saying no at the provider', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin);
    await page.getByRole('main').getByRole('link', { name: 'Log in' }).click();
    const landing = page.waitForResponse((one) => one.url().includes('/bff/callback'));
    await page.getByRole('button', { name: 'Back to The Shop' }).click();
    const answer = await landing;

    assert.equal(answer.status(), 403);
    await page.getByText('login_refused').waitFor();
    assert.deepEqual(await person.cookies(on.demo.origin), []);
    await page.goto(on.demo.origin);
    await is_logged_out(page);
  });
});

function latest_access_token(demo) {
  return demo.tokens().filter(([kind]) => kind === 'access token').at(-1)[1];
}
