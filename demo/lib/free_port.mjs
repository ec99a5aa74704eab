// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Prints a port of the loopback interface that is free: the one given, or one
// below the range from which the kernel takes ports for outgoing connections,
// so that none of those takes it before its server does.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const kFrom = 20000;
const kTo = 30000;
const kTries = 50;

const preferred = Number(process.argv[2] ?? 0);
console.log(await first_free(preferred));

async function first_free(wanted) {
  const candidates = Array.from({ length: kTries }, () => randomInt(kFrom, kTo));
  for (const port of wanted ? [wanted, ...candidates] : candidates) {
    if (await is_free(port)) {
      return port;
    }
  }

  throw new Error('no free port on 127.0.0.1');
}

function is_free(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)));
  });
}
