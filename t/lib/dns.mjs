// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A name server that knows the names a test gave it and counts who asked.
//
// It answers A and AAAA over UDP; a name it does not know does not exist.

import dgram from 'node:dgram';

import { freePort } from './ports.mjs';

const kA = 1;
const kAaaa = 28;

export class Dns {
    queries = [];

    // names: { 'id.test': { a: ['127.0.0.1'], aaaa: [] } }
    static async start(names) {
        const dns = new Dns();
        dns.names = names;
        dns.port = await freePort();
        dns.socket = dgram.createSocket('udp4');
        dns.socket.on('message', (m, peer) => dns.#answer(m, peer));
        await new Promise((resolve) =>
            dns.socket.bind(dns.port, '127.0.0.1', resolve));
        dns.socket.unref();
        return dns;
    }

    stop() {
        return new Promise((resolve) => this.socket.close(resolve));
    }

    #answer(message, peer) {
        const { name, type, end } = readQuestion(message);
        this.queries.push({ name, type });

        const known = this.names[name.toLowerCase()];
        const records = !known ? []
            : type === kA ? (known.a ?? []).map(ipv4)
                : type === kAaaa ? (known.aaaa ?? []).map(ipv6) : [];

        this.socket.send(Buffer.concat([
            header(message, known ? 0 : 3, records.length),
            message.subarray(12, end),
            ...records.map((data) => record(type, data)),
        ]), peer.port, peer.address);
    }
}

function readQuestion(message) {
    const labels = [];
    let at = 12;

    while (message[at] !== 0) {
        labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));
        at += 1 + message[at];
    }

    return { name: labels.join('.'), type: message.readUInt16BE(at + 1),
        end: at + 5 };
}

function header(query, code, answers) {
    const out = Buffer.alloc(12);
    query.copy(out, 0, 0, 2);
    out.writeUInt16BE(0x8180 | code, 2);
    out.writeUInt16BE(1, 4);
    out.writeUInt16BE(answers, 6);
    return out;
}

// The name is a pointer to the question, the time to live one minute.
function record(type, data) {
    const out = Buffer.alloc(12);
    out.writeUInt16BE(0xc00c, 0);
    out.writeUInt16BE(type, 2);
    out.writeUInt16BE(1, 4);
    out.writeUInt32BE(60, 6);
    out.writeUInt16BE(data.length, 10);
    return Buffer.concat([out, data]);
}

function ipv4(address) {
    return Buffer.from(address.split('.').map(Number));
}

function ipv6(address) {
    const [head, tail = ''] = address.split('::');
    const words = (text) => text.split(':').filter(Boolean);
    const zeros = 8 - words(head).length - words(tail).length;
    const all = [...words(head), ...Array(zeros).fill('0'), ...words(tail)];
    const out = Buffer.alloc(16);
    all.forEach((word, i) => out.writeUInt16BE(parseInt(word, 16), 2 * i));
    return out;
}
