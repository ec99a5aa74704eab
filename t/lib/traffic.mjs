// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// People at work: sessions whose tokens end all the time, requests in several
// tabs at once, and logins, until it is enough.
//
// Whatever goes wrong is remembered with its circumstances. A request whose
// connection breaks is one that the test may allow: `lost`.

import { attempt } from './stage.mjs';

const kTabs = 3;

export class Traffic {
    wrong = [];
    lost = 0;
    requests = 0;
    logins = 0;
    #ends = false;
    #people = [];

    static async begin(s, people = 6) {
        const traffic = new Traffic();
        const browsers = [];

        for (let i = 0; i < people; i++) {
            browsers.push((await attempt(s)).browser);
        }
        traffic.browsers = browsers;
        traffic.#people = [...browsers.map((b) => traffic.#work(b)),
            traffic.#logIn(s), traffic.#logIn(s)];
        return traffic;
    }

    // Nobody is interrupted.
    async end() {
        this.#ends = true;
        await Promise.all(this.#people);
    }

    // So many more requests, so that what happens meets some.
    async more(requests) {
        const enough = this.requests + requests;

        while (!this.#ends && this.requests < enough
            && this.wrong.length === 0) {
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
    }

    async #work(browser) {
        while (!this.#ends) {
            const tabs = [browser, ...Array.from({ length: kTabs - 1 },
                () => browser.clone())];
            await Promise.all(tabs.map((tab) => this.#ask(tab)));
        }
    }

    async #ask(tab) {
        await this.#try(async () => {
            const answer = await tab.api('/api/cart');
            this.requests++;
            return answer.status === 200 ? null
                : `${answer.status} ${answer.body}`;
        });
    }

    // Some time goes by between the two halves.
    async #logIn(s) {
        while (!this.#ends) {
            const browser = s.browser();
            await this.#try(async () => {
                const there = await browser.startLogin();
                await this.more(20);
                const answer = await browser.callback(s.op.approve(there.href));
                this.logins++;
                return answer.status === 200 ? null
                    : `login: ${answer.status} ${answer.body}`;
            });
        }
    }

    async #try(act) {
        try {
            const wrong = await act();
            if (wrong) {
                this.wrong.push(wrong);
            }
        } catch (e) {
            if (!/ECONNRESET|socket hang up|EPIPE/.test(`${e.code} ${e}`)) {
                this.wrong.push(String(e.stack));
            }
            this.lost++;
        }
    }
}
