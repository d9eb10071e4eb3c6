import { z } from 'zod';
import { EngineFacts } from '../../domain/run/engine-facts.ts';
import { ServerSample } from '../../domain/run/server-sample.ts';

/** The first line that the watching process is given. Afterwards each line is a command; a closed stdin ends it. */
export const WatchJob = z.strictObject({
  /** Start of the run on the machine's monotonic clock, µs. */
  origin: z.int(),
  /** Base URL of the engine itself. */
  engine: z.string(),
  /** URL of the metrics of a DCGM exporter. */
  gpuMetrics: z.string().nullable(),
  key: z.string().nullable(),
  periodMs: z.int().positive(),
});
export type WatchJob = z.infer<typeof WatchJob>;

export const watchCommands = ['sample', 'hash'] as const;

/** What it prints, one JSON line each; `sample` null: there is nothing to be seen of this server. */
export const WatchMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('facts'), facts: EngineFacts }),
  z.strictObject({ type: z.literal('sample'), asked: z.boolean(), sample: ServerSample.nullable() }),
  z.strictObject({ type: z.literal('hash'), sha256: z.string().nullable() }),
]);
export type WatchMessage = z.infer<typeof WatchMessage>;
