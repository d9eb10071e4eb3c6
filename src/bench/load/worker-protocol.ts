import { z } from 'zod';
import { RunProgress } from '../../domain/run-progress.ts';
import { Calibration, ServerFacts } from '../../domain/run/report.ts';
import { RunSpec } from '../../domain/run/spec.ts';

/** The one line that the worker process is given on its stdin; that stdin stays open is its licence to go on. */
export const WorkerJob = z.strictObject({
  id: z.string(),
  folder: z.string(),
  spec: RunSpec,
  /** Where to go on with a run that did not reach its end; null for a new one. */
  resume: z
    .strictObject({
      clock: z.int(),
      nextId: z.int(),
      /** Every break of the stage to go on with, the last one included. */
      seams: z.array(z.strictObject({ clock: z.int(), lost: z.int() })),
    })
    .nullable(),
});
export type WorkerJob = z.infer<typeof WorkerJob>;

/** The last line it prints. A fault travels as its code and facts. */
export const WorkerEnd = z.strictObject({
  type: z.literal('worker-ended'),
  interrupted: z.boolean(),
  unfinished: z.boolean(),
  originAt: z.iso.datetime().nullable(),
  server: ServerFacts.nullable(),
  calibration: Calibration.nullable(),
  error: z.strictObject({ code: z.string(), facts: z.unknown(), message: z.string() }).nullable(),
});
export type WorkerEnd = z.infer<typeof WorkerEnd>;

export const WorkerMessage = z.union([WorkerEnd, RunProgress]);
export type WorkerMessage = z.infer<typeof WorkerMessage>;
