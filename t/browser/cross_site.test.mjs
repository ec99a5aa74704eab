// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Pages of other origins do all that a browser lets them do to make it send a
// request with the shop's cookie: none of it reaches the API. A foreign site
// meets cookies that SameSite does not hold back; a sibling host needs no such
// help. What the shop's own pages do, and those of a trusted host, works.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { until } from '../lib/wait.mjs';
import { new_person, new_person_who_prefers } from './lib/browser.mjs';
import {
  asked, is_at, provider, shop, sites,
} from './lib/sites.mjs';

describe('pages of other origins', () => {
  const on = sites((s) => `
    ${provider(s)}
    ${provider(s, 'cookie_samesite none;', 'none')}
    ${shop(s, 'corp', 'main', web_socket(s, 'corp'))}
    ${shop(s, 'none', 'none', web_socket(s, 'none'))}
    ${shop(s, 'corp', 'strict', `bff_csrf strict; ${web_socket(s, 'corp')}`)}
    ${shop(s, 'none', 'trusting', `${web_socket(s, 'none')}
        bff_trusted_origin https://app.shop.test:${s.at.port('evil')};`)}
    server {
        listen ${s.at.tls('detour')};
        add_header Access-Control-Allow-Origin $http_origin always;
        add_header Access-Control-Allow-Credentials true always;
        add_header Access-Control-Allow-Headers x-csrf always;
        if ($request_method = OPTIONS) { return 204; }
        ${[302, 307, 308].map((status) => `location ~ ^/${status}/(.*)$ {
            return ${status} https://shop.test:$arg_port/api/$1;
        }`).join('\n')}
    }`);

  // Not in private windows: they hold back all cookies from foreign pages.
  async function logged_in(t, listener, preferences) {
    const person = preferences ? await new_person_who_prefers(t, preferences)
      : await new_person(t, on.browser);
    const page = await person.newPage();
    await page.goto(on.shop('/members/', listener));
    await is_at(page, on.shop('/members/', listener));
    return page;
  }

  /** What the API was sent while `action` ran, by the names in the paths. */
  async function sent_by(action) {
    const seen = await on.api.during(action);
    for (const one of seen) {
      assert.equal(one.all('authorization').length, 1, one.raw);
    }
    return [...new Set(seen.map(({ method, target }) =>
      `${method} ${target.replace(/^\/api\/|[?].*$/g, '')}`))].sort();
  }

  /** The log says of all of them that they were refused, cookie and all, or asked about in vain. */
  async function all_refused(names, mark) {
    const left = () => {
      const refused = on.nginx.log(mark).split('\n').filter((line) =>
        /refused as cross-site|preflight refused/.test(line)).join('\n');
      return names.filter((name) => !refused.includes(`/api/${name} HTTP`));
    };
    await until('refusals', () => left().length === 0).catch(() => {});
    assert.deepEqual(left(), []);
  }

  // A frame without an origin is another site, from which no Strict cookie comes.
  for (const [who, host, listener, without_cookie] of [
    ['a foreign site', 'evil.test', 'none', []],
    ['a sibling host', 'blog.shop.test', 'main', ['sandbox', 'sandbox-form', 'data']],
  ]) {
    it(`BFF-10, BFF-13: nothing that ${who} does reaches the API`, async (t) => {
      const page = await logged_in(t, listener, { profile: { cookie_controls_mode: 0 } });
      await page.goto(on.evil_page('attack.html', '<h1>Win a prize</h1>')
        .replace('evil.test', host));
      const mark = on.nginx.mark();
      let names;
      const sent = await sent_by(async () => {
        names = await page.evaluate(attack, {
          api: on.shop('/api/', listener),
          detour: `https://evil.test:${on.at.port('detour')}`,
          port: on.at.port(listener),
        });
        await all_refused(names.filter((name) => !without_cookie.includes(name)), mark);
      });

      assert.deepEqual(sent, []);
      assert.equal(names.length, new Set(names).size);
      await page.goto(on.shop('/members/', listener));
      await is_at(page, on.shop('/members/', listener));
      assert.equal(asked(on).token, 1, 'RIL-1: the session is as it was');
    });
  }

  for (const listener of ['main', 'strict']) {
    it(`what the shop's own pages do works, bff_csrf of ${listener}`, async (t) => {
      const page = await logged_in(t, listener);
      const sent = await sent_by(async () => {
        assert.deepEqual(await page.evaluate(own_work, listener === 'strict'), {
          get: 200, post: 200, put: 200, xhr: 200, worker: 200, socket: 'hello', frame: 'GET',
        });
        await until('the beacon', () => listener === 'strict'
          || on.api.requests.some(({ target }) => target === '/api/beacon'));
      });

      const without_header = ['GET image', 'GET events', 'POST beacon'];
      assert.deepEqual(sent, [...(listener === 'strict' ? [] : without_header), 'GET get',
        'POST post', 'PUT put', 'POST xhr', 'GET worker', 'GET socket', 'GET frame', 'POST form',
      ].sort());
    });
  }

  it('BFF-30: what a trusted host does works, if its Origin is there', async (t) => {
    const page = await logged_in(t, 'trusting');
    await page.goto(on.evil_page('app.html', '<h1>App</h1>').replace('evil.test', 'app.shop.test'));
    const mark = on.nginx.mark();
    const sent = await sent_by(async () => {
      assert.deepEqual(await page.evaluate(trusted_work, on.shop('/api/', 'trusting')), {
        get: 'GET', post: 'POST', put: 'PUT', error: 'csrf', socket: 'hello',
      });
      await all_refused(['image'], mark);
    });

    assert.deepEqual(sent, ['GET get', 'POST post', 'PUT put', 'GET events', 'GET socket',
      'POST form'].sort());
  });

  it('a detour over another site makes a page\'s own request foreign', async (t) => {
    const page = await logged_in(t, 'none');
    const mark = on.nginx.mark();
    const sent = await sent_by(async () => {
      await page.evaluate(async ({ detour, port }) => {
        for (const status of [302, 307, 308]) {
          await fetch(`${detour}/${status}/detour-${status}?port=${port}`, {
            method: 'POST', credentials: 'include', headers: { 'X-CSRF': '1' },
          }).catch(() => {});
        }
      }, { detour: `https://evil.test:${on.at.port('detour')}`, port: on.at.port('none') });
      await all_refused(['detour-302', 'detour-307', 'detour-308'], mark);
    });
    assert.deepEqual(sent, []);
  });
});

