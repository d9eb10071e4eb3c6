import { z } from 'zod';
import { parseJson } from '../../domain/json.ts';

export type JsonRow = { readonly at: number } & (
  | { readonly value: Record<string, unknown> }
  | { readonly fault: string }
);

const Whole = z.array(z.unknown());
const Fields = z.record(z.string(), z.unknown());

/** The objects of JSON lines, by their line, or of one JSON list, by their number in it. */
export function* jsonRows(text: string): Generator<JsonRow> {
  if (text.trimStart().startsWith('[')) {
    const list = Whole.safeParse(parseJson(text));
    if (!list.success) yield { at: 1, fault: 'it is not JSON' };
    else for (const [i, value] of list.data.entries()) yield objectOf(value, i + 1);
    return;
  }
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = parseJson(line);
    yield value === undefined ? { at: i + 1, fault: 'it is not JSON' } : objectOf(value, i + 1);
  }
}

function objectOf(value: unknown, at: number): JsonRow {
  const object = Fields.safeParse(value);
  return object.success ? { at, value: object.data } : { at, fault: 'it is no JSON object' };
}
