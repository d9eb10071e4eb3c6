// Output speed of the embedded engine beside a real llama-server: the same model file, the same threads, in turn.
// npm run bench:embedded -- [--quick] [--threads N] [--pairs N] [--only 100m|500m]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { defaultThreads } from '../../src/embedded/threads.ts';
import { localFiles } from '../../src/io/files.ts';
import { findLlamaServer } from '../../test/hosts/llama-server.ts';
import type { Load } from './load.ts';
import { drive } from './load.ts';
import { benchModel } from './models.ts';
import { cpuSeconds, startBusy, startEmbedded, startLlamaServer } from './servers.ts';
import type { Setup, Side } from './servers.ts';
import type { Goal } from '../lib/goals.ts';
import { reportGoals } from '../lib/goals.ts';
import { machineLine } from '../lib/machine.ts';
import { interleavedPairs, median } from '../lib/pairs.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    threads: { type: 'string' },
    pairs: { type: 'string' },
    only: { type: 'string' },
  },
});
const threads = Number(flags.threads ?? (await defaultThreads(localFiles, '/proc')));
const pairs = Number(flags.pairs ?? (flags.quick ? 1 : 3));
const streamCounts = [1, 2, 4, 8] as const;

interface Subject {
  readonly label: '100m' | '500m';
  readonly model: '100m-q8_0' | '500m-q4_k_m';
  readonly speedBound: number;
  readonly outputTokens: number;
}

const subjects: readonly Subject[] = [
  { label: '500m', model: '500m-q4_k_m', speedBound: 0.9, outputTokens: flags.quick ? 32 : 64 },
  { label: '100m', model: '100m-q8_0', speedBound: 0.75, outputTokens: flags.quick ? 48 : 96 },
];

function loadOf(subject: Subject, streams: number): Load {
  return {
    streams,
    requestsPerStream: streams <= 2 && !flags.quick ? 3 : 2,
    outputTokens: subject.outputTokens,
  };
}

function percentile95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? Number.NaN;
}

function goalsOf(subject: Subject): Record<string, Goal> {
  const speeds = streamCounts.map((streams) => [
    `x${streams}`,
    {
      name: `embedded.${subject.label}.tokens.x${streams}`,
      value: null,
      bound: { atLeast: subject.speedBound },
    },
  ]);
  return {
    ...(Object.fromEntries(speeds) as Record<string, Goal>),
    ttft: { name: `embedded.${subject.label}.ttft-p95.x8`, value: null, bound: { atMost: 1.3 } },
    busy: { name: `embedded.${subject.label}.beside-busy`, value: null, bound: { atLeast: 0.7 } },
  };
}

async function compare(
  subject: Subject,
  ours: Side,
  theirs: Side,
  goals: Record<string, Goal>,
): Promise<void> {
  for (const streams of streamCounts) {
    const load = loadOf(subject, streams);
    const ttft = { ours: [] as number[], theirs: [] as number[] };
    const cpu = { ours: [] as number[], theirs: [] as number[] };
    async function measure(side: Side, kept: number[]): Promise<number> {
      const before = cpuSeconds(side.pid);
      const done = await drive(side.port, load);
      kept.push(percentile95(done.ttftMs));
      cpu[side === ours ? 'ours' : 'theirs'].push(((cpuSeconds(side.pid) - before) * 1000) / done.tokens);
      return done.tokensPerSecond;
    }
    const found = await interleavedPairs(pairs, {
      first: () => measure(ours, ttft.ours),
      second: () => measure(theirs, ttft.theirs),
    });
    // The first one of each was the warm-up.
    const waits = ttft.ours.slice(1).map((value, i) => value / (ttft.theirs[i + 1] ?? Number.NaN));
    const [a, b] = [median(found.first), median(found.second)];
    console.log(
      `${subject.model} ${streams} streams: embedded ${a.toFixed(1)} tok/s, llama-server ${b.toFixed(1)} tok/s, ` +
        `ratio ${median(found.ratios).toFixed(3)} of [${found.ratios.map((r) => r.toFixed(2)).join(' ')}], ` +
        `TTFT p95 ${median(ttft.ours.slice(1)).toFixed(0)} ms and ${median(ttft.theirs.slice(1)).toFixed(0)} ms, ` +
        `CPU ${median(cpu.ours.slice(1)).toFixed(2)} s and ${median(cpu.theirs.slice(1)).toFixed(2)} s per 1000 tokens`,
    );
    goals[`x${streams}`] = { ...(goals[`x${streams}`] as Goal), value: median(found.ratios) };
    if (streams === 8) goals['ttft'] = { ...(goals['ttft'] as Goal), value: median(waits) };
  }
}

/** The same load with and without a process that burns one core. */
async function besideBusy(subject: Subject, ours: Side, goals: Record<string, Goal>): Promise<void> {
  const load = loadOf(subject, 4);
  const found = await interleavedPairs(
    pairs,
    {
      first: async () => {
        const busy = startBusy();
        try {
          return (await drive(ours.port, load)).tokensPerSecond;
        } finally {
          await busy.stop();
        }
      },
      second: async () => (await drive(ours.port, load)).tokensPerSecond,
    },
    { warmUp: false },
  );
  goals['busy'] = { ...(goals['busy'] as Goal), value: median(found.ratios) };
  console.log(
    `${subject.model} beside a busy process: ${median(found.first).toFixed(1)} tok/s, idle ${median(found.second).toFixed(1)} tok/s`,
  );
}

function absent(goals: Record<string, Goal>, note: string): Goal[] {
  return Object.values(goals).map((goal) => (goal.value === null ? { ...goal, note } : goal));
}

async function run(subject: Subject, binary: string | null): Promise<Goal[]> {
  const goals = goalsOf(subject);
  const model = await benchModel(subject.model);
  if (!model) return absent(goals, 'no llama-quantize: run tools/live/llama-server.sh');
  const setup: Setup = { model, threads, slots: 8, context: 512 };
  const ours = await startEmbedded(setup);
  try {
    if (binary) {
      const theirs = await startLlamaServer(binary, setup);
      console.log(`backends: embedded ${ours.backend}, llama-server ${theirs.backend}`);
      try {
        if (theirs.backend === ours.backend) await compare(subject, ours, theirs, goals);
      } finally {
        await theirs.stop();
      }
      await besideBusy(subject, ours, goals);
      return absent(goals, 'the two run different CPU backends');
    }
    await besideBusy(subject, ours, goals);
    return absent(goals, 'no llama-server: run tools/live/llama-server.sh');
  } finally {
    await ours.stop();
  }
}

function versionOf(binary: string): string {
  const { stdout, stderr } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return /version:.*/.exec(stdout + stderr)?.[0] ?? 'version unknown';
}

const binary = findLlamaServer();
console.log(machineLine());
console.log(`threads ${threads} on both sides, 8 slots of 512 tokens, ${pairs} pairs, order alternating`);
console.log(binary ? `llama-server ${versionOf(binary)} (${binary})` : 'llama-server: none');
const goals: Goal[] = [];
for (const subject of subjects) {
  if (!flags.only || flags.only === subject.label) goals.push(...(await run(subject, binary)));
}
reportGoals(goals);
