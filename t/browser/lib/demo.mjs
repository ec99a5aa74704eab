// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Runs demo/start on free ports for one test file, and stops it. A test learns
// here what the provider issued and what the API was sent, which no page may
// ever see, and reads NGINX's log, which must hold neither alarms nor tokens.

import { spawn } from 'node:child_process';
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const kStart = fileURLToPath(new URL('../../../demo/start', import.meta.url));
const kAlarm = /\[(alert|emerg)\]|runtime error:|Sanitizer/;

export async function start_demo() {
  const records = mkdtempSync(join(tmpdir(), 'bff-demo-'));
  const child = spawn(kStart, [], {
    env: { ...process.env, DEMO_PORT: '0', DEMO_RECORDS: records },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

  return new Demo(child, records, await announced(child));
}

class Demo {
  constructor(child, records, said) {
    this.child = child;
    this.records = records;
    this.origin = /^ +(https:\S+)\/$/m.exec(said)[1];
    this.issuer = /^ +provider +(\S+)$/m.exec(said)[1];
    this.folder = /^ +logs +(\S+)$/m.exec(said)[1];
  }

  /** Every token that the provider has issued, by kind. */
  tokens() {
    return lines_of(join(this.records, 'provider')).flatMap((answer) => [
      ['access token', answer.access_token],
      ['refresh token', answer.refresh_token],
      ['ID token', answer.id_token],
    ].filter(([, value]) => value));
  }

  /** Every request that the API has seen, the oldest first. */
  api_requests() {
    return lines_of(join(this.records, 'api'));
  }

  logs() {
    return ['error.log', 'access.log', 'nginx.log']
      .map((name) => join(this.folder, name))
      .filter(existsSync)
      .map((file) => readFileSync(file, 'utf8'))
      .join('');
  }

  async stop() {
    const logs = this.logs();
    const tokens = this.tokens();

    const ended = new Promise((resolve) => { this.child.once('exit', resolve); });
    this.child.kill('SIGTERM');
    await ended;
    rmSync(this.records, { recursive: true });

    assert.doesNotMatch(logs, kAlarm);
    for (const [kind, value] of tokens) {
      assert.ok(!logs.includes(value), `no ${kind} in the logs`);
    }
    assert.ok(!existsSync(this.folder), 'the demo leaves nothing behind');
  }
}

// What the demo prints once all of it answers.
function announced(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (text) => {
      said += text;
      if (said.includes('Ctrl-C stops')) {
        resolve(said);
      }
    };

    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`demo/start ended (${code}):\n${said}`)));
  });
}

function lines_of(file) {
  return existsSync(file)
    ? readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line))
    : [];
}
