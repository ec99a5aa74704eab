// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Waits until the page of the demo comes: exit 0 when it does, 1 when the time
// is over. The certificate is checked, as the demo's own.
//
//   node answers.mjs URL CERTIFICATE SECONDS

import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

const kBetweenTries = 100;

const [url, certificate, seconds] = process.argv.slice(2);
const ca = readFileSync(certificate);
const deadline = Date.now() + Number(seconds) * 1000;

process.exitCode = await answers_in_time() ? 0 : 1;

async function answers_in_time() {
  while (Date.now() < deadline) {
    if (await status() === 200) {
      return true;
    }
    await pause(kBetweenTries);
  }

  return false;
}

function status() {
  return new Promise((resolve) => {
    get(url, { ca, agent: false, timeout: 2000 }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    }).on('timeout', function give_up() { this.destroy(); })
      .on('error', () => resolve(0));
  });
}
