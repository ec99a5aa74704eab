// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The Shop: asks NGINX who is here, calls the API, and shows both sides. It
// knows no token and keeps no state of its own: after each step it asks again.

import { call, session, user } from './bff.js';
import * as view from './view.js';

const kApi = '/api/hello';

document.getElementById('get').addEventListener('click', () => call_api('GET'));
document.getElementById('call').addEventListener('submit', (event) => {
  event.preventDefault();
  call_api('POST', document.getElementById('message').value);
});

// Another tab may have logged in or out meanwhile.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') {
    refresh();
  }
});

tidy_address();
view.show('here', location.pathname + location.search);
refresh();

// After a logout the provider hands its state back; a page has no use for it.
function tidy_address() {
  const query = new URLSearchParams(location.search);
  if (location.pathname === '/' && query.has('state')) {
    history.replaceState(null, '', '/');
  }
}

async function refresh() {
  show_holdings();
  if (await problem_of(show_identity)) {
    view.show('who', view.empty('NGINX did not say.'));
  }
}

async function show_identity() {
  const now = await session();
  const known = now.authenticated ? await user() : null;

  view.show('account', ...view.account(now));
  view.show('actions', ...view.actions(now));
  view.show('who', ...view.identity(now, known));
  view.show('cookie', ...view.session_cookie(now));
  document.getElementById('who').removeAttribute('aria-busy');
  document.title = now.authenticated ? `${view.name_of(now)} · The Shop` : 'The Shop';
  announce(now.authenticated ? `Logged in as ${view.name_of(now)}` : 'Not logged in');
}

async function call_api(method, message) {
  view.show('outcome', `${method} …`);
  const problem = await problem_of(async () => {
    const answer = await call(method, `${kApi}?from=page`, message);
    view.show('outcome', ...view.outcome(method, answer));
    view.show('api', ...view.arrival(answer));
  });

  show_holdings();
  if (problem) {
    await show_failure(method, problem);
  }
}

async function show_failure(method, problem) {
  view.show('outcome', ...view.failure(method, problem));
  view.show('api', view.empty('The call did not succeed.'));
  if (problem.status === 401) {
    await show_identity();
  }
}

// Does `work`, and shows what went wrong, or that nothing is wrong any more.
async function problem_of(work) {
  try {
    await work();
    view.show('problem');
    return null;
  } catch (problem) {
    view.show('problem', view.problem(problem));
    return problem;
  }
}

function show_holdings() {
  view.show('browser', ...view.holdings([
    { name: 'document.cookie', content: document.cookie.split('; ').filter(Boolean) },
    { name: 'localStorage', content: Object.keys(localStorage) },
    { name: 'sessionStorage', content: Object.keys(sessionStorage) },
  ]));
}

function announce(words) {
  const status = document.getElementById('status');
  if (status.textContent !== words) {
    status.textContent = words;
  }
}
