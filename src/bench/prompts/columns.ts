import { z } from 'zod';
import type { PromptUse } from '../../domain/prompt-use.ts';
import type { BenchPrompt, ChatMessage } from '../contract.ts';

const column = z.string().min(1).optional();

/** Which columns of a file hold what; without a word the usual names are looked for. */
export const ColumnOptions = z.strictObject({
  prompt: column.describe('Text of the prompt (prompt, text or question).'),
  messages: column.describe('Messages of a chat, a list of role and content (messages).'),
  system: column.describe('System prompt in front of the prompt.'),
  inputs: column.describe('A text, or a list of texts, to embed (input, inputs or texts).'),
  query: column.describe('What documents are ranked by (query).'),
  documents: column.describe('List of documents to rank (documents).'),
  output: column.describe('Output tokens to ask for (max_tokens or output_tokens).'),
});
export type Columns = z.infer<typeof ColumnOptions>;

export type Row = Readonly<Record<string, unknown>>;
export type RowPrompt =
  | { readonly prompt: BenchPrompt; readonly use: PromptUse }
  | { readonly fault: string };

const usual = {
  messages: ['messages'],
  documents: ['documents'],
  prompt: ['prompt', 'text', 'question'],
  inputs: ['input', 'inputs', 'texts'],
  query: ['query'],
  output: ['max_tokens', 'output_tokens'],
} as const;

/** What a prompt can be made of; of several in one row the first is it. */
const contents = ['messages', 'documents', 'prompt', 'inputs'] as const;

const Messages = z
  .array(z.object({ role: z.string(), content: z.unknown() }))
  .min(1)
  .refine((messages) => messages.every(({ content }) => content !== undefined));
const Texts = z.array(z.union([z.string(), z.object({ text: z.string() })])).min(1);

/** The columns that are read, where not all are wanted. */
export function wantedColumns(columns: Columns): readonly string[] {
  return [...new Set([...named(columns), ...Object.values(usual).flat()])];
}

/** The prompt of one row. A column that is named counts before the usual ones, and is to be there. */
export function promptOf(row: Row, columns: Columns, output: number): RowPrompt {
  const missing = named(columns).find((name) => !(name in row));
  if (missing !== undefined) return { fault: `it has no column "${missing}"` };
  const asked = lengthOf(row, columns, output);
  if (asked === null) return { fault: 'its output tokens are no whole number above 0' };
  const what =
    contents.find((each) => columns[each] !== undefined) ??
    contents.find((each) => valueOf(row, columns, each) !== undefined);
  if (what === undefined) return { fault: 'it has no prompt, messages, input or documents' };
  const bare = { promptTokens: { tokens: null, source: null }, outputTokens: asked } as const;
  const read = readers[what](valueOf(row, columns, what), row, columns);
  return 'fault' in read ? read : { prompt: { ...bare, ...read.prompt }, use: read.use };
}

type Read = { prompt: Pick<BenchPrompt, 'content' | 'texts' | 'query'>; use: PromptUse } | { fault: string };

const readers: Readonly<
  Record<(typeof contents)[number], (value: unknown, row: Row, columns: Columns) => Read>
> = {
  messages: (value) => {
    const parsed = Messages.safeParse(unpacked(value));
    return parsed.success
      ? { prompt: { content: parsed.data }, use: 'prompt' }
      : { fault: 'its messages are no list of role and content' };
  },
  prompt: (value, row, { system }) => {
    const text = textOf(value);
    if (text === null) return { fault: 'its prompt is no text' };
    const before = system === undefined ? null : textOf(row[system]);
    const messages: ChatMessage[] = [
      ...(before === null ? [] : [{ role: 'system', content: before }]),
      { role: 'user', content: text },
    ];
    return { prompt: { content: before === null ? text : messages }, use: 'prompt' };
  },
  inputs: (value) => {
    const texts = textsOf(value);
    return texts === null
      ? { fault: 'its input is no text and no list of texts' }
      : { prompt: { content: texts[0] as string, texts }, use: 'inputs' };
  },
  documents: (value, row, columns) => {
    const texts = textsOf(value);
    const query = textOf(valueOf(row, columns, 'query'));
    if (texts === null) return { fault: 'its documents are no list of texts' };
    if (query === null) return { fault: 'it has documents and no query' };
    return { prompt: { content: query, query, texts }, use: 'ranking' };
  },
};

function named(columns: Columns): string[] {
  return Object.values(columns).filter((name) => name !== undefined);
}

function valueOf(row: Row, columns: Columns, what: keyof typeof usual): unknown {
  const names = columns[what] === undefined ? usual[what] : [columns[what]];
  return names
    .map((name) => row[name])
    .find((value) => value !== undefined && value !== null && value !== '');
}

/** Null: it is none that could be asked for. */
function lengthOf(row: Row, columns: Columns, output: number): number | null {
  const value = valueOf(row, columns, 'output');
  if (value === undefined) return output;
  const length = Number(value);
  return Number.isSafeInteger(length) && length > 0 ? length : null;
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : null;
}

function textsOf(value: unknown): string[] | null {
  const parsed = Texts.safeParse(unpacked(value));
  if (parsed.success) return parsed.data.map((each) => (typeof each === 'string' ? each : each.text));
  const text = textOf(value);
  return text === null ? null : [text];
}

/** A list in a cell that can hold text alone is written as JSON. */
function unpacked(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith('[')) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
