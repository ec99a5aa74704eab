// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Who is compared with whom. A floor is plain NGINX that adds the same token
// and gets the same cookies, or no session cookie where the session is in
// shared memory: what the module reads of such a request, it reads for itself.
//
//   server   floor, module, zone: see servers.mjs
//   port     of the floor's listeners, each with a token of its own
//   cookies  which sessions: one or two chunks each, or zone; none
//   of       first: the same session again and again; next: each request
//            another one; random: any of them
//   count    how many sessions there are
//   floor    the subject to compare with

export const kCold = 100_000;
export const kManyStored = 50_000;

export const kSubjects = [
    { name: 'floor bare', server: 'floor', port: 'one' },
    { name: 'floor', server: 'floor', port: 'one', cookies: 'one',
        of: 'first' },
    { name: 'floor two chunks', server: 'floor', port: 'two', cookies: 'two',
        of: 'first' },
    { name: 'floor cold', server: 'floor', port: 'one', cookies: 'one',
        of: 'next' },

    { name: 'warm', server: 'module', cookies: 'one', of: 'first',
        floor: 'floor' },
    { name: 'warm two chunks', server: 'module', cookies: 'two', of: 'first',
        floor: 'floor two chunks' },
    { name: 'cold', server: 'module', cookies: 'one', of: 'next',
        floor: 'floor cold' },

    { name: 'zone 1', server: 'zone', cookies: 'zone', of: 'first',
        floor: 'floor bare' },
    { name: 'zone many', server: 'zone', cookies: 'zone', of: 'random',
        floor: 'floor bare' },
];

export const subject = (name) => kSubjects.find((one) => one.name === name);
