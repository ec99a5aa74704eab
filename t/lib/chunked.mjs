// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Transfer-Encoding: chunked, from octets that may not be all there yet.

// { body, rest }, or null while the last chunk has not come.
export function takeChunked(bytes) {
    const parts = [];

    for (let at = 0; ;) {
        const eol = bytes.indexOf('\r\n', at);
        const size = parseInt(bytes.toString('latin1', at, eol), 16);

        if (eol < 0 || bytes.length < eol + 4 + size) {
            return null;
        }

        at = eol + 4 + size;
        if (size === 0) {
            return { body: Buffer.concat(parts), rest: bytes.subarray(at) };
        }
        parts.push(bytes.subarray(eol + 2, eol + 2 + size));
    }
}
