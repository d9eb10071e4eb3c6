import { Report, RunSummary } from '../../src/domain/run/report.ts';
import { runSchema } from '../../src/domain/run/schema-version.ts';
import type { Distribution, StageReport } from '../../src/domain/run/stage-report.ts';

/** A finished run of three stages, with figures as a small model on a CPU gives them. */
export function exampleReport(overrides: Partial<Report> = {}): Report {
  const report: Report = {
    schema: runSchema,
    id: '20260101T120000Z_levels_1a2b3c',
    name: 'levels',
    startedAt: '2026-01-01T12:00:00.000Z',
    endedAt: '2026-01-01T12:03:10.000Z',
    interrupted: false,
    unfinished: false,
    resumed: [],
    originAt: '2026-01-01T12:00:01.000Z',
    spec: exampleSpec(),
    environment: {
      berth: '0.1.0',
      node: 'v24.0.0',
      os: 'Linux 6.1 x64',
      cpu: 'Example CPU',
      cores: 8,
      memoryBytes: 34_359_738_368,
    },
    server: {
      model: 'mistral-7b',
      server: 'llama.cpp b7000',
      tokenizer: '/tokenize',
      templateTokens: 11,
      engine: exampleEngine,
      notes: [],
    },
    definitions: {
      TTFT: 'From the last byte of the request to the first event with a token.',
      ITL: 'The gap between two events with tokens.',
    },
    calibration: { streams: 4, events: 400, errorP50Ms: 0.08, errorP99Ms: 0.41 },
    spent: { promptTokens: 38_000, outputTokens: 14_900, seconds: 183, money: null },
    stages: [exampleStage(0, 1, 31.2), exampleStage(1, 2, 52.8), exampleStage(2, 4, 83.1)],
    scaling: [
      { stage: 0, streams: 1, speedup: 1, efficiency: 1 },
      { stage: 1, streams: 2, speedup: 1.69, efficiency: 0.846 },
      { stage: 2, streams: 4, speedup: 2.66, efficiency: 0.666 },
    ],
    clientLimited: false,
    gates: [{ stage: '1 stream', threshold: 'ttft.p95 < 500', value: 123.4, passed: true }],
    warnings: ['Fewer than 100 requests per stage: a p99 is hardly more than the maximum.'],
    ...overrides,
  };
  return Report.parse(report);
}

export function exampleSummary(report: Report): RunSummary {
  return RunSummary.parse({
    id: report.id,
    folder: `/runs/${report.id}`,
    name: report.name,
    startedAt: report.startedAt,
    state: report.interrupted ? 'interrupted' : 'done',
    target: {
      url: report.spec.target.url,
      deployment: report.spec.target.deployment,
      model: report.server.model,
    },
    stages: report.stages.map((stage) => ({
      label: stage.label,
      outputTokensPerSecond: stage.steady?.outputTokensPerSecond ?? null,
      ttftP50Ms: stage.ttft?.p50 ?? null,
    })),
  });
}

function exampleSpec(): Report['spec'] {
  return {
    schema: runSchema,
    name: 'levels',
    target: {
      url: 'http://127.0.0.1:18400',
      api: 'chat',
      model: 'mistral-7b',
      key: null,
      tokenizer: 'http://127.0.0.1:18400',
      metrics: 'http://127.0.0.1:18400',
      gpuMetrics: null,
      deployment: 'assistant',
      engine: 'llama.cpp',
    },
    profile: { kind: 'concurrent', streams: [1, 2, 4] },
    data: { kind: 'synthetic' },
    limits: { seconds: 60, requests: null, errors: null, errorRate: null },
    slo: { ttftMs: 500, tpotMs: null, e2eMs: null },
    thresholds: ['ttft.p95 < 500'],
    warmup: { kind: 'requests', count: 2 },
    drainSeconds: 10,
    timeoutSeconds: 120,
    stream: true,
    temperature: 0,
    ignoreEos: true,
    cache: 'cold',
    seed: 1,
    keepOutputs: false,
    calibrate: true,
  };
}

