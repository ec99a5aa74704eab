// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What every test file stands on: one demo and one browser of its own, there
// before the first test of a `describe` and gone after its last.

import { after, before } from 'node:test';

import { start_browser } from './browser.mjs';
import { start_demo } from './demo.mjs';

export function stage() {
  const on = {};

  before(async () => {
    on.demo = await start_demo();
    on.browser = await start_browser();
  });

  after(async () => {
    await on.browser?.close();
    await on.demo?.stop();
  });

  return on;
}
