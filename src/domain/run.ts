import { z } from 'zod';
import { SecretRef } from './secret.ts';
import { Strategy } from './load-shape.ts';

/** Version of every file in a run's folder; raised when a key changes its meaning. */
export const runSchema = 1;

const count = z.int().min(0);
const microseconds = z.int();
const nullableTime = microseconds.nullable();

/** Server that is measured. `metrics` and `tokenizer` are base URLs of the engine itself; null when unknown. */
export const RunTarget = z.strictObject({
  /** Base URL without /v1 and without a trailing slash. */
  url: z.string(),
  api: z.enum(['chat', 'completions']),
  /** Name to ask for; null: the first one that the server lists. */
  model: z.string().nullable(),
  key: SecretRef.nullable(),
  tokenizer: z.string().nullable(),
  metrics: z.string().nullable(),
  /** Deployment of a fleet and its engine, when the run was started from one. */
  deployment: z.string().nullable(),
  engine: z.string().nullable(),
});
export type RunTarget = z.infer<typeof RunTarget>;

/** How many requests, or for how long, a stage runs before it is measured. */
export const Warmup = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('requests'), count: z.int().positive() }),
  z.strictObject({ kind: z.literal('seconds'), seconds: z.number().positive() }),
]);
export type Warmup = z.infer<typeof Warmup>;

/** What one request must keep, in ms; null asks for nothing. */
export const Slo = z.strictObject({
  ttftMs: z.number().positive().nullable(),
  tpotMs: z.number().positive().nullable(),
  e2eMs: z.number().positive().nullable(),
});
export type Slo = z.infer<typeof Slo>;

/** Requests that kept every objective. */
export const Goodput = z.strictObject({
  good: count,
  /** Of all measured requests but those that we cut ourselves. */
  share: z.number(),
  perSecond: z.number().nullable(),
});
export type Goodput = z.infer<typeof Goodput>;

/** One benchmark of one server, complete: what `run.json` keeps and what the worker process is given. */
export const RunSpec = z.strictObject({
  schema: z.literal(runSchema),
  name: z.string(),
  target: RunTarget,
  /** Checked by the registry of profiles and the registry of datasets. */
  profile: z.looseObject({ kind: z.string() }),
  data: z.looseObject({ kind: z.string() }),
  /** Per stage; admission stops at whichever comes first. At least one is set. */
  limits: z.strictObject({
    seconds: z.number().positive().nullable(),
    requests: z.int().positive().nullable(),
    /** A stage ends, and the run with it, when more than so many requests failed, or more than this share of at least 20. */
    errors: count.nullable(),
    errorRate: z.number().min(0).max(1).nullable(),
  }),
  slo: Slo.nullable(),
  /** Such as "ttft.p95 < 500"; each stage is held against each. */
  thresholds: z.array(z.string()),
  warmup: Warmup,
  /** How long requests in flight may go on after the limit; what is left then is cut and counted as censored. */
  drainSeconds: z.number().min(0),
  /** From sending to the end of the answer. */
  timeoutSeconds: z.number().positive(),
  stream: z.boolean(),
  temperature: z.number().min(0).nullable(),
  /** Ask the server to go on after its end token, so that every answer has the asked length. */
  ignoreEos: z.boolean(),
  /** cold: every prompt is unique and the server is asked not to reuse a prefix; warm: it may. */
  cache: z.enum(['cold', 'warm']),
  seed: z.int().min(0),
  keepOutputs: z.boolean(),
  /** Measure the client's own error against a server with a known schedule first. */
  calibrate: z.boolean(),
});
export type RunSpec = z.infer<typeof RunSpec>;

/** How a request ended. `censored`: cut by us when the drain was over, so its latency is unknown, not bad. */
export const outcomes = [
  'ok',
  'censored',
  'connect',
  'tls',
  'timeout',
  'rate-limited',
  'client-error',
  'server-error',
  'stream-error',
  'reset',
  'truncated',
  'malformed',
  'empty',
] as const;
export type Outcome = (typeof outcomes)[number];

/** Where a token count comes from, best first. Counts of different sources are never summed silently. */
export const tokenSources = ['usage', 'timings', 'tokenize', 'estimate', 'events'] as const;
export type TokenSource = (typeof tokenSources)[number];

const TokenCount = z.strictObject({
  asked: count.nullable(),
  tokens: count.nullable(),
  source: z.enum(tokenSources).nullable(),
});
export type TokenCount = z.infer<typeof TokenCount>;

/**
 * One request, raw: all figures of a report can be computed again from these lines.
 * Times are µs on one monotonic clock, counted from the run's start.
 */
