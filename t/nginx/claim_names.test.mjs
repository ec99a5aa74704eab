// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Claims by names that NGINX can write: its variables have neither capitals
// nor dots, claims have both.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kKey } from '../lib/checks.mjs';
import { stage } from '../lib/stage.mjs';

// [name after $bff_claim_, what it gives]
const kNames = [
    ['givenName', 'Ada'],
    ['givenname', 'Ada'],
    ['GIVENNAME', 'Ada'],
    ['address__city', 'London'],
    ['address__Geo__lat', '50'],
    ['under__score', 'itself'],
    ['a__b', 'dotted'],
    ['address__nothing', undefined],
    ['__', undefined],
];

const kClaims = {
    givenName: 'Ada', address: { city: 'London', Geo: { lat: 50 } },
    under__score: 'itself', under: { score: 'other' },
    'a.b': 'dotted', a: { b: 'nested' },
};

const s = stage(({ op, api, at }) => `
    bff_provider corp {
        issuer ${op.issuer};
        client_id shop;
        client_secret "shop secret";
        session_key ${kKey};
        session_claims sub ${Object.keys(kClaims).join(' ')};
    }

    server {
        listen ${at.tls()};
        location / { return 200 home; }
        location /api/ {
            bff corp;
            ${kNames.map(([name], i) =>
                `add_header X-Claim-${i} $bff_claim_${name};`).join('\n')}
            proxy_set_header X-Given $bff_claim_givenName;
            proxy_pass http://${api.address};
        }
    }
`);

test('claims with capitals and dots, through add_header', async () => {
    s.op.claims = (usual) => ({ ...usual, ...kClaims });
    const b = s.browser();
    await b.login('/');
    const { headers } = await b.api('/api/x');

    assert.deepEqual(kNames.map(([name], i) => [name, headers[`x-claim-${i}`]]),
        kNames);
    assert.equal(s.api.last.header('x-given'), 'Ada');
});
