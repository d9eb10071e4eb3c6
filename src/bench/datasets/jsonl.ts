import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { BenchPrompt, Dataset, PromptServer, PromptSource } from '../contract.ts';

const Options = z.strictObject({
  kind: z.literal('jsonl'),
  file: z
    .string()
    .min(1)
    .describe('One JSON object a line with "prompt" or "messages", and "max_tokens" if it differs.'),
  output: z.int().positive().default(128).describe('Output tokens asked for where a line does not say.'),
});
type Options = z.infer<typeof Options>;

const Line = z.union([
  z.object({ prompt: z.string(), max_tokens: z.int().positive().optional() }),
  z.object({
    messages: z.array(z.object({ role: z.string(), content: z.unknown() })).min(1),
    max_tokens: z.int().positive().optional(),
  }),
]);

async function open(options: Options, server: PromptServer): Promise<PromptSource> {
  const text = await server.readFile(options.file);
  if (text === null) throw new BerthError('FILE_MISSING', { path: options.file, what: 'file of prompts' });
  const prompts = text
    .split('\n')
    .flatMap((line, i) => (line.trim() === '' ? [] : [read(line, i + 1, options)]));
  if (prompts.length === 0)
    throw new BerthError('PROMPTS_INVALID', { path: options.file, line: 1, reason: 'it has no prompt' });
  return {
    at: (id) => prompts[id % prompts.length] as BenchPrompt,
    templateTokens: null,
    notes: [`${prompts.length} prompts of ${options.file}; after the last one the first is sent again.`],
  };
}

function read(line: string, number: number, options: Options): BenchPrompt {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new BerthError('PROMPTS_INVALID', { path: options.file, line: number, reason: 'it is not JSON' });
  }
  const parsed = Line.safeParse(value);
  if (!parsed.success)
    throw new BerthError('PROMPTS_INVALID', {
      path: options.file,
      line: number,
      reason: 'it has neither "prompt" nor "messages"',
    });
  return {
    content: 'prompt' in parsed.data ? parsed.data.prompt : parsed.data.messages,
    promptTokens: { tokens: null, source: null },
    outputTokens: parsed.data.max_tokens ?? options.output,
  };
}

/** Prompts of the user's own, in the order of the file. */
export const jsonl: Dataset<'jsonl', Options> = {
  kind: 'jsonl',
  title: 'prompts from a JSON-lines file',
  options: Options,
  open,
};
