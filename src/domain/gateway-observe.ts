import { z } from 'zod';
import { ByteSize, PositiveByteSize } from './units.ts';

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
    size: PositiveByteSize.optional().describe('Size at which a new file is begun (default 64Mi).'),
    keep: z.int().min(0).max(100).default(3).describe('Older files that are kept.'),
  })
  .describe('Notes one line per request, never a prompt, a reply or a secret.');
export type AccessLog = z.infer<typeof AccessLog>;

export const Metrics = z
  .strictObject({
    key: z
      .boolean()
      .default(false)
      .describe('`/metrics` is told only to those who show a key; it holds the ids of all keys.'),
    genAi: z
      .boolean()
      .default(false)
      .describe("Also under the names and buckets of OpenTelemetry's GenAI conventions (gen_ai_…)."),
  })
  .describe('What `/metrics` carries.');

const Share = z.number().min(0).max(1);

export const Tracing = z
  .strictObject({
    otlp: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta({ examples: ['http://127.0.0.1:4318'] })
      .describe('Collector that gets the spans by OTLP/HTTP; without one traces are only passed on.'),
    sample: Share.default(1).describe('Share of the traces that begin here to record, from 0 to 1.'),
    service: z.string().min(1).default('berth-gateway').describe('Name of the gateway in the traces.'),
  })
  .describe('Goes on with the trace that a client names in `traceparent`, or begins one.');

export const CaptureOptions = z
  .strictObject({
    size: PositiveByteSize.optional().describe(
      'Memory for all that is kept (default 16Mi); the oldest make room.',
    ),
    body: ByteSize.optional().describe('Kept of each request and reply (default 64Ki).'),
    sample: Share.default(1).describe('Share of the requests to keep, from 0 to 1.'),
  })
  .describe(
    'Keeps the beginnings of requests and replies in memory, prompts included; secrets in headers are left out.',
  );