function web_socket({ api }, name) {
  return `location /api/socket {
        bff ${name};
        proxy_pass http://${api.address};
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
    }`;
}

// --- in the pages ---

// Everything but navigations by GET, which are links; ends when all was sent.
async function attack({ api, detour, port }) {
  const names = [];
  const to = (name) => {
    names.push(name);
    return api + name;
  };
  const by_way = (name, status = 307) => {
    names.push(name);
    return `${detour}/${status}/${name}?port=${port}`;
  };
  const element = (html) => {
    document.body.insertAdjacentHTML('beforeend', html);
  };
  const done = [];
  const call = (url, options) => done.push(
    fetch(url, { credentials: 'include', ...options }).catch(() => {}));
  const form = (name, { method = 'post', type, action = to(name), field = 'a' } = {}) => {
    element(`<iframe name="${name}"></iframe><form id="f-${name}" target="${name}"
      method="${method}" ${type ? `enctype="${type}"` : ''} action="${action}">
      <input name="${field}" value="1"></form>`);
    document.getElementById(`f-${name}`).submit();
  };

  for (const [name, html] of [
    ['img', (url) => `<img src="${url}">`],
    ['img-cors', (url) => `<img crossorigin="use-credentials" src="${url}">`],
    ['style', (url) => `<link rel="stylesheet" href="${url}">`],
    ['prefetch', (url) => `<link rel="prefetch" href="${url}">`],
    ['preload', (url) => `<link rel="preload" as="image" href="${url}">`],
    ['audio', (url) => `<audio preload="auto" src="${url}"></audio>`],
    ['video', (url) => `<video preload="auto" src="${url}"></video>`],
    ['poster', (url) => `<video poster="${url}"></video>`],
    ['background', (url) => `<p style="background: url(${url})">x</p>`],
    ['input', (url) => `<input type="image" src="${url}">`],
    ['svg', (url) => `<svg width="9" height="9"><image href="${url}"/></svg>`],
    ['img-detour', (url) => `<img src="${url}">`],
  ]) {
    element(html(name.endsWith('detour') ? by_way(name, 302) : to(name)));
  }
  for (const [name, module] of [['script', false], ['module', true]]) {
    const script = document.createElement('script');
    script.type = module ? 'module' : '';
    script.crossOrigin = module ? 'use-credentials' : null;
    script.src = to(name);
    document.body.append(script);
  }

  call(to('fetch-get'));
  call(to('fetch-post'), { method: 'POST' });
  call(to('fetch-text'), { method: 'POST', body: 'a=1' });
  call(to('fetch-form'), { method: 'POST', body: new URLSearchParams('a=1') });
  call(to('fetch-multipart'), { method: 'POST', body: new FormData() });
  call(to('fetch-head'), { method: 'HEAD' });
  call(to('fetch-header'), { headers: { 'X-CSRF': '1' } });
  call(to('fetch-json'), {
    method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' },
  });
  call(to('fetch-put'), { method: 'PUT' });
  call(to('fetch-delete'), { method: 'DELETE', headers: { 'X-CSRF': '1' } });
  call(to('no-cors-get'), { mode: 'no-cors' });
  call(to('no-cors-html'), { mode: 'no-cors', headers: { Accept: 'text/html' } });
  call(to('no-cors-post'), {
    mode: 'no-cors', method: 'POST', body: 'a=1', headers: { Accept: 'text/html' },
  });
  call(to('keepalive'), { mode: 'no-cors', method: 'POST', keepalive: true });
  call(by_way('fetch-detour'), { method: 'POST', mode: 'no-cors', body: 'a=1' });
  call(by_way('fetch-detour-302', 302), { mode: 'no-cors' });

  const request = new XMLHttpRequest();
  request.open('POST', to('xhr'));
  request.withCredentials = true;
  request.send('a=1');

  new EventSource(to('events'), { withCredentials: true }).onerror = (e) => e.target.close();
  new WebSocket(to('socket').replace('https', 'wss'));
  navigator.sendBeacon(to('beacon'), 'a=1');
  navigator.sendBeacon(to('beacon-form'), new URLSearchParams('a=1'));

  form('form-post');
  form('form-multipart', { type: 'multipart/form-data' });
  form('form-text', { type: 'text/plain', field: '{"a":"' });
  form('form-detour', { action: by_way('form-detour') });
  form('form-detour-308', { action: by_way('form-detour-308', 308) });

  element(`<a id="ping" href="#x" ping="${to('ping')}">x</a>`);
  document.getElementById('ping').click();

  const inside = (name, url) => `<script>fetch("${url}", { method: "POST", mode: "no-cors",
    credentials: "include", body: "${name}" })</scr` + 'ipt>';
  element(`<iframe sandbox="allow-scripts" srcdoc='${inside('a', to('sandbox'))}'></iframe>`);
  element(`<iframe srcdoc='${inside('a', to('srcdoc'))}'></iframe>`);
  element(`<iframe src='data:text/html,${encodeURIComponent(inside('a', to('data')))}'></iframe>`);
  element(`<iframe sandbox="allow-scripts allow-forms" srcdoc='<form method="post" action="${
    to('sandbox-form')}"></form><script>document.forms[0].submit()</scr` + 'ipt>\'></iframe>');

  const work = `fetch("${to('worker')}", { method: "POST", mode: "no-cors", credentials: "include" });
    try { importScripts("${to('import')}"); } catch {}`;
  new Worker(URL.createObjectURL(new Blob([work], { type: 'text/javascript' })));

  const bff = api.replace('/api/', '/bff/');
  element(`<img src="${bff}logout">`);
  element(`<img src="${bff}logout?sid=">`);
  element(`<iframe src="${bff}logout"></iframe>`);
  for (const name of ['logout', 'refresh']) {
    call(bff + name, { method: 'POST', mode: 'no-cors' });
    navigator.sendBeacon(bff + name);
    const number = names.length;
    form(`bff-${name}`, { action: bff + name });
    names.length = number;
  }

  await Promise.all(done);
  return names;
}

