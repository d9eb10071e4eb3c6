import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Consolidation } from '../../src/fleet/consolidate/steps.ts';
import type { Option } from '../../src/fleet/relocate/option.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, ownPorts } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

/** That all move to another target under a load is shown on a real host: test/hosts/consolidate.live.test.ts. */

let place: Place;

beforeEach(async () => {
  place = makePlace();
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

test('a model that is served twice is served once, under every name that clients know, and a port is kept free', async () => {
  const pool = ownPorts();
  place.write(`version: 1
fleet: lab
id: "${randomBytes(8).toString('hex')}"
${pool}
gateway: {listen: ["127.0.0.1:0"], routes: {eyes: slow}} # the door
console: {listen: "127.0.0.1:0"}
models: {m: {source: ./m.gguf}}
deployments:
  # the one that stays
  fast: {model: m, engine: {kind: embedded, slots: 2, context: 128}}
  slow: {model: m, engine: {kind: embedded, slots: 1, context: 128}}
`);
  const up = await place.berth('up', '--detach', '--json');
  expect(up.code, up.stdout + up.stderr).toBe(0);
  const { url } = (up.json() as { gateway: { url: string } }).gateway;
  const compared = (await place.berth('consolidate', '--json')).json() as {
    ways: { consolidation: Consolidation; option: Option }[];
  };
  const [here, ...others] = compared.ways;
  expect(here?.consolidation.duplicates).toEqual([{ keep: 'fast', drop: ['slow'] }]);
  expect(here?.option.plan?.actions.map((one) => `${one.do} ${one.deployment}`)).toEqual([
    'stop slow',
    'keep fast',
  ]);
  expect(here?.option.hosts[0]?.freesBytes).toBeGreaterThan(0);
  expect(others.map((one) => one.option.name)).toEqual([
    'all at local/process',
    'all at local/systemd',
    'all at local/docker',
  ]);
  const from = Number(/ports: (\d+)/.exec(pool)?.[1]);
  const ran = await place.berth('consolidate', '--here', '--reserve', String(from + 9), '--json');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect((ran.json() as { done: { did: string[] }[] }).done.map((one) => one.did)).toEqual([
    ['stop slow'],
    [],
  ]);
  const file = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
  expect(file).toContain('routes: {eyes: fast, slow: fast}} # the door');
  expect(file).toContain(`reserve: [${from + 9}]`);
  expect(file).toContain(
    '  # the one that stays\n  fast: {model: m, engine: {kind: embedded, slots: 2, context: 128}}',
  );
  for (const model of ['fast', 'slow', 'eyes']) {
    const reply = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, prompt: 'a', max_tokens: 2 }),
    });
    expect(reply.status, `${model}: ${await reply.text()}`).toBe(200);
  }
  const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
  expect(deployments.map((one) => `${one.name} ${one.replicas[0]?.state}`)).toEqual(['fast ready']);
});
