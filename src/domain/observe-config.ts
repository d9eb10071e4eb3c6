import { z } from 'zod';

/** What the gateway notes of its requests beside counting them. */
export const ObserveConfig = z.strictObject({
  /** Metrics also under the names of OpenTelemetry's GenAI conventions. */
  genAi: z.boolean(),
  /** `/metrics` wants a key. */
  metricsKey: z.boolean().optional(),
  accessLog: z
    .strictObject({
      path: z.string(),
      format: z.enum(['json', 'text']),
      maxBytes: z.int().positive(),
      /** Older files that are kept. */
      keep: z.int().min(0),
    })
    .nullable(),
  tracing: z
    .strictObject({
      /** Base URL of an OTLP/HTTP collector; null: traces pass through and none is recorded. */
      otlp: z.string().nullable(),
      /** Share of the traces begun here that are recorded. */
      sample: z.number().min(0).max(1),
      service: z.string(),
    })
    .nullable(),
  capture: z
    .strictObject({
      /** Memory for all that is kept. */
      maxBytes: z.int().positive(),
      /** Kept of each body. */
      bodyBytes: z.int().min(0),
      sample: z.number().min(0).max(1),
    })
    .nullable(),
});
export type ObserveConfig = z.infer<typeof ObserveConfig>;

/** Requests are counted and nothing else. */
export const unobserved: ObserveConfig = { genAi: false, accessLog: null, tracing: null, capture: null };
