// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// No token ever reaches the browser. The test knows every token from the
// provider that issued it, and looks for each, whole and in parts, in all that
// the browser received, sent or kept while a person used the shop.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { new_person } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import {
  call_api, is_logged_in, log_in, log_out,
} from './lib/steps.mjs';
import { witness_of } from './lib/witness.mjs';

describe('tokens', () => {
  const on = stage();

  it('stay away from the browser from login to logout', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    const witness = await witness_of(page);

    await page.goto(on.demo.origin);
    await log_in(page);
    await call_api(page, 'GET');
    await call_api(page, 'POST');
    await witness.look_around(page);
    await page.reload();
    await is_logged_in(page);
    assert.deepEqual(person.complaints, []);
    await fetch_every_endpoint(page);
    await witness.look_around(page);
    sees_all_but_tokens(on.demo, witness);

    // The ID token travels to the provider at logout, to say whose session it
    // is; no other token travels with it.
    await log_out(page);
    await witness.look_around(page);
    for (const [kind, value] of on.demo.tokens().filter(([kind]) => kind !== 'ID token')) {
      sees_nothing_of(witness, kind, value);
    }
  });

  it('leave script with nothing to read', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();

    await page.goto(on.demo.origin);
    await log_in(page);
    await call_api(page, 'GET');

    assert.deepEqual(await page.evaluate(() => ({
      cookie: document.cookie,
      local: localStorage.length,
      session: sessionStorage.length,
    })), { cookie: '', local: 0, session: 0 });
    const holdings = page.getByRole('region', { name: 'What the browser holds' });
    assert.deepEqual(await holdings.getByRole('listitem').allTextContents(), [
      'document.cookieempty', 'localStorageempty', 'sessionStorageempty',
    ]);
  });
});

// A search that finds nothing proves nothing unless it would have found
// something: so what must be there is looked for as well.
function sees_all_but_tokens(demo, witness) {
  assert.ok(witness.places_of('alice@example.com').some((place) => place.includes('/bff/user')));
  assert.ok(witness.places_of('characters)').some((place) => place.startsWith('body of')));
  assert.ok(witness.places_of('characters)').some((place) => place.startsWith('page')));
  assert.ok(witness.places_of('__Host-Http-bff-corp=').includes('response headers'));

  const tokens = demo.tokens();
  assert.deepEqual(tokens.map(([kind]) => kind), ['access token', 'refresh token', 'ID token']);
  for (const [kind, value] of tokens) {
    sees_nothing_of(witness, kind, value);
  }
}

// The first part of a JWT says only how it is signed.
function sees_nothing_of(witness, kind, value) {
  const parts = value.split('.');
  for (const part of parts.length === 3 ? [value, ...parts.slice(1)] : [value]) {
    assert.deepEqual(witness.places_of(part), [], `the ${kind} was seen`);
  }
}

async function fetch_every_endpoint(page) {
  await page.evaluate(async () => {
    for (const path of ['session', 'user', 'userinfo', 'token', 'jwks', 'nothing']) {
      const answer = await fetch(`/bff/${path}`, { headers: { 'X-CSRF': '1' } });
      await answer.text();
    }
  });
}
