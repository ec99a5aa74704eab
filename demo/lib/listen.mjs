// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Servers of the demo listen on the loopback interface only, on the port they
// would like or on any free one, and say where in a file that is complete from
// the moment it exists.

import { renameSync, writeFileSync } from 'node:fs';

const kHost = '127.0.0.1';

/** Starts `server` and returns its origin. */
export async function listen(server, preferred) {
  try {
    await listen_on(server, preferred);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') {
      throw error;
    }
    await listen_on(server, 0);
  }

  return `http://${kHost}:${server.address().port}`;
}

export function announce(origin, file) {
  console.log(`listening on ${origin}`);
  if (file) {
    writeFileSync(`${file}.new`, `${origin}\n`);
    renameSync(`${file}.new`, file);
  }
}

function listen_on(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: kHost }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
