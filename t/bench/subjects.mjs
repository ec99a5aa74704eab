// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Who is compared with whom. A floor is plain NGINX that adds the same token
// and gets the same cookies, or no session cookie where the session is in
// shared memory: what the module reads of such a request, it reads for itself.
//
//   server   see fleet.mjs
//   port     of the floor's listeners, each with a token of its own
//   cookies  which sessions: one or two chunks each, or in a zone; none
//   of       first: the same session again and again; next: each request
//            another one; random: any of them
//   among    only the first so many of them
//   floor    the subject to compare with

const kSlow = 2000; // a second: what Apache can do on one processor

// Each right behind its floor: machines change within seconds.
export const kSubjects = [
    { name: 'floor', server: 'floor', port: 'one', cookies: 'one',
        of: 'first' },
    { name: 'warm', server: 'module', cookies: 'one', of: 'first',
        floor: 'floor' },
    { name: 'floor two chunks', server: 'floor', port: 'two', cookies: 'two',
        of: 'first' },
    { name: 'warm two chunks', server: 'module', cookies: 'two', of: 'first',
        floor: 'floor two chunks' },
    { name: 'floor cold', server: 'floor', port: 'one', cookies: 'one',
        of: 'next' },
    { name: 'cold', server: 'module', cookies: 'one', of: 'next',
        floor: 'floor cold' },
    { name: 'floor bare', server: 'floor', port: 'one' },
    { name: 'zone 1', server: 'zone of one', cookies: 'zone', of: 'first',
        floor: 'floor bare' },
    { name: 'zone many', server: 'zone', cookies: 'zone', of: 'random',
        floor: 'floor bare' },
    // Where sessions are in cookies, as the first ones; where they are not.
    { name: 'mod_auth_openidc client-cookie', server: 'apache client-cookie',
        cookies: 'apache', of: 'first', floor: 'floor', rate: kSlow },
    { name: 'mod_auth_openidc shm', server: 'apache server-cache',
        cookies: 'apache', of: 'first', floor: 'floor bare', rate: kSlow },
];
