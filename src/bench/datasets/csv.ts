import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { z } from 'zod';
import type { Dataset, PromptServer, PromptSource } from '../contract.ts';
import { csvRecords } from '../prompts/csv.ts';
import { fileOptions, filePrompts, textOf } from '../prompts/file-prompts.ts';
import type { NumberedRow } from '../prompts/file-prompts.ts';

const Options = z.strictObject({
  kind: z.literal('csv'),
  file: z
    .string()
    .min(1)
    .describe(
      'A first line with the names of the columns, then a prompt a record; lists in a cell are JSON.',
    ),
  separator: z
    .string()
    .length(1)
    .optional()
    .describe('What stands between cells (default a comma, of a .tsv file a tab).'),
  ...fileOptions,
});
type Options = z.infer<typeof Options>;

async function open(options: Options, server: PromptServer): Promise<PromptSource> {
  const { file: path, columns, output } = options;
  const separator = options.separator ?? (extname(path).toLowerCase() === '.tsv' ? '\t' : ',');
  const text = await textOf(server.readFile, path);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return filePrompts(rowsOf(text, separator), { path, sha256, columns, output });
}

function* rowsOf(text: string, separator: string): Generator<NumberedRow> {
  let names: readonly string[] | null = null;
  for (const { line: at, cells, open: unclosed } of csvRecords(text, separator)) {
    if (unclosed) yield { at, fault: 'a quote is never closed' };
    else if (names === null) names = cells.map((name) => name.trim());
    else if (cells.length !== names.length)
      yield { at, fault: `it has ${cells.length} cells, and there are ${names.length} columns` };
    else yield { at, row: Object.fromEntries(names.map((name, i) => [name, cells[i]])) };
  }
}

/** Prompts of the user's own, a record each. */
export const csv: Dataset<'csv', Options> = {
  kind: 'csv',
  title: 'prompts from a CSV file',
  options: Options,
  open,
};