async function own_work(is_strict) {
  const headers = is_strict ? { 'X-CSRF': '1' } : {};
  const status = async (url, options) => (await fetch(url, { headers, ...options })).status;
  const outcome = {
    get: await status('/api/get'),
    post: await status('/api/post', { method: 'POST', body: '{}' }),
    put: await status('/api/put', { method: 'PUT', body: '{}' }),
  };

  outcome.xhr = await new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/api/xhr');
    Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));
    request.onloadend = () => resolve(request.status);
    request.send();
  });
  outcome.worker = await new Promise((resolve) => {
    const work = `fetch("${location.origin}/api/worker", { headers: ${JSON.stringify(headers)} })
      .then((answer) => postMessage(answer.status))`;
    new Worker(URL.createObjectURL(new Blob([work]))).onmessage = (e) => resolve(e.data);
  });
  if (!is_strict) {
    navigator.sendBeacon('/api/beacon', 'a=1');
    await new Promise((resolve) => {
      new EventSource('/api/events').onerror = (e) => { e.target.close(); resolve(); };
    });
    await new Promise((resolve) => {
      const image = new Image();
      image.onerror = resolve;
      image.src = '/api/image';
    });
  }
  outcome.socket = await new Promise((resolve) => {
    const socket = new WebSocket(`wss://${location.host}/api/socket`);
    socket.onopen = () => resolve('hello');
    socket.onerror = () => resolve('error');
  });

  const framed = (submit) => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.name = `frame-${Math.random()}`;
    document.body.append(frame);
    frame.onload = () => frame.contentWindow.location.href !== 'about:blank'
      && resolve(frame.contentDocument.body.textContent);
    submit(frame);
  });
  outcome.frame = JSON.parse(await framed((frame) => { frame.src = '/api/frame'; })).method;
  await framed((frame) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: '/api/form', target: frame.name });
    document.body.append(form);
    form.submit();
  });
  return outcome;
}

