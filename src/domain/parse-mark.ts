import { Mark } from './instance.ts';
import { parseJson } from './json.ts';

/** Null where there is none, or one of another version of berth, which is left alone. */
export function parseMark(text: string | null | undefined): Mark | null {
  return Mark.safeParse(parseJson(text ?? '')).data ?? null;
}
