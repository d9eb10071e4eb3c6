import { z } from 'zod';
import { runSchema } from './schema-version.ts';

const figure = z.number().nullable();
const total = z.number().min(0).nullable();

/**
 * What an engine told of itself at one moment. Gauges are of that moment, totals since the engine's start.
 * Null: this engine does not tell, which is never the same as 0.
 */
export const EngineSample = z.strictObject({
  running: figure,
  waiting: figure,
  /** Share of the KV cache in use, 0 to 1; of several engine cores their mean. */
  kvUse: figure,
  preemptions: total,
  /** Prompt tokens that were looked up in the prefix cache, and those that were found there. */
  prefixQueries: total,
  prefixHits: total,
  /** Prompt tokens that the engine worked on, and those that it took from its cache where it tells them apart. */
  promptTokens: total,
  cachedTokens: total,
  outputTokens: total,
  /** Requests that ended. */
  requests: total,
});
export type EngineSample = z.infer<typeof EngineSample>;

export const GpuSample = z.strictObject({
  /** Its UUID where the driver tells it, else vendor and number. */
  gpu: z.string(),
  name: z.string().nullable(),
  /** Share of the time in which something ran on it, 0 to 1. */
  utilization: figure,
  memoryBytes: figure,
  watts: figure,
  /** Energy since the driver was loaded, where it counts. */
  joules: total,
});
export type GpuSample = z.infer<typeof GpuSample>;

/** The engine's process with all that it started. */
export const ProcessSample = z.strictObject({
  processes: z.int().positive(),
  /** Processor time so far. */
  cpuSeconds: total,
  rssBytes: total,
});
export type ProcessSample = z.infer<typeof ProcessSample>;

/** One line of `server.jsonl`: the server's side of a run at one moment of the run's clock. */
export const ServerSample = z.strictObject({
  schema: z.literal(runSchema),
  /** µs from the run's start, on the clock of the records. */
  at: z.int(),
  engine: EngineSample.nullable(),
  gpus: z.array(GpuSample),
  process: ProcessSample.nullable(),
  /** Energy of the processor packages so far, as the kernel's powercap counts it, all that ran on the machine. */
  cpuJoules: total,
});
export type ServerSample = z.infer<typeof ServerSample>;
