// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// HTTP/2 frame by frame, for what no library would send: a header in frames of
// one octet, trailers that look like a header, a stream that is reset at the
// worst moment. Of an answer's header only the status is read.

import tls from 'node:tls';

import { authority } from './pki.mjs';
import { until } from './wait.mjs';

const kType = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6,
    goAway: 7, windowUpdate: 8, continuation: 9 };
const kEndStream = 1;
const kAck = 1;
const kEndHeaders = 4;
const kWindow = 4; // SETTINGS_INITIAL_WINDOW_SIZE

// RFC 7541, appendix A: the static table's statuses.
const kStatuses = { 8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404,
    14: 500 };

export class RawHttp2 {
    streams = new Map(); // number: { status, body, isOver, code }
    #pending = Buffer.alloc(0);
    #next = 1;
    #window = 65535;     // of a stream of ours
    #room = new Map();   // number: octets that may be sent

    constructor(port, name, alpn = ['h2']) {
        this.socket = tls.connect({ port, host: '127.0.0.1', servername: name,
            ca: authority().text, ALPNProtocols: alpn });
        this.socket.unref();
        this.socket.setNoDelay(true);
        this.socket.on('error', () => {});
        this.socket.on('close', () => { this.isClosed = true; });
        this.socket.on('data', (data) => this.#read(data));
        this.socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
        this.frame(kType.settings, 0, 0, Buffer.alloc(0));
    }

    // Sends a header: [[name, value]]; the stream's number. options: size, the
    // octets of a frame; more, a body follows
    begin(fields, { size = 16384, more = false } = {}) {
        const stream = this.#next;
        this.#next += 2;
        this.streams.set(stream, { body: '' });
        this.headers(stream, fields, { size, more });
        return stream;
    }

    headers(stream, fields, { size = 16384, more = false } = {}) {
        const block = encode(fields);

        for (let at = 0; at < block.length; at += size) {
            const flags = (at + size >= block.length ? kEndHeaders : 0)
                | (at === 0 && !more ? kEndStream : 0);
            this.frame(at === 0 ? kType.headers : kType.continuation, flags,
                stream, block.subarray(at, at + size));
        }
    }

    // As much at once as the other side lets us.
    async body(stream, text, { size = 16384, more = false } = {}) {
        const bytes = Buffer.from(text);

        for (let at = 0; at < bytes.length || at === 0;) {
            await until('room in the stream', () => this.#left(stream) > 0
                || this.isClosed || this.streams.get(stream).isOver);
            const part = bytes.subarray(at,
                at + Math.min(size, this.#left(stream)));
            at += Math.max(part.length, 1);
            this.#room.set(stream, this.#left(stream) - part.length);
            this.frame(kType.data, at >= bytes.length && !more ? kEndStream : 0,
                stream, part);
        }
    }

    reset(stream) {
        const code = Buffer.alloc(4);
        code.writeUInt32BE(8); // CANCEL
        this.frame(kType.rstStream, 0, stream, code);
    }

    frame(type, flags, stream, payload) {
        const head = Buffer.alloc(9);
        head.writeUIntBE(payload.length, 0, 3);
        head.writeUInt8(type, 3);
        head.writeUInt8(flags, 4);
        head.writeUInt32BE(stream, 5);
        this.socket.write(Buffer.concat([head, payload]));
    }

    // { status, body, code } once the stream is over.
    answer(stream) {
        return until(`the end of stream ${stream}`, () => {
            const one = this.streams.get(stream);
            return (one.isOver || this.isClosed) && one;
        });
    }

    close() {
        this.socket.destroy();
    }

    #left(stream) {
        return this.#room.get(stream) ?? this.#window;
    }

    #read(data) {
        this.#pending = Buffer.concat([this.#pending, data]);

        while (this.#pending.length >= 9) {
            const length = this.#pending.readUIntBE(0, 3);
            if (this.#pending.length < 9 + length) {
                return;
            }
            this.#take(this.#pending[3], this.#pending[4],
                this.#pending.readUInt32BE(5),
                this.#pending.subarray(9, 9 + length));
            this.#pending = this.#pending.subarray(9 + length);
        }
    }

    #take(type, flags, stream, payload) {
        const one = this.streams.get(stream) ?? {};

        switch (type) {
        case kType.settings:
            this.#settings(flags, payload);
            break;
        case kType.windowUpdate:
            this.#room.set(stream, this.#left(stream) + payload.readUInt32BE());
            break;
        case kType.headers:
            one.status ??= statusOf(payload);
            one.isOver = Boolean(flags & kEndStream);
            break;
        case kType.data:
            one.body += payload.toString('utf8');
            one.isOver = Boolean(flags & kEndStream);
            break;
        case kType.rstStream:
            one.isOver = true;
            one.code = payload.readUInt32BE();
            break;
        case kType.goAway:
            this.goAway = payload.readUInt32BE(4);
            break;
        }
    }

    #settings(flags, payload) {
        if (flags & kAck) {
            return;
        }

        for (let at = 0; at < payload.length; at += 6) {
            if (payload.readUInt16BE(at) === kWindow) {
                this.#window = payload.readUInt32BE(at + 2);
            }
        }
        this.frame(kType.settings, kAck, 0, Buffer.alloc(0));
    }
}

// HPACK, each field a literal that is not indexed, without Huffman coding.
function encode(fields) {
    return Buffer.concat(fields.flatMap(([name, value]) =>
        [Buffer.from([0]), string(name), string(value)]));
}

function string(text) {
    const bytes = Buffer.from(text, 'latin1');
    return Buffer.concat([integer(bytes.length), bytes]);
}

// With a prefix of seven bits.
function integer(value) {
    if (value < 127) {
        return Buffer.from([value]);
    }

    const octets = [127];
    for (value -= 127; value >= 128; value = Math.floor(value / 128)) {
        octets.push(128 | value % 128);
    }
    return Buffer.from([...octets, value]);
}

// A change of the table's size may stand before it.
function statusOf(block) {
    const first = block.findIndex((octet) => (octet & 0xe0) !== 0x20);
    const octet = block[first];

    return octet & 0x80 ? kStatuses[octet & 0x7f]
        : Number(block.toString('latin1', first + 2, first + 5));
}
