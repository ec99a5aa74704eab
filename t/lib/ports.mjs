// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Free ports on 127.0.0.1.
//
// They are taken below the range from which the kernel gives ports to clients,
// so nobody else takes one between our look and NGINX's bind.

import net from 'node:net';

const kFirst = 10000;
const kLast = 32000;
const given = new Set();

export async function freePort() {
    for (;;) {
        const port = kFirst + Math.floor(Math.random() * (kLast - kFirst));

        if (!given.has(port) && await isFree(port)) {
            given.add(port);
            return port;
        }
    }
}

function isFree(port) {
    return new Promise((resolve) => {
        const probe = net.createServer();
        probe.once('error', () => resolve(false));
        probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
}
