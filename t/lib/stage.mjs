// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The usual cast of a test: provider, API, NGINX, and a browser for each test.
//
// The configuration stays in the test; this only starts what it names and
// stops all of it in the right order when the file is done.

import { after, before, beforeEach } from 'node:test';

import { Browser } from './browser.mjs';
import { Nginx, Place } from './nginx.mjs';
import { Provider } from './provider.mjs';
import { Upstream } from './upstream.mjs';

// configuration: (stage) => text of http{}; stage has op, api and at (the
// Place). options go to Nginx.start, options.provider to Provider.start;
// prepare(stage) runs before NGINX starts, ready(stage) after, finish at the end.
export function stage(configuration, options = {}) {
    const s = cast(options);

    before(() => begin(s, configuration));
    after(() => end(s));
    beforeEach(() => s.op.reset());

    return s;
}

function cast(options) {
    const s = { options };

    // A new browser at https://shop.test:PORT of the listener with this name.
    s.browser = (name = 'main', host = 'shop.test', scheme = 'https') =>
        new Browser(`${scheme}://${host}:${s.at.port(name)}`);

    return s;
}

async function begin(s, configuration) {
    s.op = await Provider.start(s.options.provider);
    s.api = await Upstream.start();
    s.at = await Place.make();
    await s.options.prepare?.(s);
    await start(s, configuration);
    await s.options.ready?.(s);
}

async function start(s, configuration) {
    s.configuration = configuration;
    s.nginx = await Nginx.start({ ...s.options, place: s.at,
        http: configuration(s) });
}

// Stops NGINX and starts it anew in the same place, in other words perhaps.
export async function restart(s, configuration = s.configuration) {
    const { remove } = s.at;

    s.at.remove = () => {};
    try {
        await s.nginx.stop();
    } finally {
        s.at.remove = remove;
    }
    await start(s, configuration);
}

async function end(s) {
    try {
        await s.nginx?.stop();
    } finally {
        await s.op?.stop();
        await s.api?.stop();
        await s.options.finish?.(s);
    }
}

// The same for one test with a configuration of its own.
export async function play(configuration, options, scene) {
    const s = cast(options);

    try {
        await begin(s, configuration);
        await scene(s);
    } finally {
        await end(s);
    }
}

// A login up to the callback's answer, the provider asked in this process.
// options: browser, path, change: (URL of the callback) => void or URL
export async function attempt(s, options = {}) {
    const browser = options.browser ?? s.browser();
    const there = await browser.startLogin(options.path ?? '/bff/login');
    const back = new URL((options.op ?? s.op).approve(there.href));
    const url = options.change?.(back.searchParams, back) ?? back;

    return { browser, there, url,
        answer: await browser.callback(url, options.callback) };
}
