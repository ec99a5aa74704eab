// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sends the form of a page as a click on its button would.

export function submit(browser, page, fields = {}) {
    const action = /<form[^>]*\saction="([^"]+)"/.exec(page.body)?.[1];

    if (!action) {
        throw new Error(`no form at ${page.url}: ${page.status} ${page.body}`);
    }

    const hidden = [...page.body.matchAll(
        /<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)]
        .map(([, name, value]) => [name, value]);
    const url = new URL(action.replaceAll('&amp;', '&'), page.url);

    const body = new URLSearchParams([...hidden, ...Object.entries(fields)])
        .toString();

    return browser.navigate(url, { method: 'POST', from: 'same-origin', body,
        headers: { Origin: url.origin, 'Content-Length': body.length,
            'Content-Type': 'application/x-www-form-urlencoded' } });
}
