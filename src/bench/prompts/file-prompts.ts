import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { BenchPrompt, PromptSource } from '../contract.ts';
import { ColumnOptions, promptOf } from './columns.ts';
import type { Columns, Row } from './columns.ts';
import type { PromptUse } from '../../domain/prompt-use.ts';

/** What every file of prompts can be told. */
export const fileOptions = {
  output: z.int().positive().default(128).describe('Output tokens asked for where the file does not say.'),
  columns: ColumnOptions.default({}).describe('Which columns hold what, where they are not called as usual.'),
};

/** A row by its number, as people count in such a file, or why it is none. */
export type NumberedRow = { readonly at: number } & ({ readonly row: Row } | { readonly fault: string });

/** The prompts of a file in its order, from the start again after the last. Throws PROMPTS_INVALID with every fault. */
export function filePrompts(
  rows: Iterable<NumberedRow>,
  file: { path: string; sha256: string | null; columns: Columns; output: number },
): PromptSource {
  const { path, sha256, columns, output } = file;
  const prompts: BenchPrompt[] = [];
  const uses = new Set<PromptUse>();
  const faults: string[] = [];
  for (const numbered of rows) {
    const read = 'fault' in numbered ? numbered : promptOf(numbered.row, columns, output);
    if ('fault' in read) faults.push(`${numbered.at}: ${read.fault}`);
    else {
      prompts.push(read.prompt);
      uses.add(read.use);
    }
  }
  if (prompts.length === 0 && faults.length === 0) faults.push('1: it has no prompt');
  if (faults.length > 0) throw new BerthError('PROMPTS_INVALID', { path, faults });
  const digest = sha256 === null ? '' : ` (SHA-256 ${sha256})`;
  return {
    at: (id) => prompts[id % prompts.length] as BenchPrompt,
    templateTokens: null,
    uses: [...uses],
    notes: [`${prompts.length} prompts of ${path}${digest}; after the last one the first is sent again.`],
  };
}

/** The text of a file of prompts. Throws FILE_MISSING. */
export async function textOf(read: (path: string) => Promise<string | null>, path: string): Promise<string> {
  const text = await read(path);
  if (text === null) throw new BerthError('FILE_MISSING', { path, what: 'file of prompts' });
  return text.replace(/^\uFEFF/, '');
}
