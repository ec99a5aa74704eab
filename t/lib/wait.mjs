// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Waiting for conditions instead of for time to pass.
//
// A deadline is only there so that a broken build ends; it is never what a
// test measures.

import { setTimeout as sleep } from 'node:timers/promises';

export const kPatience = process.env.BFF_SANITIZE ? 60000 : 20000;

export async function until(what, condition, patience = kPatience) {
    const deadline = Date.now() + patience;

    for (;;) {
        const value = await condition();

        if (value) {
            return value;
        }

        if (Date.now() > deadline) {
            throw new Error(`waited ${patience} ms in vain: ${what}`);
        }

        await sleep(20);
    }
}

export function within(what, promise, patience = kPatience) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(
            new Error(`waited ${patience} ms in vain: ${what}`)), patience);
    });

    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
