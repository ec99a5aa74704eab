// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A shop before the demo's provider: what the tests with npm oidc-provider
// have in common.

import { test } from 'node:test';

import { Browser } from '../../lib/browser.mjs';
import { DemoProvider } from '../../lib/demo_provider.mjs';
import { submit } from '../../lib/forms.mjs';
import { Nginx, Place } from '../../lib/nginx.mjs';
import { Upstream } from '../../lib/upstream.mjs';

const kSecret = ({ op }) => `client_secret file:${op.secretFile};`;

const configuration = (s, { credentials = kSecret, directives = '',
    listen = '' }) => `
    bff_provider corp {
        issuer         ${s.op.issuer};
        client_id      shop;
        scope          "openid profile email";
        ${credentials(s)}
        ${directives}
    }

    server {
        listen ${s.at.tls('main', `http2 ${listen}`)};
        server_name shop.test;

        location /      { return 200 home; }
        location /api/  {
            bff corp;
            add_header X-Worker $pid always;
            proxy_pass http://${s.api.address};
        }
    }
`;

// options: of DemoProvider.start and Nginx.start (client may be a function of
// the origin), credentials, directives: lines for the provider's block, listen:
// more parameters of it
export function scene(name, options, act) {
    test(name, { skip: options.skip }, async () => {
        const at = await Place.make();
        const origin = `https://shop.test:${at.port('main')}`;
        const s = { at, api: await Upstream.start() };

        try {
            s.op = await DemoProvider.start(at, { tokens: 'jwt', ...options,
                origins: [origin], client: clientOf(options, origin) });
            s.nginx = await Nginx.start({ place: at, workers: options.workers,
                clock: options.clock, http: configuration(s, options) });
            await act(s, new Browser(origin));
        } finally {
            await s.op?.stop();
            await s.api.stop();
            await s.nginx?.stop();
        }
    });
}

function clientOf({ client = {} }, origin) {
    return typeof client === 'function' ? client(origin) : client;
}

export async function login(b, path = '/bff/login?returnUrl=/') {
    const who = await b.navigate(path, { from: 'same-origin' });
    const may = await submit(b, who, { name: 'Alice Archer' });
    return submit(b, may, { answer: 'allow' });
}
