// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How a page talks to NGINX: plain same-origin requests with one header that a
// page of another site cannot send without being asked first. Whatever goes
// wrong becomes a `Problem`, so that a page can show what really happened.

/** What RFC 9457 calls a problem, wherever it came from. */
export class Problem extends Error {
  constructor(status, { title, detail, code, request_id, login_url, provider_error } = {}) {
    super(title ?? `The server answered ${status}`);
    Object.assign(this, {
      status, detail, code, request_id, login_url, provider_error,
    });
  }
}

export async function session() {
  return (await ask('/bff/session?slide=false')).value;
}

export async function user() {
  return (await ask('/bff/user?slide=false')).value;
}

/** Calls the API; tells the status and how long it took as well. */
export async function call(method, path, message) {
  const started = performance.now();
  const answer = await ask(path, message === undefined ? { method } : {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ message }),
  });

  return { ...answer, ms: Math.round(performance.now() - started) };
}

/** The login address that leads back to where the page is now. */
export function login_from_here(login_url = '/bff/login') {
  const url = new URL(login_url, location.origin);
  url.searchParams.set('returnUrl', location.pathname + location.search);
  return url.pathname + url.search;
}

async function ask(path, { headers, ...rest } = {}) {
  const response = await send(path, {
    ...rest,
    headers: { Accept: 'application/json', 'X-CSRF': '1', ...headers },
  });

  const value = await json_of(response);
  if (!response.ok) {
    throw new Problem(response.status, value ?? {});
  }
  if (value === null) {
    throw new Problem(response.status, { title: 'The answer is not JSON' });
  }

  return { status: response.status, value };
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    throw new Problem(0, { title: 'No answer', detail: error.message });
  }
}

async function json_of(response) {
  const type = response.headers.get('Content-Type') ?? '';
  return /^application\/([\w.-]+\+)?json\b/.test(type) ? response.json() : null;
}
