// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Sees all that a browser sees: every URL, header and body in both directions,
// taken from the browser itself before a page gets it, and all that script can
// reach in a page. Redirects have no body; Chromium throws theirs away.

/** Watches `page` from its next request on. */
export async function witness_of(page) {
  const cdp = await page.context().newCDPSession(page);
  const witness = new Witness(cdp);

  await cdp.send('Network.enable', {});
  await cdp.send('Fetch.enable', { patterns: [{ requestStage: 'Response' }] });
  return witness;
}

class Witness {
  #seen = [];

  constructor(cdp) {
    this.cdp = cdp;
    cdp.on('Network.requestWillBeSent', ({ request }) => this.#note('request', request));
    cdp.on('Network.requestWillBeSentExtraInfo', ({ headers }) => this.#note('request headers', headers));
    cdp.on('Network.responseReceived', ({ response }) => this.#note(`response of ${response.url}`, response));
    cdp.on('Network.responseReceivedExtraInfo', ({ headers }) => this.#note('response headers', headers));
    cdp.on('Fetch.requestPaused', (paused) => this.#read(paused).catch(unless_gone));
  }

  /** Where `text` was seen; an empty list is what a test hopes for. */
  places_of(text) {
    return this.#seen.filter((one) => one.what.includes(text)).map((one) => one.where);
  }

  /** Adds what script can reach in `page` right now. */
  async look_around(page) {
    this.#note(`page ${page.url()}`, await page.evaluate(all_that_script_reaches));
  }

  async #read({ requestId, request, responseHeaders, responseStatusCode }) {
    this.#note(`headers of ${request.url}`, responseHeaders);
    if (!(responseStatusCode >= 300 && responseStatusCode < 400)) {
      const { body, base64Encoded } = await this.cdp.send('Fetch.getResponseBody', { requestId });
      const text = base64Encoded ? Buffer.from(body, 'base64').toString() : body;
      this.#note(`body of ${request.url}`, text);
    }

    await this.cdp.send('Fetch.continueRequest', { requestId });
  }

  #note(where, what) {
    this.#seen.push({ where, what: typeof what === 'string' ? what : JSON.stringify(what) });
  }
}

// A page that leaves drops its requests; what it never got it has not seen.
function unless_gone(error) {
  if (!/Invalid InterceptionId|has been closed/.test(error.message)) {
    throw error;
  }
}

// Runs in the page.
async function all_that_script_reaches() {
  return {
    cookie: document.cookie,
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    name: window.name,
    state: history.state,
    address: location.href,
    referrer: document.referrer,
    requests: performance.getEntries().map((entry) => entry.name),
    document: document.documentElement.outerHTML,
  };
}
