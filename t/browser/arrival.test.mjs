// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// People arrive from another site: by link, in a new tab or window, by a form,
// or in a frame. SameSite=Strict holds the session back on the first request of
// such a journey, which must neither log anybody in again nor end in a circle.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { new_person } from './lib/browser.mjs';
import {
  asked, is_at, journey_of, provider, shop, sites,
} from './lib/sites.mjs';

const kLogin = [
  'GET shop.test/members/ 302', 'GET id.test/authorize 302', 'GET shop.test/bff/callback 200',
  'GET shop.test/members/ 200',
];

describe('an arrival from another site', () => {
  const on = sites((s) => `
    ${provider(s)}
    ${provider(s, 'cookie_samesite none;', 'none')}
    ${shop(s)}
    ${shop(s, 'none', 'none')}`);

  const there = () => on.shop('/members/?from=mail');

  async function logged_in(t, start) {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(start);
    await is_at(page, start);
    on.op.requests = [];
    return { person, page };
  }

  it('opens the page by one bounce, asking no provider', async (t) => {
    const { person, page } = await logged_in(t, there());
    await page.goto(on.evil_page('link.html', `<a href="${there()}">There</a>`));
    const journey = journey_of(page);
    await page.getByRole('link').click();
    await is_at(page, there());
    await page.reload();
    await is_at(page, there());

    assert.deepEqual(journey, Array(3).fill('GET shop.test/members/ 200'));
    assert.deepEqual(asked(on), { authorize: 0, token: 0 });
    await page.goBack();
    assert.equal(page.url(), on.evil('/link.html'));
    assert.deepEqual(person.complaints, []);
  });

  it('logs in and lands there, and a reload stays', async (t) => {
    const person = await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.evil_page('link.html', `<a href="${there()}">There</a>`));
    const journey = journey_of(page);
    await page.getByRole('link').click();
    await is_at(page, there());

    assert.deepEqual(journey, ['GET shop.test/members/ 200', ...kLogin]);
    await page.reload();
    await is_at(page, there());
    assert.deepEqual(journey.slice(5), ['GET shop.test/members/ 200']);
    assert.deepEqual(asked(on), { authorize: 1, token: 1 });
    assert.deepEqual(person.complaints, []);
  });

  for (const [how, body] of [
    ['target=_blank', (url) => `<a target="_blank" href="${url}">There</a>`],
    ['a named window', (url) => `<a target="w" rel="opener" href="${url}">There</a>`],
    ['window.open', (url) => `<button onclick="window.open('${url}')">There</button>`],
    ['window.open, noopener',
      (url) => `<button onclick="window.open('${url}', '', 'noopener')">There</button>`],
  ]) {
    it(`opens the page by ${how}, with and without a session`, async (t) => {
      const person = await new_person(t, on.browser);
      const page = await person.newPage();
      await page.goto(on.evil_page('window.html', body(there())));

      for (const time of [1, 2]) {
        const opened = person.waitForEvent('page');
        await page.getByText('There').click();
        await is_at(await opened, there());
        assert.deepEqual(asked(on), { authorize: 1, token: 1 }, `time ${time}`);
        await (await opened).close();
      }
      assert.deepEqual(person.complaints, []);
    });
  }

  it('opens a page for a sibling site at once', async (t) => {
    const { page } = await logged_in(t, there());
    const sibling = there().replace('shop.test', 'app.shop.test');
    await page.goto(new URL('/', sibling).href);
    const journey = journey_of(page);
    await page.evaluate((url) => { location.href = url; }, there());
    await is_at(page, there());
    assert.deepEqual(journey, ['GET shop.test/members/ 200']);
  });

  for (const path of ['/members/', '/api/orders']) {
    it(`a form to ${path} carries no session: the login leads to the start`, async (t) => {
      const { page } = await logged_in(t, there());
      await page.goto(on.evil_page('form.html',
        `<form method="post" action="${on.shop(path)}"><button>There</button></form>`));
      const journey = journey_of(page);
      const sent = await on.api.during(async () => {
        await page.getByRole('button').click();
        await is_at(page, on.shop('/'));
      });

      assert.deepEqual(sent, []);
      assert.deepEqual(journey, [`POST shop.test${path} 302`, 'GET id.test/authorize 302',
        'GET shop.test/bff/callback 200', 'GET shop.test/ 200']);
    });

    it(`BFF-10: a form to ${path} that carries the session is refused`, async (t) => {
      const { page } = await logged_in(t, on.shop('/members/', 'none'));
      await page.goto(on.evil_page('form.html',
        `<form method="post" action="${on.shop(path, 'none')}"><button>There</button></form>`));
      const journey = journey_of(page);
      const sent = await on.api.during(async () => {
        await page.getByRole('button').click();
        await page.getByText('csrf').waitFor();
      });

      assert.deepEqual(sent, []);
      assert.deepEqual(journey, [`POST shop.test${path} 403`]);
      await page.getByRole('link', { name: 'To the start' }).click();
      await is_at(page, on.shop('/', 'none'));
    });
  }

  it('shows nothing in a frame of another site, and asks no provider', async (t) => {
    const { person, page } = await logged_in(t, there());
    const journey = journey_of(page);
    await page.goto(on.evil_page('frame.html', `<iframe src="${there()}"></iframe>`));

    assert.deepEqual(journey, ['GET evil.test/frame.html 200', 'GET shop.test/members/ 200']);
    assert.match(person.complaints.join(), /frame-ancestors/);
    assert.deepEqual(asked(on), { authorize: 0, token: 0 });
  });
});
