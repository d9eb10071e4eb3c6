import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../../src/domain/fleet-status.ts';
import type { JournalEntry } from '../../../src/domain/journal.ts';
import type { Plan } from '../../../src/domain/plan.ts';
import { makePlace, ownPorts } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOfBytes, startHub } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';

vi.setConfig({ testTimeout: 300_000 });

const toy = join(import.meta.dirname, '../../../examples/quickstart/model/berth-toy.Q8_0.gguf');
let place: Place;
let hub: HubServer;
let ports: string;

beforeEach(async () => {
  place = makePlace();
  ports = ownPorts();
  hub = await startHub();
  hub.files.set('toy.gguf', contentOfBytes(readFileSync(toy)));
  place.env['HF_ENDPOINT'] = hub.url;
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
  await hub.stop();
});

function write(source: string): void {
  place.write(`version: 1
fleet: lab
id: apply-fetches
${ports}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
models: {toy: {source: "${source}"}}
deployments:
  toy: {model: toy, engine: {kind: embedded, slots: 1, context: 512}}
`);
}

async function replica(): Promise<{ state: string; pid: number | null }> {
  const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
  const found = deployments[0]?.replicas[0];
  return { state: found?.state ?? '', pid: found?.pid ?? null };
}

test('a model that is missing is fetched while the old one serves, and one that cannot be had changes nothing', async () => {
  copyFileSync(toy, join(place.folder, 'old.gguf'));
  write('./old.gguf');
  expect((await place.berth('apply')).code).toBe(0);
  const old = await replica();
  write('hf://lab/tiny/toy.gguf');
  hub.refuse = { status: 404, code: 'RepoNotFound' };
  const refused = await place.berth('apply', '--json');
  expect([refused.code, refused.json()]).toMatchObject([1, { error: { code: 'MODEL_NOT_FOUND' } }]);
  expect(await replica()).toEqual(old);

  hub.refuse = null;
  const plan = await place.berth('plan', '--out', 'plan.json', '--json');
  expect((plan.json() as Plan).fetch).toEqual([
    { deployment: 'toy', source: 'hf://lab/tiny/toy.gguf', secret: null },
  ]);
  const applied = await place.berth('apply', 'plan.json');
  expect(applied.code, applied.stdout + applied.stderr).toBe(0);
  expect(applied.stderr).toContain('Fetching the model of toy: hf://lab/tiny/toy.gguf');
  expect(applied.stderr.indexOf('Fetching')).toBeLessThan(applied.stderr.indexOf('Starting toy'));
  const now = await replica();
  expect([now.state, now.pid === old.pid]).toEqual(['ready', false]);
  const { entries } = (await place.berth('journal', '--json')).json() as { entries: JournalEntry[] };
  expect(plan.stderr).toContain(`Plan ${entries.at(-1)?.plan} is kept`);
  const after = (await place.berth('plan', '--json')).json() as Plan;
  expect([after.actions.map((one) => one.do), after.fetch]).toEqual([['keep'], undefined]);
});

test('up fetches what is missing before it opens, once', async () => {
  write('hf://lab/tiny/toy.gguf');
  const up = await place.berth('up', '--detach');
  expect(up.code, up.stderr).toBe(0);
  expect((await replica()).state).toBe('ready');
  const asked = hub.asked.length;
  expect(asked).toBeGreaterThan(0);
  expect((await place.berth('apply')).stdout).toContain('Nothing had to be done.');
  expect(hub.asked.length).toBe(asked);
});