export const RequestRecord = z.strictObject({
  schema: z.literal(runSchema),
  id: count,
  stage: count,
  phase: z.enum(['warmup', 'measured']),
  /** Stream (slot of the closed loop) that sent it. */
  stream: count,
  /** When the profile wanted it sent. */
  scheduled: microseconds,
  /** When the client began (asked for a connection), had the connection, and had written the last byte. */
  started: nullableTime,
  connected: nullableTime,
  sent: nullableTime,
  headers: nullableTime,
  firstByte: nullableTime,
  /** First event with non-empty content, reasoning or tool call; null when there was none or no stream. */
  firstToken: nullableTime,
  /** First event with non-empty content. */
  firstContent: nullableTime,
  last: nullableTime,
  /** End of the answer: [DONE], the end of the body, or the fault. */
  done: microseconds,
  /** Gaps between consecutive token-bearing events; one fewer than there are such events. */
  gaps: z.array(count),
  events: count,
  status: z.int().nullable(),
  outcome: z.enum(outcomes),
  error: z.string().nullable(),
  finish: z.string().nullable(),
  prompt: TokenCount,
  output: TokenCount,
  /** Prompt tokens that the server took from its prefix cache, by its own account. */
  cached: count.nullable(),
  /** The server's own clock for the two phases, where it tells (llama.cpp `timings`). */
  server: z.strictObject({ promptMs: z.number().nullable(), outputMs: z.number().nullable() }).nullable(),
  text: z.string().nullable(),
});
export type RequestRecord = z.infer<typeof RequestRecord>;

const Interval = z.tuple([z.number(), z.number()]).nullable();

/** A distribution in ms. Percentiles by the method that the report's definitions name; intervals are 95 %. */
export const Distribution = z.strictObject({
  n: z.int().positive(),
  mean: z.number(),
  stddev: z.number(),
  min: z.number(),
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  max: z.number(),
  interval: z.strictObject({ mean: Interval, p50: Interval, p95: Interval, p99: Interval }),
  /** False when n < 100: then p99 is hardly more than the maximum. */
  p99Reliable: z.boolean(),
});
export type Distribution = z.infer<typeof Distribution>;

const Throughput = z.strictObject({
  seconds: z.number(),
  requestsPerSecond: z.number(),
  promptTokensPerSecond: z.number().nullable(),
  outputTokensPerSecond: z.number().nullable(),
  totalTokensPerSecond: z.number().nullable(),
});
export type Throughput = z.infer<typeof Throughput>;

/** What the load generator did to the figures. `limited` true: do not trust them as figures of the server. */
export const ClientHealth = z.strictObject({
  lagP99Ms: z.number().nullable(),
  loopDelayP99Ms: z.number().nullable(),
  /** Share of one core that the load generator used, 0 to 1 and above. */
  cpuShare: z.number().nullable(),
  limited: z.boolean(),
  reasons: z.array(z.string()),
});
export type ClientHealth = z.infer<typeof ClientHealth>;

/** The engine's own counters over the stage, warm-up included. Null: the engine does not tell. */
export const EngineCounters = z.strictObject({
  promptTokens: z.number().nullable(),
  outputTokens: z.number().nullable(),
  requests: z.number().nullable(),
  /** Sums over all records of the stage, to be held against them; null when a record has no count by the server. */
  countedPromptTokens: z.number().nullable(),
  countedOutputTokens: z.number().nullable(),
  agrees: z.boolean().nullable(),
});
export type EngineCounters = z.infer<typeof EngineCounters>;

const TokenTotals = z.strictObject({
  sum: count,
  mean: z.number(),
  min: count,
  max: count,
  /** Requests whose length is not the one asked for. */
  offTarget: count.nullable(),
  sources: z.array(z.enum(tokenSources)),
});
export type TokenTotals = z.infer<typeof TokenTotals>;

/** What became of an open loop's schedule; rates in requests a second over the measured phase. */
export const OpenLoop = z.strictObject({
  /** Starts that were due but would have been one too many in flight; null when nobody counted. */
  dropped: count.nullable(),
  scheduledPerSecond: z.number().nullable(),
  startedPerSecond: z.number().nullable(),
});
export type OpenLoop = z.infer<typeof OpenLoop>;

