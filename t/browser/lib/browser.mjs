// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A Chromium, and a fresh profile in it for each test: its own cookies, and a
// list of everything that a console would have shown in red or yellow.

import { chromium } from 'playwright-core';

const kPatience = 15_000;

export function start_browser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A person with a browser of their own, for the length of test `t`. */
export async function new_person(t, browser) {
  const person = await browser.newContext({ ignoreHTTPSErrors: true });
  t.after(() => person.close());

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
