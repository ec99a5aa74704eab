// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider's pages. They need no script at all, and every word that came
// from outside is escaped before it stands in HTML.

const kStyle = '/oidc/style.css';

export function login_page({ client, action, people, problem }) {
  return page('Sign in', `
    <h1>Who are you today?</h1>
    <p>Sign in to continue to <strong>${escape(name_of(client))}</strong>.
      This is a demonstration: nobody has a password.</p>
    ${problem ? `<p class="problem" role="alert">${escape(problem)}</p>` : ''}
    <ul class="people">${people.map((one) => person(one, action)).join('')}</ul>
    <p class="or"><span>or</span></p>
    <form method="post" action="${escape(action)}" class="typed">
      <label for="name">Somebody else</label>
      <div class="row">
        <input id="name" name="name" autocomplete="name" maxlength="60" required
          placeholder="Your name">
        <button type="submit">Continue</button>
      </div>
    </form>
    ${cancel_form(action, `Back to ${name_of(client)}`)}`);
}

export function consent_page({ client, action, account }) {
  const shop = escape(name_of(client));
  return page('Allow access', `
    <h1>Allow ${shop}?</h1>
    <p>You are signed in as <strong>${escape(account?.name)}</strong>.
      ${shop} would like to</p>
    <ul class="wishes">
      <li>know your name and e-mail address</li>
      <li>call its API in your name</li>
    </ul>
    <form method="post" action="${escape(action)}">
      <button type="submit" name="answer" value="allow" class="primary wide"
        autofocus>Allow</button>
    </form>
    ${cancel_form(action, 'Do not allow')}`);
}

// `form` is made by the library, with the token that makes the logout ours.
export function logout_page(form, ctx) {
  const shop = name_of(ctx.oidc.client);
  return page('Sign out', `
    <h1>Sign out here, too?</h1>
    <p>${escape(shop)} has ended its session. The demo provider still knows you,
      until you sign out here as well.</p>
    ${form}
    <button type="submit" form="op.logoutForm" name="logout" value="yes"
      class="primary wide" autofocus>Sign out</button>
    <button type="submit" form="op.logoutForm" class="quiet">Stay signed in here</button>`);
}

export function logged_out_page() {
  return page('Signed out', `
    <h1>You are signed out</h1>
    <p>You may close this page.</p>`);
}

export function error_page(out) {
  const lines = Object.entries(out)
    .map(([key, value]) => `<dt>${escape(key)}</dt><dd>${escape(value)}</dd>`);
  return page('Something is wrong', `
    <h1>That did not work</h1>
    <p>The provider could not go on with this request.</p>
    <dl class="problem" role="alert">${lines.join('')}</dl>`);
}

function person({ id, name }, action) {
  return `<li><form method="post" action="${escape(action)}">
    <button type="submit" name="name" value="${escape(name)}" class="person">
      <span class="face ${escape(id)}" aria-hidden="true">${escape(name[0])}</span>
      <span><b>${escape(name)}</b><small>${escape(id)}@example.com</small></span>
    </button></form></li>`;
}

function cancel_form(action, words) {
  return `<form method="post" action="${escape(action)}">
    <button type="submit" name="answer" value="cancel" class="quiet">${escape(words)}</button>
  </form>`;
}

function page(title, body) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)} · Demo ID</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${kStyle}">
</head>
<body>
<header><span class="key" aria-hidden="true"></span>Demo ID</header>
<main>${body}
</main>
<footer>An OpenID provider on this machine, for this demonstration only.</footer>
</body>
</html>
`;
}

function name_of(client) {
  return client?.clientName ?? client?.clientId ?? 'The application';
}

function escape(text) {
  return String(text ?? '').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
