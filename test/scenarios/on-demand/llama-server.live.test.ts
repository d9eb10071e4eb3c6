import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../../src/domain/fleet-status.ts';
import type { Verification } from '../../../src/domain/verification.ts';
import { localFiles } from '../../../src/io/files.ts';
import { makeModel } from '../../../src/model-files/make-model.ts';
import { readMetric } from '../../gateway/harness.ts';
import { findLlamaServer } from '../../hosts/llama-server.ts';
import { isRunning, makePlace, until } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { selfStarting } from '../../support/self-starting.ts';

vi.setConfig({ testTimeout: 300_000 });

const server = findLlamaServer();
let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

function head(gateway = ''): string {
  return [
    'version: 1',
    'fleet: lab',
    `id: "${randomBytes(8).toString('hex')}"`,
    `gateway: {listen: ["127.0.0.1:0"]${gateway}}`,
    'console: {listen: "127.0.0.1:0"}',
    '',
  ].join('\n');
}

async function status(): Promise<FleetStatus> {
  return (await place.berth('status', '--json')).json();
}

async function gatewayUrl(): Promise<string> {
  const found = await until(async () => {
    const now = await status();
    return now.console.url ? now : null;
  }, 'the gateway');
  return found.gateway.url as string;
}

function complete(url: string, model: string): Promise<Response> {
  return fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, prompt: 'Berth', max_tokens: 4, stream: true }),
  });
}

test.skipIf(!server)(
  'two llama-servers of which one fits at a time take turns, each with its own model',
  async () => {
    for (const name of ['a', 'b'])
      await makeModel(localFiles, {
        size: '1M',
        type: 'q8_0',
        seed: 1,
        path: join(place.folder, `${name}.gguf`),
      });
    const engine = `{kind: llama.cpp, binary: ${JSON.stringify(server)}, slots: 2, context: 512, cacheRam: 0}`;
    // Each is computed to need more than the 200 MiB that any llama-server takes, and less than twice that.
    place.write(
      `${head(', onDemand: {memory: 300Mi, patience: 0s}')}models: {a: {source: ./a.gguf}, b: {source: ./b.gguf}}\ndeployments:\n${['a', 'b'].map((name) => `  ${name}: {model: ${name}, load: on-demand, engine: ${engine}}`).join('\n')}\n`,
    );
    place.spawn('up');
    const url = await gatewayUrl();
    const pids: (number | null | undefined)[] = [];
    for (const name of ['a', 'b', 'a']) {
      const replies = await Promise.all([complete(url, name), complete(url, name), complete(url, name)]);
      for (const reply of replies) expect(await reply.text()).toContain('[DONE]');
      const found = await status();
      const states = found.deployments.map((one) => [one.name, one.replicas[0]?.state]);
      expect(Object.fromEntries(states)).toEqual({ a: 'unloaded', b: 'unloaded', [name]: 'ready' });
      pids.push(found.deployments.find((one) => one.name === name)?.replicas[0]?.pid);
    }
    expect(pids.map((pid) => isRunning(pid ?? 0))).toEqual([false, false, true]);
    expect(await (await fetch(`${url}/upstream/a/props`)).json()).toMatchObject({ total_slots: 2 });
  },
);

test.skipIf(!server)('the models of a llama-server that routes are routes of the gateway', async () => {
  const folder = join(place.folder, 'models');
  mkdirSync(folder);
  for (const name of ['one', 'two'])
    await makeModel(localFiles, {
      size: '1M',
      type: 'q8_0',
      seed: 1,
      path: join(folder, name, `${name}.gguf`),
    });
  place.write(
    `${head()}models: {other: {source: ${JSON.stringify(join(place.folder, 'other.gguf'))}}}\ndefaults: {model: other}\ndeployments:\n  router: {engine: {kind: llama-router, env: {LLAMA_LOG_PREFIX: "1"}, binary: ${JSON.stringify(selfStarting(server ?? '', place.folder))}, modelsDir: ${JSON.stringify(folder)}, modelsMax: 1}}\n`,
  );
  expect((await place.berth('plan', '--json')).stdout).toContain('"--models-max"');
  place.spawn('up');
  const url = await gatewayUrl();
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
  expect(data.map((one) => one.id)).toEqual(expect.arrayContaining(['one', 'two']));
  const models = (await (await fetch(`${url}/upstream/one/models`)).json()) as {
    data: { id: string; status: { value: string } }[];
  };
  expect(Object.fromEntries(models.data.map((one) => [one.id, one.status.value]))).toEqual({
    one: 'unloaded',
    two: 'unloaded',
  });
  // The model of the defaults is none of its own, and not held against it.
  const checked = await place.berth('verify', '--json', '--direct');
  expect(checked.code, checked.stdout).toBe(0);
  const { checks } = checked.json() as Verification;
  expect(checks.find((one) => one.check === 'model')).toMatchObject({
    outcome: 'passed',
    evidence: expect.stringMatching(/^serves .*\bone\b/),
  });
  let headers = {};
  async function states(): Promise<Record<string, string>> {
    const list = (await (await fetch(`${url}/v1/models`, { headers })).json()) as {
      data: { id: string; status: string }[];
    };
    return Object.fromEntries(list.data.map((one) => [one.id, one.status]));
  }
  // Of two models one may be loaded: each is asked for in turn, and counted under its own name.
  for (const name of ['one', 'two', 'one']) {
    const reply = await complete(url, name);
    expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('[DONE]')]);
  }
  await until(
    async () => (await states())['one'] === 'ready' && (await states())['two'] === 'unloaded',
    'the list to tell which of them is loaded',
  );
  for (const [name, count] of [
    ['one', 2],
    ['two', 1],
  ] as const)
    expect(
      await readMetric(
        url,
        'berth_gateway_requests_total',
        `endpoint="/v1/completions",model="${name}",status="200"`,
      ),
    ).toBe(count);
  const { key } = (await place.berth('keys', 'add', 'operator', '--control', '--json')).json() as {
    key: string;
  };
  headers = { authorization: `Bearer ${key}` };
  await until(async () => (await fetch(`${url}/running`, { headers })).ok, 'the key to be in force');
  const told = await fetch(`${url}/unload/one`, { method: 'POST', headers });
  expect([told.status, await told.json()]).toEqual([200, { unloading: ['one'] }]);
  await until(async () => (await states())['one'] === 'unloaded', 'its server to have unloaded it');
});
