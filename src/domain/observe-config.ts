import { z } from 'zod';

/** What the gateway notes of its requests beside counting them. */
export const ObserveConfig = z.strictObject({
  /** Metrics also under the names of OpenTelemetry's GenAI conventions. */
  genAi: z.boolean(),
  accessLog: z
    .strictObject({
      path: z.string(),
      format: z.enum(['json', 'text']),
      maxBytes: z.int().positive(),
      /** Older files that are kept. */
      keep: z.int().min(0),
    })
    .nullable(),
});
export type ObserveConfig = z.infer<typeof ObserveConfig>;

/** Requests are counted and nothing else. */
export const unobserved: ObserveConfig = { genAi: false, accessLog: null };
