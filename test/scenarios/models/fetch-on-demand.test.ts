import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../../src/domain/fleet-status.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { makePlace, ownPorts, until } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOfBytes, startHub } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';

vi.setConfig({ testTimeout: 300_000 });

const toy = join(import.meta.dirname, '../../../examples/quickstart/model/berth-toy.Q8_0.gguf');
let place: Place;
let hub: HubServer;

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  hub.files.set('toy.gguf', contentOfBytes(readFileSync(toy)));
  place.env['HF_ENDPOINT'] = hub.url;
  place.write(`version: 1
fleet: lab
id: fetch-on-demand
${ownPorts()}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
models: {toy: {source: "hf://lab/tiny/toy.gguf"}}
deployments:
  toy: {model: toy, load: on-demand, memory: 1Gi, engine: {kind: embedded, slots: 1, context: 512}}
`);
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
  await hub.stop();
});

async function gatewayUrl(): Promise<string> {
  const { gateway } = (await place.berth('status', '--json')).json() as FleetStatus;
  return gateway.url ?? '';
}

function ask(url: string, model = 'toy'): Promise<Response> {
  return fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, prompt: 'a', max_tokens: 2 }),
  });
}

test('the first request has a model on demand fetched, once, and waits for it', async () => {
  expect((await place.berth('up', '--detach')).code).toBe(0);
  expect(hub.asked).toEqual([]);
  const url = await gatewayUrl();
  const replies = await Promise.all([ask(url), ask(url)]);
  expect(replies.map(({ status }) => status)).toEqual([200, 200]);
  const asked = hub.asked.length;
  expect(asked).toBeGreaterThan(0);

  // Nothing is out of place afterwards, and it is not fetched again.
  const plan = (await place.berth('plan', '--json')).json() as Plan;
  expect([plan.actions, plan.findings]).toEqual([[], []]);
  expect((await place.berth('down')).code).toBe(0);
  expect((await place.berth('up', '--detach')).code).toBe(0);
  expect((await ask(await gatewayUrl())).status).toBe(200);
  expect(hub.asked.length).toBe(asked);
});

test('one that cannot be fetched is answered with what to do, and fetched once it can be', async () => {
  hub.refuse = { status: 404, code: 'RepoNotFound' };
  expect((await place.berth('up', '--detach')).code).toBe(0);
  const url = await gatewayUrl();
  const refused = await ask(url);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await refused.json()).toMatchObject({
    error: { code: 'model_load_failed', message: expect.stringContaining('"berth pull"') as string },
  });
  hub.refuse = null;
  await until(async () => (await ask(url)).status === 200, 'the model');
});

test('while a model is fetched the others serve and can be loaded, and it is told as what it is', async () => {
  const engine = '{kind: embedded, slots: 1, context: 512, threads: 1}';
  place.write(`version: 1
fleet: lab
id: fetch-beside
${ownPorts()}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
models: {here: {source: ${JSON.stringify(toy)}}, away: {source: "hf://lab/tiny/toy.gguf"}}
deployments:
  a: {model: here, load: on-demand, engine: ${engine}}
  b: {model: here, load: on-demand, engine: ${engine}}
  away: {model: away, load: on-demand, engine: ${engine}}
`);
  const { promise: open, resolve: go } = Promise.withResolvers<void>();
  let pieces = 0;
  hub.pace = async () => void ((pieces += 1) > 4 && (await open));
  expect((await place.berth('up', '--detach')).code).toBe(0);
  const url = await gatewayUrl();
  expect((await ask(url, 'a')).status).toBe(200);

  const waits = ask(url, 'away');
  await until(() => pieces > 4, 'the fetch');
  async function states(): Promise<Record<string, string>> {
    const { data } = (await (await fetch(`${url}/v1/models`)).json()) as {
      data: { id: string; status: string }[];
    };
    return Object.fromEntries(data.map(({ id, status }) => [id, status]));
  }
  expect(await states()).toEqual({ a: 'ready', b: 'unloaded', away: 'fetching' });
  expect((await ask(url, 'b')).status).toBe(200);
  expect((await ask(url, 'a')).status).toBe(200);
  const status = await place.berth('status');
  expect(status.stdout).toMatch(/away .*fetching/);
  expect((await place.berth('status', '--check')).code).toBe(0);

  go();
  expect((await waits).status).toBe(200);
  // Its size is known by now, and all three fit.
  expect(await states()).toEqual({ a: 'ready', b: 'ready', away: 'ready' });
  expect((await place.berth('status')).stdout).not.toContain('fetching');
});
