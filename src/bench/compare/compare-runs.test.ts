import { expect, test } from 'vitest';
import { runSchema } from '../../domain/run/schema-version.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import type { Report } from '../../domain/run/report.ts';
import { gammaVariate } from '../../stats/gamma.ts';
import { seededRandom } from '../../stats/random.ts';
import { exampleReport } from '../../../test/support/example-report.ts';
import { stageReport } from '../analyse/stage-report.ts';
import { compareAll, compareRuns as compareSides } from './compare-runs.ts';
import type { Comparison } from './compare-runs.ts';
import { confirmed, judgeRun } from './judge-run.ts';
import { ownSide } from './side.ts';
import type { Run } from './side.ts';

interface Shape {
  readonly seed: number;
  readonly requests?: number;
  readonly slower?: number;
  readonly tokens?: number;
  readonly report?: Partial<Report>;
}

/** A run of one stream whose latencies wander: neighbours are alike, as they are behind one queue. */
function runOf({ seed, requests = 600, slower = 1, tokens = 8, report = {} }: Shape): Run {
  const random = seededRandom(seed);
  const records: RequestRecord[] = [];
  let now = 0;
  let drift = 0;
  for (let id = 0; id < requests; id += 1) {
    drift = 0.9 * drift + 0.1 * Math.log(gammaVariate(4, random) / 4);
    const ttft = Math.round(50_000 * slower * Math.exp(drift) * (0.8 + 0.4 * random.next()));
    const gap = Math.round(10_000 * slower * (0.8 + 0.4 * random.next()));
    records.push(record(id, now, ttft, gap, tokens));
    now += ttft + gap * (tokens - 1) + 100;
  }
  const example = exampleReport();
  const stage = stageReport(
    {
      index: 0,
      strategy: { kind: 'closed', streams: 1 },
      spec: { ...example.spec, limits: { ...example.spec.limits, seconds: null, requests } },
      client: { loopDelayP99Ms: 0, cpuShare: 0 },
      engine: null,
      samples: [],
      seams: [],
      stopped: null,
      dropped: null,
    },
    records,
  );
  return {
    report: { ...example, id: `run-${seed}`, clientLimited: false, ...report, stages: [stage] },
    records,
  };
}

function record(id: number, start: number, ttft: number, gap: number, tokens: number): RequestRecord {
  const counted = { asked: tokens, tokens, source: 'usage' } as const;
  const firstToken = start + ttft;
  const last = firstToken + gap * (tokens - 1);
  return {
    schema: runSchema,
    id,
    stage: 0,
    phase: 'measured',
    stream: 0,
    scheduled: start,
    started: start,
    connected: start,
    sent: start,
    headers: firstToken,
    firstByte: firstToken,
    firstToken,
    firstContent: firstToken,
    last,
    done: last,
    gaps: Array.from({ length: tokens - 1 }, () => gap),
    events: tokens,
    status: 200,
    responseId: null,
    outcome: 'ok',
    error: null,
    finish: 'length',
    prompt: { asked: 10, tokens: 10, source: 'usage' },
    output: counted,
    cached: null,
    server: null,
    text: null,
  };
}

const options = { tolerance: 0.05 };

function compareRuns(base: Run, other: Run, how: typeof options): Comparison {
  return compareSides(ownSide(base), ownSide(other), how);
}

function verdicts(base: Run, other: Run): Record<string, string> {
  const { stages } = compareRuns(base, other, options);
  return Object.fromEntries(
    stages.flatMap((stage) => stage.differences.map((one) => [one.metric, one.verdict])),
  );
}

test('two runs of the same server are hardly ever told apart, though their latencies wander', () => {
  let alarms = 0;
  for (let seed = 1; seed <= 15; seed += 1) {
    const found = Object.values(verdicts(runOf({ seed }), runOf({ seed: seed + 1000 })));
    if (found.includes('worse') || found.includes('better')) alarms += 1;
  }
  expect(alarms).toBeLessThanOrEqual(2);
});

test('a server that is 30 % slower is worse in latency and rate, and better the other way round', () => {
  const [fast, slow] = [runOf({ seed: 1 }), runOf({ seed: 2, slower: 1.3 })];
  expect(verdicts(fast, slow)).toMatchObject({
    'TTFT p50': 'worse',
    'ITL p50': 'worse',
    'E2E p50': 'worse',
    'output rate': 'worse',
  });
  expect(verdicts(slow, fast)).toMatchObject({ 'ITL p50': 'better', 'output rate': 'better' });
  const { stages } = compareRuns(fast, slow, options);
  const itl = stages[0]?.differences.find((one) => one.metric === 'ITL p50');
  expect(itl?.estimate?.ratio).toBeCloseTo(1.3, 1);
});

