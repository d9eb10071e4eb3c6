import { z } from 'zod';
import { EndpointPaths } from '../domain/endpoints.ts';
import { GatewaySecret } from '../domain/units.ts';
import type { Engine } from './contract.ts';

/** Keys of `engine:` for a server that runs already, here or in a cloud. */
export const OpenAiOptions = z.strictObject({
  kind: z.literal('openai'),
  url: z
    .url({ protocol: /^https?$/, hostname: /.+/ })
    .refine((url) => !hasLogin(url), {
      error: 'The URL holds a user name or a password.',
      params: { cure: 'Remove it; a key goes into "key", as where it lies.' },
    })
    .transform(withoutTail)
    .describe('base URL, with or without /v1')
    .meta({ examples: ['http://box:8000', 'https://api.example.com/v1'] }),
  key: GatewaySecret.optional().describe('where its API key lies'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe('path of the authorities (PEM) that its certificate may come from, in place of the usual ones'),
  servedModel: z
    .string()
    .min(1)
    .optional()
    .describe('model name it wants; by default the name the client sent'),
  slots: z.int().positive().optional().describe('requests sent to it at once; by default no limit'),
  endpoints: EndpointPaths.optional(),
  streamUsage: z
    .boolean()
    .default(true)
    .describe(
      'ask for the count of tokens at the end of a stream (stream_options); false for servers that refuse it',
    ),
  healthPath: z.string().startsWith('/').optional().describe('path that answers 2xx when it is well'),
  metricsPath: z
    .string()
    .startsWith('/')
    .optional()
    .describe('path of its own figures, such as "/metrics" of vLLM or llama.cpp'),
});
export type OpenAiOptions = z.infer<typeof OpenAiOptions>;

/** What stands in a URL shows in status, plans and logs. */
function hasLogin(url: string): boolean {
  return /^https?:\/\/[^/?#]*@/i.test(url);
}

/** Users paste both forms of a base URL; the gateway adds /v1 itself. */
function withoutTail(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/v1$/, '');
}

/** Any server that speaks the OpenAI API. Berth routes to it, watches and measures it, and never starts or stops it. */
export const openai = {
  kind: 'openai',
  title: 'Any OpenAI-compatible server',
  paths: [],
  statedPaths: ({ endpoints }: OpenAiOptions) => endpoints,
  options: OpenAiOptions,
  external: (options) => ({
    url: options.url,
    key: options.key ?? null,
    servedModel: options.servedModel ?? null,
    slots: options.slots ?? null,
    healthPath: options.healthPath ?? null,
    caFile: options.ca ?? null,
    metricsPath: options.metricsPath ?? null,
    ...(options.streamUsage ? {} : { streamUsage: false as const }),
  }),
} as const satisfies Engine<'openai', OpenAiOptions>;
