import { z } from 'zod';
import { Strategy } from '../load-shape.ts';
import { StageSeries } from './stage-series.ts';
import { StopReason } from './stop-reason.ts';
import { ServerStage } from './server-stage.ts';
import { outcomes, tokenSources } from './record.ts';
import { runSchema } from './schema-version.ts';

const count = z.int().min(0);
const microseconds = z.int();

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
  /** Texts that were answered, where a request has several and gets no tokens back; absent or null elsewhere. */
  inputsPerSecond: z.number().nullish(),
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
  /** How much further the wall clock went than the monotonic one; null: nobody looked. */
  clockDriftMs: z.number().nullable().default(null),
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
  /** Over so many stages, of which this is the last: their slots were passed on without a pause. Absent: over one. */
  stages: z.int().min(2).optional(),
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

/** Requests that kept every objective. */
export const Goodput = z.strictObject({
  good: count,
  /** Of all measured requests but those that we cut ourselves. */
  share: z.number(),
  perSecond: z.number().nullable(),
});
export type Goodput = z.infer<typeof Goodput>;

/** The last third of a stage's measured time beside its first: in both, requests in flight on average and median E2E. */
export const Steadiness = z.strictObject({
  /** False when the latencies grew, of an open loop with the requests in flight: the server falls behind. */
  steady: z.boolean(),
  inFlight: z.tuple([z.number(), z.number()]),
  e2eMs: z.tuple([z.number(), z.number()]),
});
export type Steadiness = z.infer<typeof Steadiness>;

/** Conversations of a stage, turn by turn; latencies by the clock that the kind of load puts first. */
export const Conversations = z.strictObject({
  begun: count,
  /** Ended by a fault: what a turn was not answered cannot be gone on with. */
  broken: count,
  turns: z.array(
    z.strictObject({
      /** The first is 1. */
      turn: z.int().positive(),
      /** Turns after it are in this row too. */
      andLater: z.boolean(),
      requests: count,
      ok: count,
      ttft: Distribution.nullable(),
      e2e: Distribution.nullable(),
      /** Mean of a request, all that was said before included. */
      promptTokens: z.number().nullable(),
      /** Of the prompt tokens, those that the server says it took from its prefix cache; null: it does not say. */
      cachedShare: z.number().nullable(),
    }),
  ),
});
export type Conversations = z.infer<typeof Conversations>;

/** The steady part of the window, found by its token rate; `found` false: the rate never settled. */
export const Settled = z.strictObject({
  found: z.boolean(),
  /** Cut off at the window's beginning, in seconds and as a share of it. */
  cutSeconds: z.number().nullable(),
  cutShare: z.number().nullable(),
  /** Of the rest. */
  outputTokensPerSecond: z.number().nullable(),
});
export type Settled = z.infer<typeof Settled>;

/** One stage of a run, as `stage-N.json` keeps it. */
export const StageReport = z.strictObject({
  schema: z.literal(runSchema),
  index: count,
  label: z.string(),
  strategy: Strategy,
  /** While all streams were busy with the measured phase; µs from the run's start. Null when that never was. */
  window: z.strictObject({ start: microseconds, end: microseconds }).nullable(),
  /** Of a stage that was gone on with: the windows of all its parts, of which `window` is the longest. Absent: one. */
  windows: z.array(z.strictObject({ start: microseconds, end: microseconds })).optional(),
  /** First measured request sent to last one done. */
  whole: z.strictObject({ start: microseconds, end: microseconds }).nullable(),
  requests: z.strictObject({
    warmup: count,
    measured: count,
    ok: count,
    failed: count,
    censored: count,
    /** In flight when the run was ended by force, of a stage that was gone on with; they are in none of the others. */
    lost: count.optional(),
  }),
  errors: z.array(z.strictObject({ outcome: z.enum(outcomes), count, example: z.string().nullable() })),
  /** From the last byte written to the first token-bearing event. */
  ttft: Distribution.nullable(),
  /** The same from the moment the request was due. */
  ttftScheduled: Distribution.nullable(),
  /** To the first event with content, behind any reasoning. Absent in runs of before this was looked at. */
  ttfot: Distribution.nullish(),
  ttfotScheduled: Distribution.nullish(),
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
  /** Absent in runs of before this was looked at; null of too few requests. */
  steadiness: Steadiness.nullish(),
  goodput: Goodput.nullable(),
  /** Absent where requests are no turns of conversations. */
  conversations: Conversations.optional(),
  promptTokens: TokenTotals.nullable(),
  outputTokens: TokenTotals.nullable(),
  /** Of the output tokens, those of reasoning; null: neither told nor seen. */
  reasoningTokens: TokenTotals.nullish(),
  cachedTokens: count.nullable(),
  tokensPerEvent: z.number().nullable(),
  /** Good requests whose count of tokens is below that of the events that carried some; they have no TPOT. */
  countsTooFew: count.default(0),
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
  /** What was seen of the server meanwhile; null when nothing was. */
  server: ServerStage.nullable().default(null),
  /** Why it ended before its own limit, and the run with it; null when it did not. */
  stopped: StopReason.nullable().default(null),
  /** Tokens of all its requests, warm-up included, and when the last of them ended; null in reports of before. */
  spent: z
    .strictObject({ promptTokens: count, outputTokens: count, until: microseconds })
    .nullable()
    .default(null),
  /** Its figures over its time; null where there are none, as in reports of before. */
  series: StageSeries.nullable().default(null),
  /** Null where too little was seen to tell. */
  settled: Settled.nullable().default(null),
});
export type StageReport = z.infer<typeof StageReport>;
