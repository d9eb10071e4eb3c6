// How long berth takes to start, beside a bare Node on the same machine: `npm run bench:startup`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { reportGoals } from '../lib/goals.ts';
import { machineLine } from '../lib/machine.ts';
import { interleavedPairs, median } from '../lib/pairs.ts';
import { largeFleet } from './large-fleet.ts';

const pairs = Math.max(15, Number(process.argv[2] ?? 25));
const berth = resolve(import.meta.dirname, '../../bin/berth.js');
const folder = mkdtempSync(join(tmpdir(), 'berth-startup-'));
const fleetFile = join(folder, 'berth.yaml');
writeFileSync(fleetFile, largeFleet(100));
writeFileSync(join(folder, 'model.gguf'), '');

// The build, whatever the caller's environment says; the compile cache lies where a user's would.
const { BERTH_FROM_SOURCE: _, NODE_COMPILE_CACHE: __, ...env } = process.env;

/** Milliseconds from start to exit. Throws when the program fails: a fast failure is no figure. */
function timed(args: readonly string[]): number {
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
  const took = Number(process.hrtime.bigint() - started) / 1e6;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}:\n${stderr}`);
  return took;
}

/** Median over pairs of (berth with these arguments) / (bare Node), printed with the medians themselves. */
async function ratio(name: string, args: readonly string[]): Promise<number> {
  const result = await interleavedPairs(pairs, {
    first: () => timed([berth, ...args]),
    second: () => timed(['-e', '0']),
  });
  const [ours, bare, of] = [result.first, result.second, result.ratios].map(median) as [
    number,
    number,
    number,
  ];
  console.log(
    `${name}: ${ours.toFixed(0)} ms, bare Node ${bare.toFixed(0)} ms, median ratio ${of.toFixed(2)}`,
  );
  return of;
}

try {
  console.log(`${machineLine()}, ${pairs} interleaved pairs each`);
  const help = await ratio('berth --help', ['--help']);
  const validate = await ratio('berth validate, 100 deployments', ['validate', '--file', fleetFile]);
  reportGoals([
    { name: 'startup.help', value: help, bound: { atMost: 1.8 } },
    { name: 'startup.validate', value: validate, bound: { atMost: 8 } },
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
