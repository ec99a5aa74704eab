// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The page drives the login: its script asks where to go and goes there, and a
// page of its own may take what the provider sends back.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { new_person } from './lib/browser.mjs';
import { asked, is_at, journey_of, provider, shop, sites } from './lib/sites.mjs';

// What stands behind redirect_uri, as an application would write it.
const kTaker = `<!doctype html><link rel="icon" href="data:,">
<p role="status"></p>
<script type="module">
  const answer = await fetch('/bff/callback', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF': '1' },
    body: JSON.stringify({ url: location.href }),
  });
  const told = await answer.json();
  if (told.handled) {
    location.replace(told.returnUrl);
  } else {
    document.querySelector('p').textContent = JSON.stringify(told);
  }
</script>`;

describe('a page that drives the login', () => {
  const on = sites((s) => {
    s.at.file('shop/cb.html', kTaker);
    return `
      ${provider(s)}
      ${provider(s, `redirect_uri https://shop.test:${s.at.port('own')}/cb;`, 'own')}
      ${shop(s)}
      ${shop(s, 'own', 'own', 'location = /cb { try_files /cb.html =404; }')}`;
  });

  for (const listener of ['main', 'own']) {
    const at = (path) => on.shop(path, listener);
    const callback = listener === 'own' ? '/cb' : '/bff/callback';

    it(`goes to the provider and comes back by ${callback}`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      await page.goto(at('/'));
      const journey = journey_of(page);

      await page.evaluate(log_in, { returnUrl: '/deep?x=%20y', params: { ui_locales: 'de' } });
      await is_at(page, at('/deep?x=%20y'));

      assert.deepEqual(journey, ['GET id.test/authorize 302',
        `GET shop.test${callback} 200`, 'GET shop.test/deep 200']);
      assert.equal(on.op.calls('authorize')[0].query.get('ui_locales'), 'de');
      assert.deepEqual(asked(on), { authorize: 1, token: 1 });
      const [cookie, ...more] = await person.cookies();
      assert.deepEqual(more, []);
      assert.equal(cookie.sameSite, 'Strict');
      assert.deepEqual(person.complaints, []);
    });
  }

  it('CB-7: hands over its address again on a reload, and is told all is well', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    const callback = page.waitForRequest((one) => one.url().includes('/cb?'));
    await page.goto(on.shop('/bff/login?returnUrl=/deep', 'own'));
    await is_at(page, on.shop('/deep', 'own'));

    await page.goto((await callback).url());
    await is_at(page, on.shop('/', 'own'));
    assert.deepEqual(asked(on), { authorize: 1, token: 1 });
    assert.deepEqual(person.complaints, []);
  });

  it('tells the page what it cannot do, and the page stays', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.shop('/cb', 'own'));
    await page.getByText('{"handled":false,"authenticated":false}').waitFor();

    on.op.callback = ({ state, iss }) => ({ error: 'access_denied', state, iss });
    await page.goto(on.shop('/bff/login', 'own'));
    await page.getByText('"provider_error":"access_denied"').waitFor();
  });
});

// Runs in the page.
async function log_in(wish) {
  const answer = await fetch('/bff/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF': '1' },
    body: JSON.stringify(wish),
  });
  location.assign((await answer.json()).authorization_url);
}
