import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FleetLoad } from '../../src/domain/fleet-load.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const model = resolve(import.meta.dirname, '../../examples/quickstart/model/berth-toy.Q8_0.gguf');
const id = randomBytes(8).toString('hex');
let place: Place;
let url: string;

beforeAll(async () => {
  place = makePlace();
  place.write(`version: 1
fleet: lab
id: "${id}"
models: {toy: {source: ${JSON.stringify(model)}}}
deployments:
  toy: {model: toy, engine: {kind: embedded, slots: 2, context: 512}}
  away: {engine: {kind: openai, url: "http://127.0.0.1:9"}}
`);
  const applied = await place.berth('apply');
  if (applied.code !== 0) throw new Error(applied.stderr);
  const { deployments } = (await place.berth('status', '--json')).json() as {
    deployments: { name: string; replicas: { url: string }[] }[];
  };
  url = deployments.find((one) => one.name === 'toy')?.replicas[0]?.url ?? '';
});
afterAll(async () => {
  await place.berth('down');
  await place.close();
});

async function top(...args: string[]): Promise<FleetLoad> {
  const ran = await place.berth('top', '--once', '--interval', '1', '--json', ...args);
  expect(ran.code, ran.stderr).toBe(0);
  return FleetLoad.parse(ran.json());
}

/** Keeps one slot busy until it is told to stop. */
function keepBusy(signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ prompt: 'What is berth?', max_tokens: 300, ignore_eos: true });
  async function go(): Promise<void> {
    while (!signal.aborted)
      await fetch(`${url}/v1/completions`, { method: 'POST', body, signal })
        .then((reply) => reply.text())
        .catch(() => {});
  }
  return go();
}

test('an engine that works is shown with its slots, rates, cores and memory, and an idle one with none of them', async () => {
  const stop = new AbortController();
  const busy = [keepBusy(stop.signal), keepBusy(stop.signal), keepBusy(stop.signal)];
  const at = await top().finally(() => stop.abort());
  await Promise.all(busy);
  const toy = at.replicas.find((one) => one.deployment === 'toy');
  expect(toy).toMatchObject({ state: 'ready', slots: 2, running: 2 });
  expect(toy?.cores).toBeGreaterThan(0.1);
  expect(toy?.outputTokensPerSecond).toBeGreaterThan(1);
  expect(toy?.memoryBytes).toBeGreaterThan(10e6);
  expect(at.replicas.find((one) => one.deployment === 'away')).toMatchObject({
    state: 'unreachable',
    running: null,
    cores: null,
    outputTokensPerSecond: null,
  });

  const idle = (await top()).replicas.find((one) => one.deployment === 'toy');
  expect(idle).toMatchObject({ running: 0, waiting: 0, outputTokensPerSecond: 0 });
});

test('GPUs stand below the engines, and without a terminal each look is a table of its own', async () => {
  const tools = join(place.folder, 'tools');
  mkdirSync(tools);
  const line = '0, GPU-4f2e, NVIDIA L4, 37, 9216, 54.21';
  writeFileSync(join(tools, 'nvidia-smi'), `#!/bin/sh\necho '${line}'\n`);
  chmodSync(join(tools, 'nvidia-smi'), 0o755);
  place.env['PATH'] = `${tools}:${process.env['PATH']}`;
  const ran = await place.berth('top', '--once', '--interval', '0.2');
  expect(ran.stdout).toMatch(/^toy +ready +0\/2 +0 /m);
  expect(ran.stdout).toMatch(/^NVIDIA L4 \(GPU-4f2e\) +37 % +9216 MiB +54 W$/m);
});

test('an interval that is none is refused', async () => {
  const ran = await place.berth('top', '--interval', 'soon');
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('--interval is a number of seconds')]);
});
