import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { textAt } from './conversion.ts';

/** More combinations than this are not written down. */
const mostSets = 64;

export type Sets = readonly (readonly string[])[];

/** Where newer files have both: only the one that `use` names counts, which is `group` where it is not said. */
const router = ['routing', 'router'];

/** What a file says of models that run together: either; older ones have them at the top. */
export function sharing(root: Located): { matrix: Located | null; groups: Located | null } {
  const older = { matrix: pieceAt(root, ['matrix']), groups: pieceAt(root, ['groups']) };
  if (older.matrix || older.groups) return older;
  const isMatrix = scalarAt(root, [...router, 'use']) === 'matrix';
  const used = pieceAt(root, [...router, 'settings', isMatrix ? 'matrix' : 'groups']);
  return isMatrix ? { matrix: used, groups: null } : { matrix: null, groups: used };
}

/**
 * Which models may run together, from a matrix or groups; null where the file has neither, or too many combinations. Names are those
 * of the file.
 */
export function setsOf(root: Located): { sets: Sets | null; refused: Located | null } {
  const { matrix, groups } = sharing(root);
  const models = new Set(entriesAt(root, ['models']).map(([name]) => name));
  const sets = unlike(matrix ? matrixSets(matrix, models) : groups ? groupSets(root, groups) : []);
  if (sets === null || sets.length > mostSets) return { sets: null, refused: matrix ?? groups };
  return { sets: sets.length === 0 ? null : sets, refused: null };
}

/** Each combination once. */
function unlike(sets: Sets | null): Sets | null {
  return sets && [...new Map(sets.map((set) => [set.toSorted().join('\0'), set])).values()];
}

/** Null when an expression cannot be read. */
function matrixSets(matrix: Located, models: ReadonlySet<string>): Sets | null {
  const vars = new Map(entriesAt(matrix, ['vars']).map(([name, one]) => [name, textAt(one, [])]));
  const texts = new Map(entriesAt(matrix, ['sets']).map(([name, one]) => [name, textAt(one, [])]));
  const all: (readonly string[])[] = [];
  for (const text of texts.values()) {
    const expanded = expand(text, { vars, models, texts, depth: 0 });
    if (expanded === null) return null;
    all.push(...expanded);
  }
  return all;
}

interface Names {
  readonly vars: ReadonlyMap<string, string>;
  /** They may be named themselves. */
  readonly models: ReadonlySet<string>;
  readonly texts: ReadonlyMap<string, string>;
  readonly depth: number;
}

/** All combinations of an expression of `&`, `|`, brackets, names, and `+set`. */
function expand(text: string, names: Names): Sets | null {
  const tokens = text.match(/[^\s&|()]+|[&|()]/g) ?? [];
  let at = 0;
  function either(): Sets | null {
    let found = both();
    while (found && tokens[at] === '|') {
      at += 1;
      const right = both();
      found = right && [...found, ...right];
    }
    return found;
  }
  function both(): Sets | null {
    let found = one();
    while (found && tokens[at] === '&') {
      at += 1;
      const right = one();
      found = right && product([found, right]);
    }
    return found;
  }
  function one(): Sets | null {
    const token = tokens[at];
    at += 1;
    if (token === '(') {
      const inner = either();
      at += 1;
      return tokens[at - 1] === ')' ? inner : null;
    }
    if (token?.startsWith('+')) {
      const other = names.texts.get(token.slice(1));
      return other === undefined || names.depth > 8
        ? null
        : expand(other, { ...names, depth: names.depth + 1 });
    }
    if (token === undefined) return null;
    const model = names.vars.get(token) ?? (names.models.has(token) ? token : undefined);
    return model === undefined ? null : [[model]];
  }
  const found = either();
  return at === tokens.length ? found : null;
}

function product(parts: readonly Sets[]): Sets {
  return parts.reduce<Sets>(
    (whole, part) => whole.flatMap((left) => part.map((right) => [...left, ...right])),
    [[]],
  );
}

/**
 * Of a group that swaps, one member at a time runs, else all. One that is exclusive runs with nothing but those that persist; the
 * others run side by side. Models in no group swap with each other and are exclusive.
 */
function groupSets(root: Located, groups: Located): Sets | null {
  const listed = entriesAt(groups, []).map(([, group]) => ({
    members: membersOf(group),
    swap: scalarAt(group, ['swap']) !== false,
    exclusive: scalarAt(group, ['exclusive']) !== false,
    persistent: scalarAt(group, ['persistent']) === true,
  }));
  const grouped = new Set(listed.flatMap((group) => group.members));
  const rest = entriesAt(root, ['models'])
    .map(([name]) => name)
    .filter((name) => !grouped.has(name));
  const all = [...listed, { members: rest, swap: true, exclusive: true, persistent: false }].filter(
    (group) => group.members.length > 0,
  );
  const persistent = all.filter((group) => group.persistent).map(choices);
  const beside = all.filter((group) => !group.persistent && !group.exclusive).map(choices);
  const alone = all.filter((group) => !group.persistent && group.exclusive).map(choices);
  const size = [...persistent, ...beside].reduce((count, part) => count * part.length, 1);
  if (size > mostSets) return null;
  const together = beside.length + persistent.length > 0 ? product([...beside, ...persistent]) : [];
  return [...together, ...alone.flatMap((part) => product([part, ...persistent]))];
}

function membersOf(group: Located): string[] {
  const members = pieceAt(group, ['members'])?.content;
  return (members?.kind === 'list' ? members.items : []).map((item) => textAt(item, []));
}

function choices({ members, swap }: { members: readonly string[]; swap: boolean }): Sets {
  return swap ? members.map((name) => [name]) : [members];
}
