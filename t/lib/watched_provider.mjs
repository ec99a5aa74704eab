// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a test changes in the demo's provider, and what it wants to know of it:
// runs in the provider's process, started by DemoProvider.
//
//   WATCH   as JSON: events (file, one JSON text a line), gate (while this
//           file is there, token answers wait), lifetimes, backchannel

import dns from 'node:dns';
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const watch = JSON.parse(process.env.WATCH);

export function configure(configuration) {
    Object.assign(configuration.ttl, watch.lifetimes);
    configuration.features.backchannelLogout = { enabled: watch.backchannel };

    // Every name leads to this machine; who answers is known by certificate.
    configuration.httpOptions = () => ({ dnsLookup: (name, options, done) =>
        dns.lookup('127.0.0.1', options, done) });
}

export function extend(provider) {
    provider.use(gate);

    for (const event of ['refresh_token.consumed', 'refresh_token.destroyed',
        'grant.revoked', 'end_session.success', 'backchannel.success']) {
        provider.on(event, () => record(event, { at: Date.now() }));
    }

    for (const event of ['grant.error', 'backchannel.error', 'server_error',
        'revocation.error']) {
        provider.on(event, (ctx, error) =>
            record(event, { why: error.error_detail ?? error.message }));
    }

    provider.on('grant.success', ({ oidc }) =>
        record('grant.success', { grant: oidc.params.grant_type }));
}

async function gate(ctx, next) {
    if (ctx.path.endsWith('/token') && existsSync(watch.gate)) {
        record('token.waits');
        while (existsSync(watch.gate)) {
            await sleep(5);
        }
    }
    return next();
}

function record(event, more) {
    appendFileSync(watch.events, `${JSON.stringify({ event, ...more })}\n`);
}
