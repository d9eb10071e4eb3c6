import { z } from 'zod';
import { readAnswer } from '../answer.ts';
import type { BenchEndpoint } from './contract.ts';

const Options = z.strictObject({ kind: z.literal('chat') });

/** Messages, streamed or not. */
export const chat: BenchEndpoint<'chat', z.infer<typeof Options>> = {
  kind: 'chat',
  title: 'chat completions',
  path: '/v1/chat/completions',
  options: Options,
  generates: true,
  takes: ['prompt', 'images'],
  countsTexts: true,
  leastOutput: 1,
  body: ({ model, prompt, stream, streamUsage, temperature }) => ({
    model,
    messages:
      typeof prompt.content === 'string' ? [{ role: 'user', content: prompt.content }] : prompt.content,
    ...(prompt.outputTokens === null ? {} : { max_tokens: prompt.outputTokens }),
    ...(temperature === null ? {} : { temperature }),
    stream,
    ...(stream && streamUsage ? { stream_options: { include_usage: true } } : {}),
  }),
  read: readAnswer,
};
