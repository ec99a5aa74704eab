// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The people of the demo. Anybody may be anybody here: a name is enough, there
// is no password, and nothing is remembered after the provider has stopped.

import { createHash } from 'node:crypto';

const people = new Map();

export const known = [sign_up('Alice Archer'), sign_up('Bob Baker')];

/** The account for a name a person has typed; null for an empty one. */
export function sign_up(typed) {
  const name = String(typed ?? '').trim().replace(/\s+/g, ' ').slice(0, 60);
  if (name === '') {
    return null;
  }

  const account = { id: handle_for(name), name };
  people.set(account.id, account);
  return account;
}

export function find(id) {
  return people.get(id) ?? null;
}

export function claims_of({ id, name }) {
  return {
    sub: id,
    name,
    preferred_username: id,
    email: `${id}@example.com`,
    email_verified: true,
  };
}

// Two people of the list are known by their first names; others by a short,
// plain form of what they typed, and by a digest where nothing plain is left.
function handle_for(name) {
  const plain = name.normalize('NFKD').toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');

  if (plain === '') {
    return `person-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
  }

  return { 'alice-archer': 'alice', 'bob-baker': 'bob' }[plain] ?? plain;
}
