// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Answers the questions of t/fuzz/oracle.hpp with what a browser would say.
//
//   question   kind u8 | length u32 | text | verdict u8 | length u32 | text
//   answer     length u32 | what is wrong, '' for nothing
//
// kind: 'r' a return URL, 'o' an origin, 'q' a return URL and what became of it
// with the parameter bff_error=x; verdict: 1 accepted, and written as
// the second text.

import fs from 'node:fs';

import { whyToKeep, whyToReadOrigin, wrongWithKept, wrongWithOrigin,
    wrongWithQuery } from '../lib/whatwg.mjs';

const kinds = {
    r: (given, kept) => kept !== null ? wrongWithKept(given, kept)
        : refusal(whyToKeep(given)),
    o: (given, kept) => kept !== null
        ? wrongWithOrigin(given.toString('latin1'), kept)
        : refusal(whyToReadOrigin(given.toString('latin1'))),
    q: (given, longer) => wrongWithQuery(given.toString('latin1'), longer,
        { bff_error: 'x' }),
};

function refusal(why) {
    return why && `refused, but ${why}`;
}

function main() {
    for (let kind; (kind = read(1)) !== null;) {
        const given = text();
        const isKept = read(1)[0] === 1;
        const kept = text().toString('latin1');
        const wrong = Buffer.from(
            kinds[kind.toString()](given, isKept ? kept : null));
        const head = Buffer.alloc(4);
        head.writeUInt32LE(wrong.length);
        write(Buffer.concat([head, wrong]));
    }
}

function text() {
    return read(read(4).readUInt32LE());
}

// So many octets, or null when nobody asks any more.
function read(size) {
    const octets = Buffer.alloc(size);

    for (let at = 0; at < size;) {
        const got = fs.readSync(0, octets, at, size - at);
        if (got === 0) {
            return null;
        }
        at += got;
    }

    return octets;
}

function write(octets) {
    for (let at = 0; at < octets.length;) {
        at += fs.writeSync(1, octets, at);
    }
}

main();
