import { scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Something of the other program's file that has no counterpart here, or is not carried over as it stands. */
export interface Left {
  readonly line: number;
  readonly column: number;
  /** Where it stands, such as "models.a.filters". */
  readonly path: string;
  readonly reason: string;
}

/** A fleet file made from the file of another program. */
export interface Conversion {
  /** Which program the file is of. */
  readonly from: string;
  readonly fleet: FleetDraft;
  readonly left: readonly Left[];
}

/** The parts of a fleet file that a conversion fills; written as they are. */
export interface FleetDraft {
  readonly models: Record<string, { source: string; mmproj?: string }>;
  readonly deployments: Record<string, Record<string, unknown>>;
  readonly gateway: Record<string, unknown>;
}

export interface ConvertOptions {
  /** Folder of the file: relative paths are taken to count from there. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Leave = (piece: Located, reason: string) => void;

/** Collects what is left, each with its place. */
export function leftovers(): { left: Left[]; leave: Leave } {
  const left: Left[] = [];
  return {
    left,
    leave: ({ keyAt, path }, reason) =>
      void left.push({ line: keyAt.line, column: keyAt.column, path: path.join('.'), reason }),
  };
}

/** Leaves every key of a map that is not named in `known`; the reason comes from the table, or is the usual one. */
export function leaveUnknown(
  piece: Located | null,
  known: readonly string[],
  reasons: Readonly<Record<string, string>>,
  leave: Leave,
): void {
  if (piece?.content.kind !== 'map') return;
  for (const [key, entry] of piece.content.entries)
    if (!known.includes(key)) leave(entry, reasons[key] ?? 'Berth has nothing like it.');
}

/** Turns any text into a name that a fleet file takes, and never the same for two. */
export function namer(): (text: string) => string {
  const taken = new Set<string>();
  return (text) => {
    const plain = text
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 56)
      .replace(/[^a-z0-9]+$/, '');
    const base = plain === '' ? 'model' : plain;
    let name = base;
    for (let n = 2; taken.has(name); n += 1) name = `${base}-${n}`;
    taken.add(name);
    return name;
  };
}

/** "llm-key" as the name of an environment variable: LLM_KEY. */
export function variableName(text: string): string {
  return text
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^(?=\d)/, '_');
}

/** The text at a path; a number or a switch as it is written. Empty where there is none. */
export function textAt(tree: Located | null, path: readonly string[]): string {
  const value = scalarAt(tree, path);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? `${value}`
    : '';
}
