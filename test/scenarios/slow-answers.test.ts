import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { FleetLoad } from '../../src/domain/fleet-load.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Ran } from '../support/berth.ts';
import { makeFakeFleet } from '../support/fake-fleet.ts';

vi.setConfig({ testTimeout: 300_000 });

async function timed(run: Promise<Ran>): Promise<{ ran: Ran; seconds: number }> {
  const begun = performance.now();
  const ran = await run;
  return { ran, seconds: (performance.now() - begun) / 1000 };
}

test('of an engine that stands still it is said that it is waited for, once, and the others are told as they are', async () => {
  const fleet = makeFakeFleet();
  onTestFinished(fleet.close);
  const { berth } = fleet.place;
  fleet.write({ a: '', b: '' });
  expect((await berth('apply')).code).toBe(0);
  const { 'a-0': pid } = await fleet.pids();
  process.kill(pid ?? 0, 'SIGSTOP');
  const [status, top] = [
    await timed(berth('status')),
    await timed(berth('top', '--once', '--interval', '0.2', '--json')),
  ];
  process.kill(pid ?? 0, 'SIGCONT');
  const waits = /^Waiting for a to answer at http:\/\/127\.0\.0\.1:\d+\n$/;
  expect([status.ran.stderr, top.ran.stderr]).toEqual([
    expect.stringMatching(waits),
    expect.stringMatching(waits),
  ]);
  expect(status.ran.stdout).toMatch(/^b +command +ready /m);
  const { seconds, replicas } = top.ran.json() as FleetLoad;
  expect(replicas.map(({ state }) => state)).toEqual([
    expect.stringMatching(/^(starting|failing)$/),
    'ready',
  ]);
  expect(replicas[1]?.cores).not.toBeNull();
  // By its own clock the looks are no further apart than one question to who stands still.
  expect(seconds).toBeLessThan(6.5);
  // Its figures are asked for three seconds before, and then beside whether it is ready, where all of that was one after the other, twice.
  expect(top.seconds - status.seconds).toBeLessThan(11);
});

test('whoever changes engines beside a "berth up" that stands still says that it waits for that', async () => {
  const fleet = makeFakeFleet();
  onTestFinished(fleet.close);
  const { berth, spawn } = fleet.place;
  fleet.write({ a: '' });
  const up = (await berth('up', '--detach', '--json')).json() as { process: { pid: number } };
  const { pid } = up.process;
  process.kill(pid, 'SIGSTOP');
  const stop = spawn('stop', 'a');
  try {
    const told = new RegExp(`^Waiting for berth up \\(process ${pid}\\) to \\w+`, 'm');
    await until(() => told.test(stop.output().stderr), 'it to be told');
    expect((await berth('status')).code).toBe(0);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  expect(await stop.exited, stop.output().stderr).toBe(0);
});

test('programs are asked for their flags side by side, and it is said which one is waited for', async () => {
  const place = makePlace();
  onTestFinished(() => place.close());
  const log = join(place.folder, 'log');
  writeFileSync(join(place.folder, 'm.gguf'), '');
  const lines = ['one', 'two'].map((name) => {
    const path = join(place.folder, name);
    writeFileSync(path, `#!/bin/sh\necho begin >>'${log}'\nsleep 3\necho end >>'${log}'\n`);
    chmodSync(path, 0o755);
    return `  ${name}: {model: m, engine: {kind: llama.cpp, binary: ${JSON.stringify(path)}, context: 128, slots: 1}}`;
  });
  place.write(`version: 1\nfleet: lab\nmodels: {m: {source: ./m.gguf}}\ndeployments:\n${lines.join('\n')}\n`);
  const ran = await place.berth('plan');
  expect(ran.code, ran.stderr).toBe(0);
  expect(readFileSync(log, 'utf8').split('\n').slice(0, 4)).toEqual(['begin', 'begin', 'end', 'end']);
  for (const name of ['one', 'two']) expect(ran.stderr).toContain(`${name} --help`);
  expect(ran.stderr).toContain('Waiting for the flags of ');
  // What a plan of one leaves out is asked for too.
  const one = await place.berth('plan', '--only', 'one');
  expect([one.code, one.stderr]).toEqual([0, expect.stringContaining('two --help')]);
});
