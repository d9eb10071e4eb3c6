import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../../src/domain/fleet-status.ts';
import { localFiles } from '../../../src/io/files.ts';
import { makeModel } from '../../../src/model-files/make-model.ts';
import { fakeEngine, isRunning, makePlace, ownPorts, until } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let id: string;
let hosts: string;

beforeEach(() => {
  id = randomBytes(8).toString('hex');
  hosts = ownPorts();
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

function deployment(name: string, options: { mode?: string[]; more?: string } = {}): string {
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}', ...(options.mode ?? [])]);
  return `  ${name}: {load: on-demand, memory: 4Gi, ${options.more ?? ''}engine: {kind: command, command: ${command}, stopGrace: 5s, startTimeout: 60s}}`;
}

function fleet(deployments: readonly string[], gateway = ''): string {
  return [
    'version: 1',
    'fleet: lab',
    hosts,
    `id: "${id}"`,
    `gateway: {listen: ["127.0.0.1:0"], onDemand: {memory: 6Gi, patience: 0s}${gateway}}`,
    'console: {listen: "127.0.0.1:0"}',
    'deployments:',
    ...deployments,
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

function ask(url: string, model: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [] }),
  });
}

async function pidOf(reply: Response): Promise<number> {
  return Number(/hello from (\d+)/.exec(await reply.text())?.[1]);
}

/** State of each model as clients see it. */
async function models(url: string): Promise<Record<string, string>> {
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as {
    data: { id: string; status: string }[];
  };
  return Object.fromEntries(data.map((one) => [one.id, one.status]));
}

test('the first requests start one engine, and a model that does not fit beside it takes its place', async () => {
  place.write(fleet([deployment('a'), deployment('b')]));
  const up = place.spawn('up');
  const url = await gatewayUrl();
  expect(await models(url)).toEqual({ a: 'unloaded', b: 'unloaded' });
  expect((await status()).deployments.map((one) => one.replicas[0]?.state)).toEqual(['unloaded', 'unloaded']);

  const replies = await Promise.all([ask(url, 'a'), ask(url, 'a'), ask(url, 'a')]);
  const pids = await Promise.all(replies.map(pidOf));
  expect(new Set(pids).size).toBe(1);
  expect(await models(url)).toEqual({ a: 'ready', b: 'unloaded' });

  const b = await pidOf(await ask(url, 'b'));
  expect(isRunning(b)).toBe(true);
  expect(isRunning(pids[0] ?? 0)).toBe(false);
  expect(await models(url)).toEqual({ a: 'unloaded', b: 'ready' });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('berth_gateway_model_state{deployment="b",state="ready"} 1');
  expect(metrics).toContain('berth_gateway_model_loads_total{deployment="a",outcome="unloaded"} 1');
  expect(up.output().stderr).toContain('Loading a');
});

test('what two real models need is computed from their files, and as they fit they stay loaded together', async () => {
  for (const name of ['a', 'b'])
    await makeModel(localFiles, {
      size: '1M',
      type: 'q8_0',
      seed: 1,
      path: join(place.folder, name, 'm.gguf'),
    });
  const lines = fleet(
    ['a', 'b'].map(
      (name) =>
        `  ${name}: {model: ${name}, load: on-demand, engine: {kind: embedded, slots: 1, context: 256, threads: 1}}`,
    ),
  );
  place.write(`${lines}models: {a: {source: ./a/m.gguf}, b: {source: ./b/m.gguf}}\n`);
  place.spawn('up');
  const url = await gatewayUrl();
  for (const model of ['a', 'b']) {
    const reply = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, prompt: 'Berth', max_tokens: 2, stream: true }),
    });
    expect(await reply.text()).toContain('[DONE]');
  }
  expect(await models(url)).toEqual({ a: 'ready', b: 'ready' });
});

test('after its idle time a model is unloaded, and its next request loads it again', async () => {
  place.write(fleet([deployment('a', { more: 'ttl: 1s, ' })]));
  place.spawn('up');
  const url = await gatewayUrl();
  const first = await pidOf(await ask(url, 'a'));
  await until(() => !isRunning(first), 'the engine to end');
  await until(async () => (await models(url))['a'] === 'unloaded', 'the state');
  expect(await pidOf(await ask(url, 'a'))).not.toBe(first);
});

