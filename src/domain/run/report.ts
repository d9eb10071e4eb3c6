import { z } from 'zod';
import { EngineFacts } from './engine-facts.ts';
import { Knee } from './knee.ts';
import { runSchema } from './schema-version.ts';
import { RunSpec } from './spec.ts';
import { StageReport } from './stage-report.ts';

const count = z.int().min(0);

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
  /** The engine behind it; null when it was not looked at. */
  engine: EngineFacts.nullable().default(null),
  notes: z.array(z.string()),
});
export type ServerFacts = z.infer<typeof ServerFacts>;

/** A run that was gone on with: when, at which stage, and where its own clock stood, which did not run meanwhile. */
export const Seam = z.strictObject({
  at: z.iso.datetime(),
  clock: z.int(),
  stage: count,
  /** Requests that were in flight when it broke off by force, and have no record. */
  lost: count.default(0),
});
export type Seam = z.infer<typeof Seam>;

/** `report.json`: written last, by rename, so that its presence means the run is over. */
export const Report = z.strictObject({
  schema: z.literal(runSchema),
  id: z.string(),
  name: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  /** Ended by the user or by a fault before the last stage: what was measured is kept. */
  interrupted: z.boolean(),
  /** Ended before its profile was through: by the user, by a fault, or by a limit on errors; it can be resumed. */
  unfinished: z.boolean().default(false),
  resumed: z.array(Seam).default([]),
  /** Zero of the run's clock by the clock of the machine; null when it is not known. */
  originAt: z.iso.datetime().nullable().default(null),
  spec: RunSpec,
  environment: Environment,
  server: ServerFacts,
  definitions: z.record(z.string(), z.string()),
  calibration: Calibration.nullable(),
  /** What the whole run used, warm-ups included; null where a stage does not tell. */
  spent: z
    .strictObject({
      promptTokens: count,
      outputTokens: count,
      seconds: z.number(),
      /** By the prices that it was given; null: it was given none. */
      money: z.number().nullable(),
    })
    .nullable()
    .default(null),
  stages: z.array(StageReport),
  scaling: z.array(Scaling),
  /** What a sweep found; absent where none was run. */
  knee: Knee.optional(),
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
  resumed: z.array(Seam).default([]),
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
