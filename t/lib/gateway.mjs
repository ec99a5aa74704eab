// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// APIs that are spoken to in FastCGI, SCGI, uwsgi or gRPC.
//
// They read NGINX's records themselves and keep what came, name by name in
// the order it came, so that a doubled or forged parameter is seen.

import http2 from 'node:http2';
import net from 'node:net';

import { freePort } from './ports.mjs';

export class Gateway {
    requests = []; // { fields: [[name, value]], body }
    #sockets = new Set();

    // kind: fastcgi, scgi, uwsgi, grpc
    static async start(kind) {
        const gateway = new Gateway();
        gateway.port = await freePort();
        gateway.server = kind === 'grpc' ? gateway.#grpc()
            : net.createServer((socket) => gateway.#serve(socket, kinds[kind]));
        gateway.server.on('connection', (socket) => gateway.#keep(socket));
        await new Promise((resolve) =>
            gateway.server.listen(gateway.port, '127.0.0.1', resolve));
        gateway.server.unref();
        return gateway;
    }

    get address() {
        return `127.0.0.1:${this.port}`;
    }

    stop() {
        this.#sockets.forEach((socket) => socket.destroy());
        return new Promise((resolve) => this.server.close(resolve));
    }

    #keep(socket) {
        this.#sockets.add(socket);
        socket.unref();
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => {});
    }

    // One request for each connection.
    #serve(socket, { read, answer }) {
        let bytes = Buffer.alloc(0);

        socket.on('data', (data) => {
            bytes = Buffer.concat([bytes, data]);
            const request = read(bytes);

            if (request) {
                this.requests.push(request);
                socket.end(answer);
            }
        });
    }

    #grpc() {
        const server = http2.createServer({ maxHeaderListPairs: 500 });

        server.on('stream', (stream, headers, flags, raw) => {
            const parts = [];
            stream.on('data', (data) => parts.push(data));
            stream.on('error', () => {});
            stream.on('end', () => {
                this.requests.push({ fields: pairs(raw),
                    body: Buffer.concat(parts).toString('latin1') });
                stream.respond({ ':status': 200 });
                stream.end('grpc');
            });
        });

        return server;
    }
}

function pairs(list) {
    return Array.from({ length: list.length / 2 }, (_, i) =>
        [list[2 * i], list[2 * i + 1]]);
}

const kAnswer = 'Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';

const kinds = {
    fastcgi: { read: readFastcgi, answer: fastcgiAnswer() },
    scgi: { read: readScgi, answer: `Status: 200 OK\r\n${kAnswer}` },
    uwsgi: { read: readUwsgi, answer: `HTTP/1.1 200 OK\r\n${kAnswer}` },
};

// --- FastCGI 1.0: version, type, id, content length, padding, reserved ---

function readFastcgi(bytes) {
    const streams = { 4: [], 5: [] }; // parameters and body
    const ended = new Set();

    for (let at = 0; at + 8 <= bytes.length;) {
        const type = bytes[at + 1];
        const length = bytes.readUInt16BE(at + 4);
        const content = bytes.subarray(at + 8, at + 8 + length);
        at += 8 + length + bytes[at + 6];

        if (at > bytes.length) {
            return null;
        }

        streams[type]?.push(content);
        if (length === 0) {
            ended.add(type);
        }
    }

    return ended.size < 2 ? null : {
        fields: fastcgiPairs(Buffer.concat(streams[4])),
        body: Buffer.concat(streams[5]).toString('latin1') };
}

function fastcgiPairs(bytes) {
    const fields = [];
    let at = 0;

    const length = () => {
        const isLong = bytes[at] & 0x80;
        const value = isLong ? bytes.readUInt32BE(at) & 0x7fffffff : bytes[at];
        at += isLong ? 4 : 1;
        return value;
    };
    const text = (octets) => bytes.toString('latin1', at, at += octets);

    while (at < bytes.length) {
        const [name, value] = [length(), length()];
        fields.push([text(name), text(value)]);
    }

    return fields;
}

function fastcgiAnswer() {
    const record = (type, content) => Buffer.concat([
        Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255,
            0, 0]), content]);

    return Buffer.concat([record(6, Buffer.from(`Status: 200\r\n${kAnswer}`)),
        record(6, Buffer.alloc(0)), record(3, Buffer.alloc(8))]);
}

// --- SCGI: a netstring of NUL-ended names and values, then the body ---

function readScgi(bytes) {
    const colon = bytes.indexOf(':');
    const length = Number(bytes.toString('latin1', 0, colon));
    const end = colon + 1 + length;

    if (colon < 0 || bytes.length <= end) {
        return null;
    }

    const fields = pairs(bytes.toString('latin1', colon + 1, end)
        .split('\0').slice(0, -1));
    return withBody(fields, bytes.subarray(end + 1));
}

// --- uwsgi: modifier, length, modifier, then pairs with their lengths ---

function readUwsgi(bytes) {
    const end = bytes.length < 4 ? Infinity : 4 + bytes.readUInt16LE(1);

    if (bytes.length < end) {
        return null;
    }

    const fields = [];
    const text = (at) =>
        bytes.toString('latin1', at + 2, at + 2 + bytes.readUInt16LE(at));

    for (let at = 4; at < end;) {
        const name = text(at);
        const value = text(at + 2 + name.length);
        fields.push([name, value]);
        at += 4 + name.length + value.length;
    }

    return withBody(fields, bytes.subarray(end));
}

function withBody(fields, body) {
    const length = Number(fields.find(([n]) => n === 'CONTENT_LENGTH')?.[1] ?? 0);

    return body.length < length ? null
        : { fields, body: body.toString('latin1', 0, length) };
}
