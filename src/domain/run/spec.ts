import { z } from 'zod';
import { Against } from '../against.ts';
import { SecretRef } from '../secret.ts';
import { CacheState } from './cache.ts';
import { Shard } from './shard.ts';
import { TokenPrices } from './token-prices.ts';
import { runSchema } from './schema-version.ts';

const count = z.int().min(0);

/** Server that is measured. `metrics` and `tokenizer` are base URLs of the engine itself; null when unknown. */
export const RunTarget = z.strictObject({
  /** Base URL without /v1 and without a trailing slash. */
  url: z.string(),
  /** Kind of its endpoint that is asked, checked by the registry of endpoints. */
  api: z.string(),
  /** Name to ask for; null: the first one that the server lists. */
  model: z.string().nullable(),
  key: SecretRef.nullable(),
  tokenizer: z.string().nullable(),
  /** A tokenizer.json that counts where no server does; absent: there is none. */
  tokenizerFile: z.string().optional(),
  metrics: z.string().nullable(),
  /** The key of the engine itself, where it is behind another door than `url`; null: the same. */
  engineKey: SecretRef.nullable().optional(),
  /** URL of the metrics of a DCGM exporter that sees the server's GPUs. */
  gpuMetrics: z.string().nullable().default(null),
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

/** One benchmark of one server, complete: what `run.json` keeps and what the worker process is given. */
export const RunSpec = z.strictObject({
  schema: z.literal(runSchema),
  name: z.string(),
  target: RunTarget,
  /** Checked by the registry of profiles and the registry of datasets. */
  profile: z.looseObject({ kind: z.string() }),
  data: z.looseObject({ kind: z.string() }),
  /** The options of the endpoint; absent: it has none but its kind. */
  endpoint: z.looseObject({ kind: z.string() }).optional(),
  /** Per stage; admission stops at whichever comes first. At least one is set. */
  limits: z.strictObject({
    seconds: z.number().positive().nullable(),
    requests: z.int().positive().nullable(),
    /** A stage ends, and the run with it, when more than so many requests failed, or more than this share of at least 20. */
    errors: count.nullable(),
    errorRate: z.number().min(0).max(1).nullable(),
  }),
  /** What else ends the run before its limits; absent: nothing does. */
  stops: z
    .strictObject({
      /** Of an open loop: requests in flight and TTFT rose for so long. */
      overSaturationSeconds: z.number().positive().nullable(),
      /** Prompt and output tokens of the whole run; what is in flight then comes on top. */
      tokens: z.int().positive().nullable(),
      /** In the unit of the price, for the time that the run takes. */
      money: z.number().positive().nullable(),
      pricePerHour: z.number().positive().nullable(),
      /** Of a million tokens of either kind; absent: none is known. */
      pricePerMillion: TokenPrices.optional(),
    })
    .optional(),
  /** Its part, where several clients make one run. */
  shard: Shard.optional(),
  slo: Slo.nullable(),
  /** What an hour of what is measured costs, and who says so; absent: nobody does. */
  price: z.strictObject({ usdPerHour: z.number().positive(), source: z.string() }).optional(),
  /** Publishers of the fleet file that are told of it; absent: none. */
  publish: z.array(z.string()).optional(),
  /** Such as "ttft.p95 < 500"; each stage is held against each. */
  thresholds: z.array(z.string()),
  /** The run that it is held against when it is over; absent: none. */
  against: Against.optional(),
  warmup: Warmup,
  /** How long requests in flight may go on after the limit; what is left then is cut and counted as censored. */
  drainSeconds: z.number().min(0),
  /** From sending to the end of the answer. */
  timeoutSeconds: z.number().positive(),
  stream: z.boolean(),
  temperature: z.number().min(0).nullable(),
  /** Ask the server to go on after its end token, so that every answer has the asked length. */
  ignoreEos: z.boolean(),
  cache: CacheState,
  seed: z.int().min(0),
  keepOutputs: z.boolean(),
  /** How the records are written; absent: columns where a stage has 100,000 requests or more, else lines. */
  records: z.enum(['lines', 'columns']).optional(),
  /** Measure the client's own error against a server with a known schedule first. */
  calibrate: z.boolean(),
});
export type RunSpec = z.infer<typeof RunSpec>;
