import { z } from 'zod';
import { readAnswer } from '../answer.ts';
import { plainText } from '../prompts/plain-text.ts';
import type { BenchEndpoint } from './contract.ts';

const Options = z.strictObject({ kind: z.literal('completions') });

/** A text that is gone on with. */
export const completions: BenchEndpoint<'completions', z.infer<typeof Options>> = {
  kind: 'completions',
  title: 'completions of a text',
  path: '/v1/completions',
  options: Options,
  generates: true,
  countsTexts: true,
  leastOutput: 1,
  body: ({ model, prompt, stream, streamUsage, temperature }) => ({
    model,
    prompt: plainText(prompt.content),
    ...(prompt.outputTokens === null ? {} : { max_tokens: prompt.outputTokens }),
    ...(temperature === null ? {} : { temperature }),
    stream,
    ...(stream && streamUsage ? { stream_options: { include_usage: true } } : {}),
  }),
  read: readAnswer,
};
