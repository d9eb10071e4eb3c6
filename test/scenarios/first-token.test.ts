import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { freePorts, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

/** An engine is ready once it has given a token: many say that they are well before they can. */

const server = join(import.meta.dirname, '../support/fake-llama-server.mjs');
let place: Place;
let port: number;
let id: string;

beforeEach(async () => {
  place = makePlace();
  id = randomBytes(8).toString('hex');
  [port = 0] = await freePorts(1);
  place.write(`#!/bin/sh\nexec '${process.execPath}' '${server}' "$@"\n`, 'llama-server');
  chmodSync(join(place.folder, 'llama-server'), 0o755);
  place.write('', 'm.gguf');
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

function write(tokens: string, startTimeout = '60s'): void {
  const binary = JSON.stringify(join(place.folder, 'llama-server'));
  place.write(`version: 1
fleet: lab
id: "${id}"
models: {m: {source: ./m.gguf}}
deployments:
  a: {model: m, port: ${port}, engine: {kind: llama.cpp, binary: ${binary}, startTimeout: ${startTimeout}, env: {FAKE_TOKENS: ${tokens}}}}
`);
}

async function asked(): Promise<string[]> {
  const { stdout } = await place.berth('logs', 'a');
  return stdout.split('\n').filter((line) => line.includes('asked'));
}

test.each([
  ['good', ['/v1/chat/completions']],
  ['late', Array(3).fill('/v1/chat/completions')],
  ['embeds', ['/v1/chat/completions', '/v1/completions', '/v1/embeddings']],
  ['keyed', ['/v1/chat/completions']],
])('an engine whose first token is %s becomes ready', async (tokens, paths) => {
  write(tokens);
  const applied = await place.berth('apply');
  expect(applied.code, applied.stdout + applied.stderr).toBe(0);
  expect((await asked()).map((line) => line.slice(line.indexOf('/')))).toEqual(paths);
  // What is kept is not asked for tokens: somebody else's requests are in its slots.
  expect((await place.berth('apply')).code).toBe(0);
  expect((await asked()).length).toBe(paths.length);
});

test('an engine that is well by its own word and makes no token is not ready, and the old one comes back', async () => {
  write('good');
  expect((await place.berth('apply')).code).toBe(0);
  write('broken', '5s');
  const failed = await place.berth('apply');
  expect(failed.code).toBe(7);
  expect(failed.stdout).toContain(
    `a did not become ready within 5 s: http://127.0.0.1:${port}/v1/chat/completions answers 500: CUDA error: out of memory.`,
  );
  const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
  expect(deployments[0]?.replicas[0]).toMatchObject({ state: 'ready', outdated: true });
});
