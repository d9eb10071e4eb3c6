import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { JournalEntry } from '../../src/domain/journal.ts';
import type { GatewayReload, Plan } from '../../src/domain/plan.ts';
import { startFakeUpstream, wellBehaved } from '../gateway/fake-upstream.ts';
import type { FakeUpstream } from '../gateway/fake-upstream.ts';
import { postChat } from '../gateway/harness.ts';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let upstream: FakeUpstream;
const id = randomBytes(8).toString('hex');

beforeEach(async () => {
  place = makePlace();
  upstream = await startFakeUpstream(wellBehaved);
});

afterEach(async () => {
  place.write(fleet('limits: {}'));
  await place.berth('down');
  await place.close();
  await upstream.stop();
});

function fleet(gateway: string): string {
  return `version: 1
fleet: lab
id: "${id}"
gateway:
  listen: ["127.0.0.1:0"]
  ${gateway}
console: {listen: "127.0.0.1:0"}
deployments:
  far:
    engine: {kind: openai, url: "${upstream.url}/v1", servedModel: far, slots: 4}
`;
}

async function up(): Promise<{ url: string; pid: number }> {
  const started = await place.berth('up', '--detach', '--json');
  expect(started.code, started.stderr).toBe(0);
  return (started.json() as { gateway: { url: string; pid: number } }).gateway;
}

async function served(url: string, model: string, key?: string): Promise<number> {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const reply = await postChat(url, { model }, { headers });
  await reply.text();
  return reply.status;
}

test('routes, limits and keys that have changed are planned, and taken over by the gateway that runs', async () => {
  place.write(fleet('limits: {queue: 5}'));
  const { url, pid } = await up();
  expect((await place.berth('apply')).stdout).toContain('Nothing had to be done.');
  const keyFile = join(place.folder, 'laptop key');
  place.write('key-from-a-file', 'laptop key');
  place.write(
    fleet(
      `limits: {queue: 7, eachKey: {rpm: 50}}\n  routes: {assistant: {to: far, aliases: [gpt-4o]}}\n  keys: {laptop: "\${file:${keyFile}}"}`,
    ),
  );
  const plan = await place.berth('plan', '--exit-code');
  expect(plan.code, plan.stderr).toBe(9);
  expect(plan.stdout).toContain('the gateway to reload');
  const planned = (await place.berth('plan', '--json')).json() as Plan;
  expect(planned.reload).toEqual({
    do: 'reload',
    url,
    reasons: [
      { field: 'gateway.keys.laptop', text: expect.stringMatching(/^gateway\.keys\.laptop: /) },
      { field: 'gateway.limits.eachKey', text: 'gateway.limits.eachKey: (not set) → {"rpm":50}' },
      { field: 'gateway.limits.queue', text: 'gateway.limits.queue: 5 → 7' },
      {
        field: 'gateway.routes.assistant',
        text: 'gateway.routes.assistant: (not set) → {"to":"far","aliases":["gpt-4o"]}',
      },
    ],
  });
  // Nothing of it holds yet.
  expect(await served(url, 'assistant')).toBe(404);
  const applied = await place.berth('apply', '--json');
  expect(applied.code, applied.stderr).toBe(0);
  expect((applied.json() as { reload: GatewayReload }).reload).toEqual(planned.reload);
  expect(await served(url, 'gpt-4o')).toBe(401);
  expect(await served(url, 'gpt-4o', 'key-from-a-file')).toBe(200);
  const after = (await place.berth('status', '--json')).json() as FleetStatus;
  expect(after.gateway.pid).toBe(pid);
  expect((await place.berth('apply')).stdout).toContain('Nothing had to be done.');
  const { entries } = (await place.berth('journal', '--json')).json() as { entries: JournalEntry[] };
  const reloads = entries.filter((one) => one.do === 'reload');
  expect(reloads).toMatchObject([{ command: 'apply', object: `gateway ${url}`, outcome: 'done' }]);
  expect(reloads[0]?.reasons).toEqual(planned.reload?.reasons.map(({ text }) => text));
  expect(((await place.berth('plan', '--json')).json() as Plan).reload).toEqual({
    do: 'keep',
    url,
    reasons: [],
  });
  place.write(fleet('limits: {queue: 7}'));
  expect((await place.berth('apply')).stdout).toContain('Done: reload gateway.');
});

test('without a gateway that runs a plan says nothing of one', async () => {
  place.write(fleet('limits: {queue: 5}'));
  const plan = (await place.berth('plan', '--json')).json() as Plan;
  expect(plan.reload).toBeUndefined();
});

test('while the file cannot be read, status tells what is in force and what is wrong', async () => {
  place.write(fleet('limits: {queue: 5}'));
  const { url } = await up();
  place.write(fleet('limits: {queue: many}'));
  const status = await place.berth('status');
  expect(status.code, status.stderr).toBe(0);
  expect(status.stdout).toContain(`Gateway: ${url}`);
  expect(status.stdout).toContain('berth.yaml:6:');
  expect(status.stdout).toContain('gateway.limits.queue');
  expect((await place.berth('status', '--check')).code).toBe(0);
  const refused = await place.berth('apply');
  expect(refused.code).toBe(2);
  expect(await served(url, 'far')).toBe(200);
  rmSync(join(place.folder, 'berth.yaml'));
  const told = (await place.berth('status', '--json')).json() as FleetStatus;
  expect(told.deployments.map(({ name, replicas }) => [name, replicas[0]?.state])).toEqual([
    ['far', 'ready'],
  ]);
  expect(told.findings.map(({ rule }) => rule)).toContain('file-invalid');
});

test('where nothing runs, a file that cannot be read is a fault of status', async () => {
  place.write(fleet('limits: {queue: many}'));
  const status = await place.berth('status');
  expect(status.code).toBe(2);
  expect(status.stderr).toContain('gateway.limits.queue');
});
