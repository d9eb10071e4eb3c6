import { expect, test } from 'vitest';
import type { RunFile } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { composeReport } from './compose-report.ts';

const end = { interrupted: false, unfinished: false, originAt: null, server: null, calibration: null };

function stage(changes: Partial<StageReport>): StageReport {
  const tokens = { sum: 100, mean: 10, min: 10, max: 10, offTarget: 0, sources: ['usage' as const] };
  return {
    schema: 1,
    index: 0,
    label: '1 stream',
    strategy: { kind: 'closed', streams: 1 },
    window: null,
    whole: null,
    requests: { warmup: 0, measured: 10, ok: 10, failed: 0, censored: 0 },
    errors: [],
    ttft: null,
    ttftScheduled: null,
    itl: null,
    itlMeanPerRequest: null,
    tpot: null,
    e2e: null,
    e2eScheduled: null,
    openLoop: null,
    goodput: null,
    promptTokens: tokens,
    outputTokens: tokens,
    cachedTokens: null,
    tokensPerEvent: 1,
    countsTooFew: 0,
    steady: null,
    overall: null,
    stalls: null,
    consistency: null,
    client: { lagP99Ms: 0, loopDelayP99Ms: 0, cpuShare: 0, clockDriftMs: null, limited: false, reasons: [] },
    engine: null,
    server: null,
    stopped: null,
    settled: null,
    series: null,
    spent: null,
    ...changes,
  };
}

function run(cache: 'cold' | 'warm' = 'cold'): RunFile {
  const target = {
    url: 'http://x',
    api: 'chat',
    model: null,
    key: null,
    tokenizer: null,
    metrics: null,
    gpuMetrics: null,
  } as const;
  return {
    schema: 1,
    id: 'id',
    startedAt: '2026-01-01T00:00:00.000Z',
    spec: {
      schema: 1,
      name: 'n',
      target: { ...target, deployment: null, engine: null },
      profile: { kind: 'concurrent', streams: [1] },
      data: { kind: 'synthetic' },
      limits: { seconds: 1, requests: null, errors: null, errorRate: null },
      slo: null,
      thresholds: ['ttft.p95 < 500', 'error_rate < 0.5'],
      warmup: { kind: 'none' },
      drainSeconds: 1,
      timeoutSeconds: 1,
      stream: true,
      temperature: null,
      ignoreEos: true,
      cache,
      seed: 1,
      keepOutputs: false,
      calibrate: false,
    },
    environment: { berth: '0', node: '24', os: 'Linux', cpu: 'c', cores: 1, memoryBytes: 1 },
    definitions: {},
    resumed: [],
  };
}

function warnings(changes: Partial<StageReport>, cache: 'cold' | 'warm' = 'cold'): string {
  return composeReport(run(cache), [stage(changes)], end, new Date(0)).warnings.join('\n');
}

test('a run without anything to say says nothing', () => {
  expect(warnings({})).toBe('');
});

test('a warm prefix cache is reported where it was to be cold', () => {
  expect(warnings({ cachedTokens: 50 })).toContain(
    "50 % of the prompt tokens came from the server's prefix cache",
  );
  expect(warnings({ cachedTokens: 5 })).toBe('');
  expect(warnings({ cachedTokens: 50 }, 'warm')).toBe('');
});

test('an engine that counts otherwise is reported with both counts', () => {
  const engine = {
    promptTokens: 1,
    outputTokens: 2,
    requests: null,
    countedPromptTokens: 3,
    countedOutputTokens: 4,
    agrees: false,
  };
  expect(warnings({ engine })).toContain('counted 1 prompt and 2 output tokens, the answers say 3 and 4');
});

test('counts of two sources, short answers and cut requests are reported', () => {
  const tokens = {
    sum: 9,
    mean: 3,
    min: 1,
    max: 5,
    offTarget: 2,
    sources: ['usage' as const, 'events' as const],
  };
  const text = warnings({
    outputTokens: tokens,
    requests: { warmup: 0, measured: 4, ok: 3, failed: 0, censored: 1 },
  });
  expect(text).toContain('different sources: usage, events');
  expect(text).toContain('did not honour ignore_eos');
  expect(text).toContain('1 request was cut');
});

const limitedClient = {
  lagP99Ms: 90,
  loopDelayP99Ms: 0,
  cpuShare: 0,
  clockDriftMs: null,
  limited: true,
  reasons: ['late'],
};

test('of a sweep only the loads beside the knee make the client its limit', () => {
  const base = run();
  const profile = { kind: 'sweep', over: 'streams', keep: ['error_rate <= 0.5'] };
  const sweep = { ...base, spec: { ...base.spec, profile, thresholds: [] } };
  function limited(...stages: { streams: number; limited: boolean; failed: number }[]): boolean {
    const made = stages.map((each, index) =>
      stage({
        index,
        strategy: { kind: 'closed', streams: each.streams },
        requests: { warmup: 0, measured: 100, ok: 100 - each.failed, failed: each.failed, censored: 0 },
        ...(each.limited && { client: limitedClient }),
      }),
    );
    return composeReport(sweep, made, end, new Date(0)).clientLimited;
  }
  const kept = { streams: 1, limited: false, failed: 0 };
  const missed = { streams: 2, limited: false, failed: 90 };
  expect(limited(kept, missed, { streams: 4, limited: true, failed: 90 })).toBe(false);
  expect(limited(kept, { ...missed, limited: true })).toBe(true);
  expect(limited(kept, { ...missed, limited: true }, missed)).toBe(false);
});

test('a repeated prompt that the server did not know is told of', () => {
  const base = run('warm');
  const repeated = { ...base, spec: { ...base.spec, data: { kind: 'synthetic', samples: 1 } } };
  function told(cachedTokens: number): string {
    return composeReport(repeated, [stage({ cachedTokens })], end, new Date(0)).warnings.join('');
  }
  expect(told(10)).toContain("from the server's prefix cache, though each prompt had been sent before");
  expect(told(90)).toBe('');
});

test('a count of tokens below that of events is told of', () => {
  expect(warnings({ countsTooFew: 3 })).toContain('3 answers have fewer tokens');
});

test('one stage that the client limited limits the run', () => {
  const report = composeReport(
    run(),
    [stage({}), stage({ index: 1, client: limitedClient })],
    end,
    new Date(0),
  );
  expect(report.clientLimited).toBe(true);
  expect(report.warnings.join(' ')).toContain('limited by the client: late');
});
