// What a plan of 1,000 deployments on 50 hosts takes: `npm run bench:plan [-- PAIRS]`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Instance } from '../../src/domain/instance.ts';
import { desiredReplicas } from '../../src/fleet/plan/desired.ts';
import { loadFleet } from '../../src/fleet/file/load.ts';
import { makePlan } from '../../src/fleet/plan/make-plan.ts';
import type { PlanInput } from '../../src/fleet/plan/make-plan.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { reportGoals } from '../lib/goals.ts';
import { machineLine } from '../lib/machine.ts';
import { interleavedPairs, median } from '../lib/pairs.ts';
import type { Pairs } from '../lib/pairs.ts';
import { fleetText, recorded } from './fleet.ts';

const pairs = Math.max(5, Number(process.argv[2] ?? 15));
const deployments = 1000;
const hosts = 50;
const berth = resolve(import.meta.dirname, '../../bin/berth.js');
const folder = mkdtempSync(join(tmpdir(), 'berth-plan-'));
const { BERTH_FROM_SOURCE: _, ...env } = process.env;

type Facts = Pick<PlanInput, 'loaded' | 'desired' | 'instances'>;

/** The whole input of the decision as it would come from elsewhere: one JSON text. */
async function inputText(): Promise<string> {
  const world = localWorld();
  const loaded = await loadFleet(world, { files: ['berth.yaml'], cwd: folder });
  const desired = await desiredReplicas(world, loaded);
  const instances = recorded(loaded, desired).map((one) => Instance.parse(one));
  return JSON.stringify({ loaded, desired, instances } satisfies Facts);
}

function planOf(facts: Facts): number {
  const used = new Set(facts.instances.flatMap((one) => one.endpoints.map((end) => end.port)));
  const plan = makePlan({
    ...facts,
    unseen: new Set(),
    usedPorts: () => used,
    refresh: false,
    restart: [],
    named: [],
    freeBytes: () => 2 ** 36,
    traits: () => ({ supervises: false, beside: true, parks: false }),
    modelBytes: () => 2 ** 28,
    renderedOtherwise: new Map(),
  });
  return plan.actions.filter((action) => action.do !== 'keep').length;
}

/** Milliseconds that a function took, on average over enough calls to be told from nothing. */
function timed(work: () => unknown, calls = 10): number {
  const begun = performance.now();
  for (let i = 0; i < calls; i += 1) work();
  return (performance.now() - begun) / calls;
}

/** Milliseconds from start to exit. Throws when the program fails: a fast failure is no figure. */
function commandTime(...args: readonly string[]): number {
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [berth, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`berth ${args.join(' ')} ended with ${status}:\n${stderr}`);
  return performance.now() - begun;
}

function tell(name: string, { first, second, ratios }: Pairs, yardstick: string): number {
  const of = median(ratios);
  console.log(
    `${name}: ${median(first).toFixed(1)} ms, ${yardstick} ${median(second).toFixed(1)} ms, median ratio ${of.toFixed(2)}`,
  );
  return of;
}

try {
  writeFileSync(join(folder, 'berth.yaml'), fleetText(deployments, hosts));
  writeFileSync(join(folder, 'model.gguf'), '');
  const text = await inputText();
  const facts = JSON.parse(text) as Facts;
  console.log(`${machineLine()}, ${pairs} interleaved pairs each`);
  console.log(
    `${deployments} deployments on ${hosts} hosts, ${(text.length / 2 ** 20).toFixed(1)} MiB of input, ${planOf(facts)} changes`,
  );
  const pure = tell(
    'the decision',
    await interleavedPairs(pairs, {
      first: () => timed(() => planOf(facts)),
      second: () => timed(() => JSON.parse(text)),
    }),
    'JSON.parse of its input',
  );
  const whole = tell(
    'berth plan',
    await interleavedPairs(pairs, {
      first: () => commandTime('plan', '--json'),
      second: () => commandTime('validate', '--json'),
    }),
    'berth validate',
  );
  reportGoals([
    { name: 'plan.decision', value: pure, bound: { atMost: 2 } },
    { name: 'plan.command', value: whole, bound: { atMost: 1.5 }, note: 'the 50 hosts are this machine' },
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
