import { ofHere } from '../given-files.ts';
import type { Arg } from '../launch-spec.ts';
import { writeFlag } from './flag-rows.ts';
import type { FlagRow } from './flag-rows.ts';

/** One flag on its way to the command line. `raw` words come from the user as they are; `optional` ones may be left out. */
export interface FlagUse {
  readonly flag: string;
  readonly values?: readonly Arg[];
  readonly optional?: boolean;
  readonly raw?: boolean;
}

/** What a build says of a flag: the name of its value ("N", "[on|off|auto]"; empty: a switch), and the description. */
export interface FlagHelp {
  readonly value: string;
  readonly text: string;
}

/** Flags that a build knows, by spelling. */
export type KnownFlags = ReadonlyMap<string, FlagHelp>;

/** The options of a table that are stated, in the table's order; files of the host stand in them as holes. */
export function flagUses(rows: readonly FlagRow[], stated: Readonly<Record<string, unknown>>): FlagUse[] {
  return rows.flatMap((row) => {
    const value = stated[row.option];
    if (value === undefined) return [];
    return writeFlag(row, value).map(({ flag, values }) => ({
      flag,
      ...(values.length > 0 ? { values: values.map((text) => fileArg(row, text)) } : {}),
    }));
  });
}

/** Words of the user, unchanged and in their order. */
export function rawUses(args: readonly string[]): FlagUse[] {
  return args.map((word) => ({ flag: word, raw: true }));
}

/** The part of a value that is a path becomes a hole, since it lies elsewhere in a container. */
function fileArg({ path }: FlagRow, text: string): Arg {
  if (path === undefined) return text;
  const { before, at, after } = splitPath(path, text);
  if (!at.startsWith('/') && !at.startsWith(ofHere)) return text;
  const parts = [before, { hole: 'file' as const, path: at }, after].filter((part) => part !== '');
  return parts.length === 1 ? { hole: 'file', path: at } : { parts };
}

function splitPath(
  path: NonNullable<FlagRow['path']>,
  text: string,
): { before: string; at: string; after: string } {
  if (path === 'before-colon') {
    const colon = text.lastIndexOf(':');
    return colon < 0
      ? { before: '', at: text, after: '' }
      : { before: '', at: text.slice(0, colon), after: text.slice(colon) };
  }
  const start = path === 'after-equals' ? text.indexOf('=') + 1 : 0;
  return { before: text.slice(0, start), at: text.slice(start), after: '' };
}