function exampleStage(index: number, streams: number, rate: number): StageReport {
  const n = 20 * streams;
  return {
    schema: runSchema,
    index,
    label: `${streams} ${streams === 1 ? 'stream' : 'streams'}`,
    strategy: { kind: 'closed', streams },
    window: { start: 0, end: 60_000_000 },
    whole: { start: 0, end: 61_000_000 },
    requests: { warmup: 2, measured: n + 1, ok: n, failed: index === 2 ? 1 : 0, censored: 0 },
    errors: index === 2 ? [{ outcome: 'reset', count: 1, example: 'socket hang up' }] : [],
    ttft: exampleDistribution(n, 180 * streams ** 0.7),
    ttftScheduled: exampleDistribution(n, 181 * streams ** 0.7),
    itl: exampleDistribution(n * 100, (1000 * streams) / rate),
    itlMeanPerRequest: exampleDistribution(n, (1000 * streams) / rate),
    tpot: exampleDistribution(n, (1000 * streams) / rate),
    e2e: exampleDistribution(n, 180 * streams ** 0.7 + (100_000 * streams) / rate),
    e2eScheduled: exampleDistribution(n, 181 * streams ** 0.7 + (100_000 * streams) / rate),
    openLoop: null,
    goodput: { good: 40, share: 0.8, perSecond: 1.5 },
    promptTokens: { sum: n * 256, mean: 256, min: 256, max: 256, offTarget: 0, sources: ['usage'] },
    outputTokens: { sum: n * 100, mean: 100, min: 100, max: 100, offTarget: 0, sources: ['usage'] },
    cachedTokens: 0,
    tokensPerEvent: 1,
    countsTooFew: 0,
    steady: throughputOf(rate),
    overall: throughputOf(rate * 0.97),
    stalls: { count: 0, thresholdMs: 500 },
    consistency: {
      impliedTokensPerSecond: rate * 1.01,
      measuredTokensPerSecond: rate,
      ratio: 1.01,
    },
    client: {
      lagP99Ms: 0.3,
      loopDelayP99Ms: 1.1,
      cpuShare: 0.04,
      clockDriftMs: 0.2,
      limited: false,
      reasons: [],
    },
    engine: null,
    server: exampleServer(rate),
    stopped: null,
    spent: { promptTokens: 256 * (n + 3), outputTokens: 100 * (n + 3), until: 61_000_000 },
    series: exampleSeries(index, rate),
    settled: { found: true, cutSeconds: 1.2, cutShare: 0.02, outputTokensPerSecond: rate * 1.01 },
  };
}

function exampleSeries(index: number, rate: number): StageReport['series'] {
  const points = [0, 1, 2].map((part) => ({
    at: 70 * index + 10 + 20 * part,
    inFlight: 2 ** index,
    outputTokensPerSecond: rate * (1 + part / 10),
    requestsPerSecond: rate / 100,
    failed: 0,
    ttftP50Ms: 180,
    ttftP95Ms: part === 1 ? null : 260,
    itlP50Ms: 1000 / rate,
    itlP99Ms: 3000 / rate,
  }));
  return { every: 1, points };
}

function throughputOf(rate: number): NonNullable<StageReport['steady']> {
  return {
    seconds: 60,
    requestsPerSecond: rate / 100,
    promptTokensPerSecond: rate * 2.56,
    outputTokensPerSecond: rate,
    totalTokensPerSecond: rate * 3.56,
  };
}

function exampleDistribution(n: number, middle: number): Distribution {
  return {
    n,
    mean: middle * 1.05,
    stddev: middle * 0.1,
    min: middle * 0.8,
    p50: middle,
    p90: middle * 1.2,
    p95: middle * 1.3,
    p99: middle * 1.6,
    max: middle * 1.7,
    interval: {
      mean: [middle, middle * 1.1],
      p50: [middle * 0.97, middle * 1.03],
      p95: [middle * 1.2, middle * 1.4],
      p99: null,
    },
    p99Reliable: n >= 100,
  };
}

const exampleEngine: NonNullable<Report['server']['engine']> = {
  kind: 'llama.cpp',
  version: 'b7000-abcdef0',
  context: 4096,
  slots: 4,
  model: { path: '/models/mistral.gguf', bytes: 5_131_409_696, sha256: '0123456789abcdef'.repeat(4) },
  settings: { model_ftype: 'Q5_K_M' },
  argv: ['llama-server', '-m', '/models/mistral.gguf', '--metrics'],
  hardware: null,
  notes: [],
};

function exampleServer(rate: number): NonNullable<StageReport['server']> {
  const busy = { n: 60, mean: 2, min: 1, max: 4 };
  return {
    samples: 61,
    seconds: 60,
    running: busy,
    waiting: { n: 60, mean: 0.5, min: 0, max: 2 },
    kvUse: null,
    preemptions: null,
    promptTokens: 25_600,
    cachedTokens: 0,
    outputTokens: rate * 60,
    prefixHitShare: 0,
    restarted: false,
    process: { cores: 3.6, rssMaxBytes: 6_000_000_000 },
    gpus: [
      {
        gpu: 'GPU-1',
        name: 'Example GPU',
        utilization: { n: 60, mean: 0.91, min: 0.8, max: 1 },
        memoryMaxBytes: 7_000_000_000,
        watts: { n: 60, mean: 210, min: 180, max: 230 },
        energy: { joules: 12_600, source: 'estimate' },
      },
    ],
    cpuEnergy: null,
    joulesPerOutputToken: 12_600 / (rate * 60),
    series: Array.from({ length: 30 }, (_, i) => ({
      at: 2 * i,
      running: 1 + (i % 4),
      waiting: i % 3,
      kvUse: null,
      outputTokensPerSecond: i === 0 ? null : rate * (1 + 0.1 * Math.sin(i)),
      cores: 3 + Math.sin(i / 3),
      rssBytes: 6_000_000_000,
      gpuUtilization: 0.9,
      watts: 200 + 10 * Math.sin(i),
    })),
  };
}
