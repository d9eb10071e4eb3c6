// What a scan of a host with 300 processes takes, beside reading the same files: `npm run bench:scan [-- PAIRS]`.
import { findingsOnHost } from '../../src/audit/audit.ts';
import { scan } from '../../src/scan/scan.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { reportGoals } from '../lib/goals.ts';
import { machineLine } from '../lib/machine.ts';
import { interleavedPairs, median } from '../lib/pairs.ts';
import { startCrowd } from './crowd.ts';
import { readFloor } from './floor.ts';

const pairs = Math.max(5, Number(process.argv[2] ?? 15));
const world = localWorld();
const signal = AbortSignal.timeout(600_000);

/** Processor time: what else runs on the machine does not count. */
async function timeOf(work: () => unknown): Promise<number> {
  const begun = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

await using crowd = await startCrowd(300, 20);
const seen = readFloor('/proc');
console.log(`${machineLine()}, ${pairs} interleaved pairs`);
console.log(
  `${seen} processes, ${crowd.processes} of them ours, ${crowd.apart} in namespaces of their own as containers have`,
);
const { first, second, ratios } = await interleavedPairs(pairs, {
  first: () => timeOf(() => scan(world, { cwd: '/', signal, timeoutMs: 1500, judge: findingsOnHost })),
  second: () => timeOf(() => readFloor('/proc')),
});
const ratio = median(ratios);
console.log(
  `scan: ${median(first).toFixed(0)} ms of processor time, the same files read: ${median(second).toFixed(0)} ms, median ratio ${ratio.toFixed(2)}`,
);
reportGoals([
  {
    name: 'scan.time',
    value: ratio,
    bound: { atMost: 2 },
    ...(crowd.apart === 0 && { note: 'without root no namespaces of their own' }),
  },
]);