async function trusted_work(api) {
  const call = async (name, options) => (await fetch(api + name,
    { credentials: 'include', ...options })).json();
  const outcome = {
    get: (await call('get')).method,
    post: (await call('post', { method: 'POST', body: '{}',
      headers: { 'Content-Type': 'application/json' } })).method,
    put: (await call('put', { method: 'PUT', headers: { 'X-CSRF': '1' } })).method,
  };
  const origin = new URL(api).origin;
  outcome.error = (await (await fetch(`${origin}/bff/login?returnUrl=//evil.test`)).json()).code
    && (await (await fetch(`${origin}/bff/logout`, { credentials: 'include' })).json()).code;

  await new Promise((resolve) => {
    new EventSource(`${api}events`, { withCredentials: true }).onerror = (e) => {
      e.target.close();
      resolve();
    };
  });
  outcome.socket = await new Promise((resolve) => {
    const socket = new WebSocket(`${api.replace('https', 'wss')}socket`);
    socket.onopen = () => resolve('hello');
    socket.onerror = () => resolve('error');
  });
  await new Promise((resolve) => {
    const image = new Image();
    image.onerror = resolve;
    image.src = `${api}image`;
  });

  const frame = document.createElement('iframe');
  frame.name = 'there';
  document.body.append(frame);
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', action: `${api}form`, target: 'there' });
  document.body.append(form);
  await new Promise((resolve) => {
    frame.onload = resolve;
    form.submit();
  });
  return outcome;
}