test.skipIf(process.getuid?.() !== 0)(
  'what ran before a model came on demand is still with it when it is unloaded, and goes with the fleet',
  async () => {
    const always = deployment('a').replace('load: on-demand, memory: 4Gi, ', '');
    for (const text of [always, always.replace('stopGrace: 5s', 'stopGrace: 4s')]) {
      place.write(fleet([text]));
      expect((await place.berth('apply')).code).toBe(0);
    }
    const record = `/run/berth/ran/lab-${id}/a-0.json`;
    expect(existsSync(record)).toBe(true);
    place.write(fleet([deployment('a', { more: 'ttl: 1s, ' })]));
    place.spawn('up');
    const url = await gatewayUrl();
    expect((await ask(url, 'a')).status).toBe(200);
    await until(async () => (await models(url))['a'] === 'unloaded', 'the state');
    expect(existsSync(record)).toBe(true);
    expect((await place.berth('down')).code).toBe(0);
    expect(existsSync(record)).toBe(false);
  },
);

test('a model that cannot be started is told honestly, with a time to come back, and the log has its lines', async () => {
  place.write(fleet([deployment('broken', { mode: ['--crash'] })]));
  const up = place.spawn('up');
  const url = await gatewayUrl();
  const replies = await Promise.all([ask(url, 'broken'), ask(url, 'broken')]);
  for (const reply of replies) {
    expect(reply.status).toBe(503);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    const { error } = (await reply.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('model_load_failed');
    expect(error.message).toContain('its engine ended while starting');
    expect(error.message).not.toContain('bad magic');
  }
  expect(up.output().stderr).toContain('cannot load the model: bad magic');
  expect(await models(url)).toEqual({ broken: 'failed' });
  expect((await place.berth('status')).stdout).toContain(
    'warning: broken: Its latest start came to nothing: broken ended while starting with exit code 3.',
  );
  // What is changed beside it mends nothing of it; what it is started from does, without a wait.
  place.write(fleet([deployment('broken', { mode: ['--crash'] }), deployment('other')]));
  expect((await place.berth('apply')).code).toBe(0);
  await until(async () => 'other' in (await models(url)), 'the file to be in force');
  expect(await models(url)).toEqual({ broken: 'failed', other: 'unloaded' });
  place.write(fleet([deployment('broken'), deployment('other')]));
  expect((await place.berth('apply')).code).toBe(0);
  await until(async () => (await models(url))['broken'] === 'unloaded', 'the failure to be forgotten');
  expect((await ask(url, 'broken')).status).toBe(200);
  await until(async () => (await status()).findings.length === 0, 'the failure to be past');
});

test('an engine that is killed is gone for the gateway, and its next request starts another', async () => {
  place.write(fleet([deployment('a')]));
  place.spawn('up');
  const url = await gatewayUrl();
  const first = await pidOf(await ask(url, 'a'));
  process.kill(first, 'SIGKILL');
  await until(async () => (await models(url))['a'] === 'unloaded', 'the state');
  expect(await pidOf(await ask(url, 'a'))).not.toBe(first);
});

test('after kill -9 of berth in the middle of a load the next up takes the engine over, loaded or not', async () => {
  place.write(fleet([deployment('a', { mode: ['--gate', join(place.folder, 'gate')] })]));
  const first = place.spawn('up');
  const url = await gatewayUrl();
  const cut = ask(url, 'a').catch(() => null);
  const starting = await until(async () => {
    const [replica] = (await status()).deployments[0]?.replicas ?? [];
    return replica?.state === 'starting' ? replica.pid : null;
  }, 'the start');
  process.kill(first.pid, 'SIGKILL');
  await cut;
  place.spawn('up');
  const again = await until(async () => {
    const now = await status();
    return now.gateway.url && now.gateway.url !== url ? now.gateway.url : null;
  }, 'the gateway again');
  const reply = ask(again, 'a');
  await until(async () => (await models(again))['a'] === 'loading', 'the load');
  place.write('', 'gate');
  expect(await pidOf(await reply)).toBe(starting);
});

test('a model that the last berth left loaded answers at once, though it was taken over while the gateway started', async () => {
  place.write(fleet([deployment('a')]));
  const first = place.spawn('up');
  const url = await gatewayUrl();
  const pid = await pidOf(await ask(url, 'a'));
  first.child.kill('SIGTERM');
  await first.exited;
  place.spawn('up');
  const again = await gatewayUrl();
  await until(async () => (await models(again))['a'] === 'ready', 'the state', 20_000);
  expect(await pidOf(await ask(again, 'a'))).toBe(pid);
});

test('apply leaves what is on demand alone, unless it is not as the file says', async () => {
  place.write(fleet([deployment('a'), deployment('b', { more: 'ttl: 0s, ' })]));
  place.spawn('up');
  const url = await gatewayUrl();
  const first = await pidOf(await ask(url, 'a'));
  expect((await place.berth('apply')).stdout).toContain('Nothing had to be done.');
  expect(isRunning(first)).toBe(true);
  place.write(fleet([deployment('a').replace('{kind: command', '{kind: command, slots: 3')]));
  expect((await place.berth('plan')).stdout).toContain('its next request starts it as the file says');
  expect((await place.berth('apply')).code).toBe(0);
  expect(isRunning(first)).toBe(false);
  await until(async () => (await models(url))['a'] === 'unloaded', 'the state');
  expect(await pidOf(await ask(url, 'a'))).not.toBe(first);
  expect((await status()).deployments[0]?.replicas[0]?.slots).toBe(3);
});

test('a plan counts what waits for its first request, and tells of a model that this request would not find', async () => {
  place.write(
    `${fleet([deployment('a', { more: 'model: gone, ' }), deployment('b')])}models: {gone: {source: ./gone.gguf}}\n`,
  );
  const plan = await place.berth('plan');
  expect(plan.stdout).toContain('0 unchanged, 2 on demand.');
  const path = join(place.folder, 'gone.gguf');
  const told = `warning: a: The model file ${path} does not exist, so that the first request for it fails.`;
  expect(plan.stdout).toContain(told);
  const applied = await place.berth('apply');
  expect([applied.code, applied.stderr]).toEqual([0, expect.stringContaining(told)]);
  await writeFile(path, 'GGUF');
  expect((await place.berth('plan')).stdout).not.toContain('gone.gguf');
});

test('a plan tells of a model that no request will load, since it takes more than there is', async () => {
  place.write(fleet([deployment('large').replace('4Gi', '8Gi'), deployment('small')]));
  const plan = await place.berth('plan');
  expect(plan.stdout).toContain(
    'warning: large: It takes 8.0 GiB of memory, and gateway.onDemand.memory is 6.0 GiB: requests for it are answered with 503 model_too_large.',
  );
  expect(plan.stdout).not.toContain('warning: small:');
  expect((await place.berth('apply')).code).toBe(0);
});

test('a load and an end that the gateway cannot be told of, since the file of keys cannot be read, are told once it can', async () => {
  place.write(fleet([deployment('a', { more: 'ttl: 2s, ' })]));
  const up = place.spawn('up');
  const url = await gatewayUrl();
  const folder = readdirSync(join(place.folder, 'state/state')).find((name) => name.endsWith(id)) ?? '';
  const keys = join(place.folder, 'state/state', folder, 'keys.json');
  async function untilFault(nth: number): Promise<void> {
    const said = 'The gateway was not told of a change';
    await until(() => up.output().stderr.split(said).length > nth, `fault ${nth}`);
  }
  await writeFile(keys, 'not JSON');
  const asked = ask(url, 'a');
  await untilFault(1);
  await rm(keys);
  expect((await asked).status).toBe(200);
  await writeFile(keys, 'not JSON');
  await untilFault(2);
  await rm(keys);
  await until(async () => (await models(url))['a'] === 'unloaded', 'the end');
});
