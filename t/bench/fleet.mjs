// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// All servers that are compared, at once, each idle but for the one that is
// measured, and the sessions that each knows.

import { startApache } from './apache.mjs';
import { startFloor, startModule, zoneOf } from './servers.mjs';
import { kOneChunk, mint } from './sessions.mjs';

const kOctetsOfSession = 2560; // of a zone, all in

// By name: { server, sessions: { name: as of mint() } }. sessions: { one, two }
// of mint(); stored: so many in the zone.
export async function startFleet(upstream, sessions, stored) {
    const { one, two } = sessions;
    const apache = (type) => startApache(upstream, type, one.token);

    return withRequests({
        floor: { sessions, server: await startFloor(upstream,
            { one: one.token, two: two.token }) },
        module: { sessions, server: await startModule(upstream) },
        'zone of one': await startZone(upstream, 1),
        zone: await startZone(upstream, stored),
        'apache client-cookie': await apache('client-cookie'),
        'apache server-cache': await apache('server-cache'),
    });
}

// { server, sessions: { zone } }. options: of startModule()
export async function startZone(upstream, count, options = {}) {
    const size = Math.ceil(count * kOctetsOfSession / 1024 / 1024) + 4;
    const server = await startModule(upstream,
        `session_store zone=sessions:${size}m;`, options);

    return { server, sessions: { zone: mint(`zone-${count}`, count, kOneChunk,
        zoneOf(server, 'sessions')) } };
}

// requests(subject): for load(). advance(): the next ones are of sessions that
// were not asked for yet.
export function withRequests(fleet) {
    const next = new Map();

    return Object.defineProperties(fleet, {
        requests: { value: (one) => {
            const { server, sessions } = fleet[one.server];
            const { cookies, first } = sessions[one.cookies] ?? {};

            return { port: server.ports[one.port ?? 'main'],
                cookies: one.of === 'first' ? first : cookies,
                order: (one.of === 'random' ? 'random' : 'next')
                    + (one.among ? `:${one.among}` : ''),
                first: next.get(one.name) ?? 0 };
        } },
        advance: { value: (one, requests) =>
            next.set(one.name, (next.get(one.name) ?? 0) + requests) },
        stop: { value: async () => {
            for (const { server } of Object.values(fleet)) {
                await server.stop();
            }
        } },
    });
}
