import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Dataset, PromptServer, PromptSource } from '../contract.ts';
import { fileOptions, filePrompts, textOf } from '../prompts/file-prompts.ts';
import { jsonRows } from '../prompts/json-rows.ts';
import type { NumberedRow } from '../prompts/file-prompts.ts';

const Options = z.strictObject({
  kind: z.literal('jsonl'),
  file: z
    .string()
    .min(1)
    .describe(
      'One JSON object a line, or a JSON list of them, with "prompt" or "messages", and "max_tokens" if it differs.',
    ),
  ...fileOptions,
});
type Options = z.infer<typeof Options>;

async function open(options: Options, server: PromptServer): Promise<PromptSource> {
  const { file: path, columns, output } = options;
  const text = await textOf(server.readFile, path);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return filePrompts(rowsOf(text), { path, sha256, columns, output });
}

function* rowsOf(text: string): Generator<NumberedRow> {
  for (const found of jsonRows(text)) {
    if ('fault' in found) yield found;
    else if ('conversations' in found.value)
      yield { at: found.at, fault: 'it is a conversation of ShareGPT: say kind=sharegpt,file=…' };
    else yield { at: found.at, row: found.value };
  }
}

/** Prompts of the user's own, in the order of the file. */
export const jsonl: Dataset<'jsonl', Options> = {
  kind: 'jsonl',
  title: 'prompts from a JSON-lines file',
  options: Options,
  open,
};
