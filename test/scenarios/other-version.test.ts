import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, makePlace, ownPorts } from '../support/berth.ts';
import type { Place, Ran } from '../support/berth.ts';
import { otherVersion } from '../support/other-version.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let newer: string;

beforeAll(() => {
  place = makePlace();
  newer = otherVersion(join(place.folder, 'newer'), [
    { file: 'src/engines/command.ts', from: "Duration.prefault('30s')", to: "Duration.prefault('31s')" },
    {
      file: 'src/engines/command.ts',
      from: 'args: args.map(toArg),',
      to: "args: [...args, '--plain'].map(toArg),",
    },
    {
      file: 'src/targets/process.ts',
      from: "z.strictObject({ kind: z.literal('process') })",
      to: "z.strictObject({ kind: z.literal('process'), nice: z.int().default(5) })",
    },
  ]);
});
afterAll(() => place.close());

function byNewer(...args: string[]): Omit<Ran, 'json'> {
  const ran = spawnSync(process.execPath, [newer, ...args], {
    cwd: place.folder,
    env: place.env,
    encoding: 'utf8',
  });
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

async function pidOf(): Promise<number | null> {
  const status: FleetStatus = (await place.berth('status', '--json')).json();
  return status.deployments[0]?.replicas[0]?.pid ?? null;
}

test('a berth with other defaults and another rendering plans nothing for what runs, and says what it would do otherwise', async () => {
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
  place.write(
    `version: 1\nfleet: lab\nid: other1\n${ownPorts()}\ndeployments:\n  a: {target: {kind: process}, engine: {kind: command, command: ${command}, startTimeout: 60s}}\n`,
  );
  const applied = await place.berth('apply');
  expect(applied.code, applied.stderr).toBe(0);
  const pid = await pidOf();

  const planned = byNewer('plan', '--json');
  expect(planned.code, planned.stderr).toBe(0);
  const { actions, findings } = JSON.parse(planned.stdout) as Plan;
  expect(actions.map((action) => action.do)).toEqual(['keep']);
  const found = findings.find(({ rule }) => rule === 'rendered-otherwise');
  expect(found).toMatchObject({ object: 'a-0', severity: 'info' });
  expect(found?.cure).toContain('berth apply --refresh');
  const evidence = found?.evidence.join('\n') ?? '';
  expect(evidence).toContain(
    'stop: {"signal":"SIGTERM","graceMs":30000} → {"signal":"SIGTERM","graceMs":31000}',
  );
  expect(evidence).toContain('"--plain"');
  expect(evidence).toContain('nice: (not set) → 5');

  const again = byNewer('apply', '--yes');
  expect(again.code, again.stderr).toBe(0);
  expect(await pidOf()).toBe(pid);

  const refreshed = byNewer('apply', '--yes', '--refresh');
  expect(refreshed.code, refreshed.stderr).toBe(0);
  expect(await pidOf()).not.toBe(pid);
  const after = JSON.parse(byNewer('plan', '--json').stdout) as Plan;
  expect(after.actions.map((action) => action.do)).toEqual(['keep']);
  expect(after.findings.map(({ rule }) => rule)).not.toContain('rendered-otherwise');
});
