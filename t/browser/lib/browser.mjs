// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A Chromium, and a fresh profile in it for each test: its own cookies, and a
// list of everything that a console would have shown in red or yellow.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const kPatience = 15_000;

const kProgram = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update',
    '--disable-sync',
    // every name that a test invents is this machine
    '--host-resolver-rules=MAP *.test 127.0.0.1',
  ],
};

export function start_browser() {
  return chromium.launch(kProgram);
}

/** A person with a browser of their own, for the length of test `t`. */
export async function new_person(t, browser) {
  const person = await browser.newContext({ ignoreHTTPSErrors: true });
  t.after(() => person.close());
  return listened_to(person);
}

/** The same with preferences of its own, as chrome://settings would set them. */
export async function new_person_who_prefers(t, preferences) {
  const profile = mkdtempSync(join(tmpdir(), 'bff-profile-'));
  mkdirSync(join(profile, 'Default'));
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));

  const person = await chromium.launchPersistentContext(profile,
    { ...kProgram, ignoreHTTPSErrors: true });
  t.after(async () => {
    await person.close();
    rmSync(profile, { recursive: true });
  });
  return listened_to(person);
}

function listened_to(person) {
  person.setDefaultTimeout(kPatience);
  person.complaints = [];
  person.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      person.complaints.push(`${message.text()} (${message.location().url})`);
    }
  });
  person.on('weberror', (error) => person.complaints.push(String(error.error())));
  return person;
}
