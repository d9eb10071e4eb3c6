import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { LaunchSpec } from '../../domain/launch-spec.ts';

export type Fetched = NonNullable<LaunchSpec['fetched']>;

/** What is fetched by itself: a model, or a file that lies beside it. All paths are below the claim's own folder. */
export interface Piece {
  readonly from: string;
  readonly folder: string;
  /** Where `berth pull` puts it; absent: another program fetches into the folder. */
  readonly pulledTo?: string | undefined;
  /** SHA-256 of files, by their path in the folder. */
  readonly sums?: Readonly<Record<string, string>> | undefined;
  /** File that only a whole fetch leaves. */
  readonly mark: string;
}

/** The files beside a model, and last the model itself. Pure. */
export function piecesOf({ from, folder, sums, pulledTo, also = [] }: Fetched): Piece[] {
  const beside = also.map(({ from: source, path }) => {
    const name = posix.relative(folder, path);
    const sum = sums?.[name];
    return withMark({
      from: source,
      folder: posix.dirname(path) === '.' ? '' : posix.dirname(path),
      pulledTo: pulledTo === undefined ? undefined : path,
      sums: sum === undefined ? undefined : { [posix.basename(path)]: sum },
    });
  });
  const others = new Set(also.map(({ path }) => posix.relative(folder, path)));
  const own = Object.entries(sums ?? {}).filter(([name]) => !others.has(name));
  return [
    ...beside,
    withMark({ from, folder, pulledTo, sums: own.length === 0 ? undefined : Object.fromEntries(own) }),
  ];
}

/** With other sums it has to be looked at again. */
function withMark(piece: Omit<Piece, 'mark'>): Piece {
  const { from, folder, sums, pulledTo } = piece;
  const stated = sums === undefined ? [] : [sums];
  // One folder may hold one source under two names.
  const what = pulledTo === undefined ? [from, ...stated] : [from, pulledTo, ...stated];
  const mark = `.berth-${hashOf(what.length === 1 ? from : JSON.stringify(what))}`;
  return { ...piece, mark: posix.join(folder, mark) };
}

/** Tells texts apart in names. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