/** One stage of a run, as `stage-N.json` keeps it. */
export const StageReport = z.strictObject({
  schema: z.literal(runSchema),
  index: count,
  label: z.string(),
  strategy: Strategy,
  /** While all streams were busy with the measured phase; µs from the run's start. Null when that never was. */
  window: z.strictObject({ start: microseconds, end: microseconds }).nullable(),
  /** First measured request sent to last one done. */
  whole: z.strictObject({ start: microseconds, end: microseconds }).nullable(),
  requests: z.strictObject({ warmup: count, measured: count, ok: count, failed: count, censored: count }),
  errors: z.array(z.strictObject({ outcome: z.enum(outcomes), count, example: z.string().nullable() })),
  /** From the last byte written to the first token-bearing event. */
  ttft: Distribution.nullable(),
  /** The same from the moment the request was due. */
  ttftScheduled: Distribution.nullable(),
  /** Every gap between token-bearing events, of all requests. */
  itl: Distribution.nullable(),
  /** (last − first) / (events − 1) per request: hides stalls; for comparison with tools that publish it as ITL. */
  itlMeanPerRequest: Distribution.nullable(),
  /** (last − first) / (output tokens − 1) per request. */
  tpot: Distribution.nullable(),
  /** From the last byte written to the last token-bearing event, or to the end of an answer that is not streamed. */
  e2e: Distribution.nullable(),
  /** The same from the moment the request was due: the headline of an open loop. */
  e2eScheduled: Distribution.nullable(),
  openLoop: OpenLoop.nullable(),
  goodput: Goodput.nullable(),
  promptTokens: TokenTotals.nullable(),
  outputTokens: TokenTotals.nullable(),
  cachedTokens: count.nullable(),
  tokensPerEvent: z.number().nullable(),
  /** Token events inside the window over its length. */
  steady: Throughput.nullable(),
  /** Everything measured over the whole stage, ramp and drain included. */
  overall: Throughput.nullable(),
  stalls: z.strictObject({ count, thresholdMs: z.number() }).nullable(),
  /** Output rate that the latencies imply (streams × tokens / E2E), beside the one counted. */
  consistency: z
    .strictObject({
      impliedTokensPerSecond: z.number(),
      measuredTokensPerSecond: z.number(),
      ratio: z.number(),
    })
    .nullable(),
  client: ClientHealth,
  engine: EngineCounters.nullable(),
});
export type StageReport = z.infer<typeof StageReport>;

/** How a stage stands to one stream: by output tokens per second, never by wall time. */
export const Scaling = z.strictObject({
  stage: count,
  streams: z.int().positive(),
  speedup: z.number(),
  /** speedup / streams, 1 is linear. */
  efficiency: z.number(),
});
export type Scaling = z.infer<typeof Scaling>;

/** The error of the load generator itself, against a server whose schedule is known. */
export const Calibration = z.strictObject({
  streams: z.int().positive(),
  events: count,
  errorP50Ms: z.number(),
  errorP99Ms: z.number(),
});
export type Calibration = z.infer<typeof Calibration>;

export const Environment = z.strictObject({
  berth: z.string(),
  node: z.string(),
  os: z.string(),
  cpu: z.string(),
  cores: count,
  memoryBytes: count,
});
export type Environment = z.infer<typeof Environment>;

/** What was found about the server before the first stage. */
export const ServerFacts = z.strictObject({
  model: z.string(),
  server: z.string().nullable(),
  /** How prompt lengths were made exact: by which path, or estimated. */
  tokenizer: z.string().nullable(),
  /** Tokens that the chat template adds to every prompt; they are part of the count. Null when unknown. */
  templateTokens: count.nullable(),
  notes: z.array(z.string()),
});
export type ServerFacts = z.infer<typeof ServerFacts>;

/** `report.json`: written last, by rename, so that its presence means the run is over. */
export const Report = z.strictObject({
  schema: z.literal(runSchema),
  id: z.string(),
  name: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  /** Ended by the user or by a fault before the last stage: what was measured is kept. */
  interrupted: z.boolean(),
  spec: RunSpec,
  environment: Environment,
  server: ServerFacts,
  definitions: z.record(z.string(), z.string()),
  calibration: Calibration.nullable(),
  stages: z.array(StageReport),
  scaling: z.array(Scaling),
  clientLimited: z.boolean(),
  /** Every threshold at every stage; `value` null: the stage lacks the figure. */
  gates: z.array(
    z.strictObject({
      stage: z.string(),
      threshold: z.string(),
      value: z.number().nullable(),
      passed: z.boolean(),
    }),
  ),
  warnings: z.array(z.string()),
});
export type Report = z.infer<typeof Report>;

/** `run.json`: everything that is known before the first stage. */
export const RunFile = z.strictObject({
  schema: z.literal(runSchema),
  id: z.string(),
  startedAt: z.iso.datetime(),
  spec: RunSpec,
  environment: Environment,
  definitions: z.record(z.string(), z.string()),
});
export type RunFile = z.infer<typeof RunFile>;

/** One line of `berth runs`. `unfinished`: no report, and no stage was written for a while. */
export const RunSummary = z.strictObject({
  id: z.string(),
  folder: z.string(),
  name: z.string(),
  startedAt: z.iso.datetime(),
  state: z.enum(['done', 'interrupted', 'unfinished']),
  target: z.strictObject({
    url: z.string(),
    deployment: z.string().nullable(),
    model: z.string().nullable(),
  }),
  stages: z.array(
    z.strictObject({
      label: z.string(),
      outputTokensPerSecond: z.number().nullable(),
      ttftP50Ms: z.number().nullable(),
    }),
  ),
});
export type RunSummary = z.infer<typeof RunSummary>;
