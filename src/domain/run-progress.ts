import { z } from 'zod';
import { Calibration, ServerFacts } from './run/report.ts';
import { StageReport } from './run/stage-report.ts';

/** What a run tells while it goes on, one JSON line each from the worker process. */
export const RunProgress = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('run-started'), id: z.string(), folder: z.string(), name: z.string() }),
  z.strictObject({ type: z.literal('calibrated'), calibration: Calibration }),
  z.strictObject({ type: z.literal('server'), server: ServerFacts }),
  z.strictObject({
    type: z.literal('stage-started'),
    index: z.int(),
    label: z.string(),
    /** Length of the stage where it is known: seconds, requests, or both. */
    seconds: z.number().nullable(),
    requests: z.int().nullable(),
  }),
  /** About twice a second. */
  z.strictObject({
    type: z.literal('tick'),
    index: z.int(),
    phase: z.enum(['warmup', 'measured', 'draining']),
    elapsedSeconds: z.number(),
    inFlight: z.int(),
    done: z.int(),
    failed: z.int(),
    /** Events with tokens received in the last second or so: about output tokens per second of one-token events. */
    eventsPerSecond: z.number(),
    /** Medians of the requests that ended in the last ten seconds: TTFT, and mean gap between token events. */
    ttftMs: z.number().nullable(),
    itlMs: z.number().nullable(),
  }),
  z.strictObject({ type: z.literal('stage-ended'), stage: StageReport }),
  z.strictObject({ type: z.literal('note'), text: z.string() }),
  z.strictObject({ type: z.literal('run-ended'), id: z.string(), interrupted: z.boolean() }),
]);
export type RunProgress = z.infer<typeof RunProgress>;
