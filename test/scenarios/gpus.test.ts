import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

/** A driver's tool that tells of GPUs with so many MiB in use; it tells nothing of processes. */
function driver(used: readonly number[]): void {
  const tools = join(place.folder, 'tools');
  mkdirSync(tools, { recursive: true });
  const rows = used.map(
    (mib, at) =>
      `${at}, GPU-${at}, 0${at}:00.0, NVIDIA L4, 23034, ${mib}, 0, 0, 40, 20, Disabled, 580.1, 8.9`,
  );
  const script = `#!/bin/sh\ncase "$*" in *query-gpu*) cat <<'END'\n${rows.join('\n')}\nEND\n;; esac\n`;
  writeFileSync(join(tools, 'nvidia-smi'), script);
  chmodSync(join(tools, 'nvidia-smi'), 0o755);
  place.env['PATH'] = `${tools}:${process.env['PATH']}`;
}

function file(deployments: string): void {
  place.write(`version: 1\nfleet: lab\nhosts: {here: {local: true}}\ndeployments:\n${deployments}`);
}

function engine(name: string, more: string): string {
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
  return `  ${name}: {${more}, engine: {kind: command, command: ${command}, stopGrace: 1s}}\n`;
}

async function plan(...args: string[]): Promise<Plan> {
  const ran = await place.berth('plan', '--json', ...args);
  expect(ran.code, ran.stderr).toBe(0);
  return ran.json();
}

function chosen({ actions }: Plan): string[] {
  return actions.flatMap((one) =>
    one.do === 'start' || one.do === 'replace'
      ? [`${one.deployment}-${one.replica} ${one.wanted.spec.devices.chosen?.ids.join() ?? 'all'}`]
      : [],
  );
}

async function shown(): Promise<string[]> {
  const status: FleetStatus = (await place.berth('status', '--json')).json();
  return status.deployments
    .flatMap(({ name, replicas }) =>
      replicas.map(({ pid }) => {
        const env = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return `${name} ${env.find((line) => line.startsWith('CUDA_VISIBLE_DEVICES=')) ?? 'all'}`;
      }),
    )
    .toSorted();
}

test('each replica is given GPUs of its own, keeps them, and one that comes later has those that are left', async () => {
  driver([20_000, 0, 0, 0]);
  file(engine('a', 'gpus: 1, replicas: 2'));
  expect(chosen(await plan())).toEqual(['a-0 GPU-1', 'a-1 GPU-2']);
  const applied = await place.berth('apply', '--yes');
  expect(applied.code, applied.stderr).toBe(0);
  expect(await shown()).toEqual(['a CUDA_VISIBLE_DEVICES=GPU-1', 'a CUDA_VISIBLE_DEVICES=GPU-2']);

  // The engines fill theirs, and another would be emptier by now.
  driver([0, 22_000, 22_000, 1000]);
  const after = await plan();
  expect(after.actions.map((one) => one.do)).toEqual(['keep', 'keep']);
  expect(after.findings.map((one) => one.rule)).not.toContain('rendered-otherwise');

  file(engine('b', 'gpus: 2') + engine('a', 'gpus: 1, replicas: 2'));
  expect(chosen(await plan())).toEqual(['b-0 GPU-0,GPU-3']);

  file(engine('b', 'gpus: 3') + engine('a', 'gpus: 1, replicas: 2'));
  const short = await plan();
  expect(chosen(short)).toEqual(['b-0 all']);
  expect(short.findings.find((one) => one.rule === 'gpus-short')).toMatchObject({
    object: 'b',
    message: expect.stringContaining('wants 3') as string,
    cure: expect.stringContaining('gpus') as string,
  });

  // A tool that is gone takes nothing from those that run.
  place.env['PATH'] = process.env['PATH'] ?? '';
  file(engine('a', 'gpus: 1, replicas: 2'));
  const blind = await plan();
  expect(blind.actions.map((one) => one.do)).toEqual(['keep', 'keep']);
  expect(blind.findings.map((one) => one.rule)).not.toContain('rendered-otherwise');
});
