import { z } from 'zod';

const figure = z.number().nullable();

/** A gauge over the samples of a stage's window. */
export const GaugeSummary = z.strictObject({
  n: z.int().positive(),
  mean: z.number(),
  min: z.number(),
  max: z.number(),
});
export type GaugeSummary = z.infer<typeof GaugeSummary>;

/** Energy between the first and the last sample of a stage. `estimate`: power over time, where nothing counts energy. */
export const Energy = z.strictObject({
  joules: z.number().min(0),
  source: z.enum(['counter', 'estimate']),
});
export type Energy = z.infer<typeof Energy>;

/** One moment of a chart; rates and cores are since the moment before. */
export const ServerPoint = z.strictObject({
  /** Seconds from the run's start. */
  at: z.number(),
  running: figure,
  waiting: figure,
  kvUse: figure,
  outputTokensPerSecond: figure,
  cores: figure,
  rssBytes: figure,
  /** Means and sums over the GPUs. */
  gpuUtilization: figure,
  watts: figure,
});
export type ServerPoint = z.infer<typeof ServerPoint>;

/**
 * The server's side of one stage: gauges over the steady window (the whole stage where there is none), totals from the
 * first to the last sample of the stage, warm-up included. Null: nobody told.
 */
export const ServerStage = z.strictObject({
  samples: z.int().positive(),
  seconds: z.number().min(0),
  running: GaugeSummary.nullable(),
  waiting: GaugeSummary.nullable(),
  kvUse: GaugeSummary.nullable(),
  preemptions: figure,
  promptTokens: figure,
  cachedTokens: figure,
  outputTokens: figure,
  /** Share of the prompt tokens looked up that were in the prefix cache. */
  prefixHitShare: figure,
  /** A total fell: the engine was started anew, so no total of this stage is known. */
  restarted: z.boolean(),
  process: z
    .strictObject({
      /** Cores that the engine kept busy, on average. */
      cores: figure,
      rssMaxBytes: figure,
    })
    .nullable(),
  gpus: z.array(
    z.strictObject({
      gpu: z.string(),
      name: z.string().nullable(),
      utilization: GaugeSummary.nullable(),
      memoryMaxBytes: figure,
      watts: GaugeSummary.nullable(),
      energy: Energy.nullable(),
    }),
  ),
  cpuEnergy: Energy.nullable(),
  /** All of the energy known above over the output tokens that the engine counted. */
  joulesPerOutputToken: figure,
  /** At most 100 moments of the stage, for charts; `server.jsonl` has all. */
  series: z.array(ServerPoint),
});
export type ServerStage = z.infer<typeof ServerStage>;
