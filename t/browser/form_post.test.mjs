// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// response_mode form_post in a browser: a form of the provider's page carries
// the answer, so that only a SameSite=None cookie finds its way along.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as wire from '../lib/wire.mjs';
import { new_person } from './lib/browser.mjs';
import {
  ask_at_provider, asked, go_on_at_provider, is_at, journey_of, provider, reload, shop, sites,
  stuck_before,
} from './lib/sites.mjs';

describe('a login by form', () => {
  const on = sites((s) => `
    ${provider(s, 'response_mode form_post;')}
    ${shop(s)}`);

  for (const policy of ['strict-origin', 'no-referrer']) {
    it(`CB-6, CK-14: leads through a provider of ${policy} to the page`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      const journey = journey_of(page);
      on.op.wire.authorize = (socket, answer) => wire.plain(socket,
        { ...answer, headers: { ...answer.headers, 'Referrer-Policy': policy } });
      const callback = page.waitForRequest(on.shop('/bff/callback'));

      await page.goto(on.shop('/members/?a=1'));
      await is_at(page, on.shop('/members/?a=1'));

      assert.deepEqual(journey, [
        'GET shop.test/members/ 302', 'GET id.test/authorize 200',
        'POST shop.test/bff/callback 200', 'GET shop.test/members/ 200',
      ]);
      const sent = await (await callback).allHeaders();
      assert.match(sent.cookie, /^__Host-Http-bff-corp-login-[\w-]{16}=[^;]+$/);
      assert.equal(sent['sec-fetch-site'], 'cross-site');
      assert.equal(sent.origin, policy === 'no-referrer' ? 'null' : new URL(on.op.issuer).origin);
      assert.deepEqual((await person.cookies()).map((one) => [one.name, one.sameSite]),
        [['__Host-Http-bff-corp', 'Strict']]);
      assert.deepEqual(asked(on), { authorize: 1, token: 1 });
      assert.deepEqual(person.complaints, []);
    });
  }

  it('CB-7: a reload of the form ends in the shop, by one token call', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    const arrived = stuck_before(page, on.shop('/members/'));
    await page.goto(on.shop('/bff/login?returnUrl=/members/'), { waitUntil: 'commit' });
    await arrived;
    assert.equal(page.url(), on.shop('/bff/callback'));

    const journey = journey_of(page);
    await reload(page);
    await is_at(page, on.shop('/'));

    assert.deepEqual(journey, [
      'POST shop.test/bff/callback 400', 'GET shop.test/bff/callback 302', 'GET shop.test/ 200',
    ]);
    assert.deepEqual(asked(on), { authorize: 1, token: 1 });
  });

  it('CB-7: back at the provider, on again: in the shop, by one token call', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    ask_at_provider(on);
    await page.goto(on.shop('/members/'));
    await go_on_at_provider(page);
    await is_at(page, on.shop('/members/'));

    const journey = journey_of(page);
    await page.goBack();
    await go_on_at_provider(page);
    await is_at(page, on.shop('/'));

    assert.deepEqual(journey.slice(1), [
      'POST shop.test/bff/callback 400', 'GET shop.test/bff/callback 302', 'GET shop.test/ 200',
    ]);
    assert.equal(asked(on).token, 1);
  });

  it('leaves a page with a way on where somebody said no', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    on.op.callback = ({ state, iss }) => ({ error: 'access_denied', state, iss });
    await page.goto(on.shop('/members/?a=1'));
    await page.getByText('access_denied').waitFor();

    on.op.callback = (usual) => usual;
    await page.getByRole('link', { name: 'Sign in' }).click();
    await is_at(page, on.shop('/members/?a=1'));
  });
});
