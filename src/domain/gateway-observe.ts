import { z } from 'zod';
import { ByteSize } from './units.ts';

/** What the fleet file says under `gateway` on watching requests. */
export const AccessLog = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File to append to; a relative path counts from the fleet's folder of logs (default access.log).",
      ),
    format: z
      .enum(['json', 'text'])
      .default('json')
      .describe('JSON lines for programs and for replaying, or text for people.'),
    size: ByteSize.optional().describe('Size at which a new file is begun (default 64Mi).'),
    keep: z.int().min(0).max(100).default(3).describe('Older files that are kept.'),
  })
  .describe('Notes one line per request, never a prompt, a reply or a secret.');
export type AccessLog = z.infer<typeof AccessLog>;

export const Metrics = z
  .strictObject({
    genAi: z
      .boolean()
      .default(false)
      .describe("Also under the names and buckets of OpenTelemetry's GenAI conventions (gen_ai_…)."),
  })
  .describe('What `/metrics` carries.');
