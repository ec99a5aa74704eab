// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Turns what the page knows into elements. Text is always set as text: nothing
// that came from a server is ever read as HTML.

import { login_from_here } from './bff.js';

export function show(id, ...content) {
  document.getElementById(id).replaceChildren(...content);
}

export function account(session) {
  return session.authenticated
    ? [
      element('span', { className: 'who' }, avatar(name_of(session)),
        element('span', {}, name_of(session))),
      element('a', { href: session.logout_url, id: 'logout' }, 'Log out'),
    ]
    : [element('a', { href: login_from_here(session.login_url) }, 'Log in')];
}

export function actions(session) {
  return session.authenticated
    ? [element('span', { className: 'chip good' }, `Logged in as ${name_of(session)}`)]
    : [
      element('a', { className: 'button', id: 'login', href: login_from_here(session.login_url) },
        'Log in'),
      element('span', { className: 'quiet' }, 'Any name will do. There is no password.'),
    ];
}

export function identity(session, user) {
  if (!session.authenticated) {
    return [empty('Nobody is logged in here.')];
  }

  return [
    table([
      ...Object.entries(session.claims),
      ['session ends', clock_in(session.expires_in)],
      ['access token ends', clock_in(session.access_token_expires_in)],
    ]),
    raw('The answer of /bff/session', session),
    raw('The answer of /bff/user', user),
  ];
}

export function holdings(found) {
  return [element('ul', { className: 'holdings' }, ...found.map(({ name, content }) => (
    element('li', { className: content.length === 0 ? 'good' : 'bad' },
      element('code', {}, name),
      element('span', {}, content.length === 0 ? 'empty' : content.join(', ')))
  )))];
}

export function session_cookie({ authenticated }) {
  return authenticated
    ? ['There is a session cookie as well. It is the browser’s own affair: ',
      element('b', {}, 'HttpOnly'), ', ', element('b', {}, 'Secure'), ', ',
      element('b', {}, 'SameSite=Strict'),
      ', and sealed. Script cannot ask for it, and could not open it.']
    : ['Nobody is logged in, so there is no session cookie either.'];
}

export function arrival({ value: { request, token, cookies, headers, body } }) {
  return [
    table([
      ['request', request],
      ['authorization', token.shortened ? `Bearer ${token.shortened}` : 'none'],
      ['checked', verdict(token)],
      ['cookies', cookies.length === 0 ? 'none' : cookies.join(', ')],
      ['body', body === null ? 'none' : JSON.stringify(body)],
    ]),
    ...(token.claims ? [raw('The claims of the token', token.claims)] : []),
    raw('All headers', headers),
  ];
}

export function outcome(method, { status, ms }) {
  return [chip(status < 400, String(status)), ` ${method} answered in ${ms} ms.`];
}

export function failure(method, { status, message }) {
  return [chip(false, String(status || 'failed')), ` ${method}: ${message}`];
}

export function problem(found) {
  const facts = [
    ['status', found.status || null], ['code', found.code],
    ['provider said', found.provider_error], ['request', found.request_id],
  ].filter(([, value]) => value);

  return element('div', { className: 'problem' },
    element('p', { className: 'title' }, found.message),
    ...(found.detail ? [element('p', {}, found.detail)] : []),
    ...(facts.length ? [table(facts)] : []),
    ...(found.login_url
      ? [element('a', { className: 'button', href: login_from_here(found.login_url) }, 'Log in')]
      : []));
}

export function empty(words) {
  return element('p', { className: 'empty' }, words);
}

export function name_of({ claims = {} }) {
  return claims.name ?? claims.preferred_username ?? claims.sub ?? 'somebody';
}

function verdict({ valid, why, format }) {
  if (!valid) {
    return element('span', { className: 'bad' }, `refused: ${why}`);
  }

  return why ?? element('span', { className: 'good' }, `${format.toUpperCase()}, signature is good`);
}

function avatar(name) {
  return element('span', { className: 'avatar', ariaHidden: 'true' }, [...name][0]);
}

function chip(good, text) {
  return element('span', { className: good ? 'chip good' : 'chip bad' }, text);
}

function table(rows) {
  return element('dl', { className: 'facts' }, ...rows.flatMap(([name, value]) => [
    element('dt', {}, ...breakable(name)),
    element('dd', {}, value instanceof Node ? value : text_of(value)),
  ]));
}

// A long name may break after an underscore, and nowhere else.
function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part) => [part, document.createElement('wbr')]);
}

// Long JSON scrolls, so it takes the focus of a keyboard.
function raw(title, value) {
  return element('details', {},
    element('summary', {}, title),
    element('pre', { tabIndex: 0, ariaLabel: title }, JSON.stringify(value, null, 2)));
}

function text_of(value) {
  return typeof value === 'string' ? value : JSON.stringify(value) ?? 'unknown';
}

function clock_in(seconds) {
  if (typeof seconds !== 'number') {
    return 'unknown';
  }

  const time = new Date(Date.now() + seconds * 1000);
  return element('time', { dateTime: time.toISOString() }, time.toLocaleTimeString());
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