test('too few requests are no verdict, and p99 wants a thousand', () => {
  const found = verdicts(runOf({ seed: 1, requests: 200 }), runOf({ seed: 2, requests: 200, slower: 3 }));
  expect(found['TTFT p50']).toBe('not enough data');
  expect(verdicts(runOf({ seed: 1 }), runOf({ seed: 2, slower: 2 }))['TTFT p99']).toBe('not enough data');
});

test('other tokens, another cache and other definitions are unequal work; another server is named', () => {
  const base = runOf({ seed: 1, report: { definitions: { ttft: 'one thing' } } });
  const spec = { ...base.report.spec, cache: 'warm' as const };
  const definitions = { ttft: 'something else' };
  const server = { ...base.report.server, server: 'another/2.0' };
  const other = runOf({ seed: 2, tokens: 12, report: { spec, definitions, server } });
  const compared = compareRuns(base, other, options);
  expect(compared.unequal.join('; ')).toContain('prefix cache: cold and warm');
  expect(compared.unequal.join('; ')).toContain('1 stream: output tokens a request: 8.0 and 12.0');
  expect(compared.unequal.join('; ')).toContain('definition of ttft');
  expect(compared.differs.join('; ')).toContain('another/2.0');
  expect(compareRuns(base, runOf({ seed: 3 }), options).unequal).toEqual([]);
});

test('a run that its client limited is not judged', () => {
  const limited = runOf({ seed: 2, report: { clientLimited: true } });
  expect(compareRuns(runOf({ seed: 1 }), limited, options).clientLimited).toBe(true);
});

test('the more runs are held against one, the surer each difference must be', () => {
  const base = ownSide(runOf({ seed: 1 }));
  const others = [2, 3, 4].map((seed) => ownSide(runOf({ seed, slower: 1.02 + 0.02 * seed })));
  const alone = others.map((other) => compareSides(base, other, options));
  const together = compareAll(base, others, options);
  function chances(comparisons: readonly Comparison[]): number[] {
    return comparisons.flatMap(({ stages }) =>
      stages.flatMap(({ differences }) => differences.flatMap(({ p }) => p ?? [])),
    );
  }
  const pairs = chances(alone).map((p, i) => [p, chances(together)[i] as number] as const);
  expect(pairs.length).toBeGreaterThan(10);
  for (const [one, all] of pairs) expect(all).toBeGreaterThanOrEqual(one);
  expect(pairs.some(([one, all]) => all > one)).toBe(true);
});

test('a run is judged by its figures, or by the limits alone, and only what is worse twice is confirmed', () => {
  const against = { baseline: 'b', changes: [], tolerance: 5, confirm: true };
  const base = ownSide(runOf({ seed: 1 }));
  const slow = judgeRun(base, ownSide(runOf({ seed: 2, slower: 1.3 })), against);
  expect(slow).toMatchObject({ verdict: 'worse', limits: [] });
  expect(slow.worse).toContain('1 stream: TTFT p50');
  expect(judgeRun(base, ownSide(runOf({ seed: 3 })), against)).toMatchObject({ verdict: 'kept', worse: [] });
  const wide = { ...against, changes: ['ttft.p50 <= +80%', 'input_rate >= -5%'] };
  const limited = judgeRun(base, ownSide(runOf({ seed: 2, slower: 1.3 })), wide);
  expect(limited.worse).toEqual(['1 stream: input_rate >= -5%']);
  expect(limited.limits.map(({ verdict }) => verdict)).toEqual(['kept', 'not measured']);
  expect(confirmed(slow, { ...slow, worse: ['1 stream: TTFT p50', '1 stream: something'] })).toEqual([
    '1 stream: TTFT p50',
  ]);
});

test.each([
  ['client-limited', { report: { clientLimited: true } }],
  ['unequal', { tokens: 12 }],
] as const)('a run that is %s is not judged', (verdict, shape) => {
  const against = { baseline: 'b', changes: [], tolerance: 5, confirm: false };
  const other = ownSide(runOf({ seed: 2, slower: 3, ...shape }));
  expect(judgeRun(ownSide(runOf({ seed: 1 })), other, against).verdict).toBe(verdict);
  const apart = { ...other, stages: [] };
  expect(judgeRun(ownSide(runOf({ seed: 1 })), { ...apart, clientLimited: false }, against).verdict).toBe(
    'nothing in common',
  );
});
