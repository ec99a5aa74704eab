// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The two questions a provider asks: who are you, and may the shop know? Each
// is a plain page with a form. An interaction is known by its signed cookie,
// so a form posted for somebody else's finds nothing.

import * as accounts from './accounts.mjs';
import { kBase } from './configuration.mjs';
import { consent_page, login_page } from './pages.mjs';

const kInteraction = new RegExp(`^${kBase}/interaction/([\\w-]+)$`);
const kFormLimit = 4096;

/** Koa middleware that answers the pages of `provider`. */
export function interactions(provider) {
  return async (ctx, next) => {
    if (!kInteraction.test(ctx.path)) {
      return next();
    }

    ctx.set('Cache-Control', 'no-store');
    return ctx.method === 'POST' ? answer(provider, ctx) : ask(provider, ctx);
  };
}

async function ask(provider, ctx, problem) {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  const client = await provider.Client.find(interaction.params.client_id);

  ctx.type = 'html';
  ctx.body = interaction.prompt.name === 'login'
    ? login_page({ client, action: ctx.path, people: accounts.known, problem })
    : consent_page({ client, action: ctx.path, account: account_of(interaction) });
}

async function answer(provider, ctx) {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  const form = await read_form(ctx.req);

  if (form.get('answer') === 'cancel') {
    return finish(provider, ctx, refusal());
  }

  if (interaction.prompt.name === 'login') {
    const account = accounts.sign_up(form.get('name'));
    return account
      ? finish(provider, ctx, { login: { accountId: account.id } })
      : ask(provider, ctx, 'Please type a name.');
  }

  return finish(provider, ctx, await permission(provider, interaction));
}

async function permission(provider, { params, session, prompt, grantId }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });

  const { missingOIDCScope = [], missingResourceScopes = {} } = prompt.details;
  grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(missingResourceScopes)) {
    grant.addResourceScope(resource, scopes.join(' '));
  }

  return { consent: { grantId: await grant.save() } };
}

function refusal() {
  return { error: 'access_denied', error_description: 'The person said no.' };
}

// The library writes the redirect itself.
async function finish(provider, ctx, result) {
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, result, {
    mergeWithLastSubmission: true,
  });
}

function account_of({ session }) {
  return accounts.find(session.accountId);
}

async function read_form(req) {
  let body = '';
  for await (const chunk of req) {
    body += chunk;
    if (body.length > kFormLimit) {
      throw Object.assign(new Error('form too large'), { status: 413, expose: true });
    }
  }

  return new URLSearchParams(body);
}
