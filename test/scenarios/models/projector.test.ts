import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../../src/domain/fleet-status.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { makePlace, ownPorts } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOfBytes, startHub } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';

vi.setConfig({ testTimeout: 300_000 });

const server = join(import.meta.dirname, '../../support/fake-llama-server.mjs');
const toy = join(import.meta.dirname, '../../../examples/quickstart/model/berth-toy.Q8_0.gguf');
const projector = 'hf://lab/tiny/mmproj-F16.gguf';
let place: Place;
let hub: HubServer;

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  hub.files.set('mmproj-F16.gguf', contentOfBytes(readFileSync(toy)));
  place.env['HF_ENDPOINT'] = hub.url;
  place.write(`#!/bin/sh\nexec '${process.execPath}' '${server}' "$@"\n`, 'llama-server');
  chmodSync(join(place.folder, 'llama-server'), 0o755);
  place.write('', 'm.gguf');
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
  await hub.stop();
});

function write(options = ''): void {
  const binary = JSON.stringify(join(place.folder, 'llama-server'));
  place.write(`version: 1
fleet: lab
id: projector
${ownPorts()}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
models: {m: {source: ./m.gguf, mmproj: "${projector}"}}
deployments:
  a: {model: m, ${options} engine: {kind: llama.cpp, binary: ${binary}}}
`);
}

async function words(): Promise<string> {
  const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
  return readFileSync(`/proc/${deployments[0]?.replicas[0]?.pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}

test('a projector is fetched as its model is: before an apply, kept by prune, and by its name of the model', async () => {
  write();
  const plan = (await place.berth('plan', '--json')).json() as Plan;
  expect(plan.fetch).toEqual([{ deployment: 'a', source: projector, secret: null }]);
  const applied = await place.berth('apply');
  expect(applied.code, applied.stdout + applied.stderr).toBe(0);
  expect(await words()).toMatch(
    /--mmproj \S.*\/trees\/hf--lab--tiny--mmproj-F16\.gguf-\w+\/mmproj-F16\.gguf/,
  );
  const after = (await place.berth('plan', '--json')).json() as Plan;
  expect([after.actions.map((one) => one.do), after.fetch]).toEqual([['keep'], undefined]);
  expect((await place.berth('down')).code).toBe(0);
  expect((await place.berth('models', 'prune', '--yes', '--json')).json()).toMatchObject({ models: [] });
  for (const names of [[], ['m'], ['a']])
    expect((await place.berth('pull', ...names, '--json')).json()).toMatchObject([
      { source: projector, fetched: false },
    ]);
});

test('a model on demand has its projector fetched by its first request', async () => {
  write('load: on-demand, memory: 1Gi,');
  expect((await place.berth('up', '--detach')).code).toBe(0);
  expect(hub.asked).toEqual([]);
  const { gateway } = (await place.berth('status', '--json')).json() as FleetStatus;
  const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'a', messages: [{ role: 'user', content: 'a' }] }),
  });
  expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('Hi')]);
  expect(await words()).toContain('/mmproj-F16.gguf');
});
