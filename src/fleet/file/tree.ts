import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, Pair, ParsedNode, YAMLParseError } from 'yaml';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * A piece of a fleet file that knows where it stands. Files laid over each other and defaults keep the places of their pieces,
 * so `path` is where the piece was written, not where it ended up.
 */
export interface Located {
  readonly file: string;
  readonly path: readonly string[];
  /** Of the value, and of its key (the value's own for the root and for list items). */
  readonly at: Position;
  readonly keyAt: Position;
  /** A path that was written with `~`, and so is one of this machine. */
  readonly ofHome?: boolean;
  readonly content:
    | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Located> }
    | { readonly kind: 'list'; readonly items: readonly Located[] }
    | { readonly kind: 'scalar'; readonly value: unknown };
}

/** Aliases may repeat content; this many pieces in one file is no fleet but an attack. */
const maxPieces = 200_000;

interface Reading {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
  readonly faults: ConfigFault[];
  pieces: number;
  /** What the aliases on the way down stand for. */
  readonly within: Set<Node>;
}

/** Behind the first faults of syntax come those that they cause: of a file that is no YAML at all, one for every line. */
const mostSyntaxFaults = 5;

/** Reads one YAML text. With faults of syntax there is no tree; duplicate keys are faults, and the first of them counts. */
export function readTree(file: string, text: string): { tree: Located | null; faults: ConfigFault[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const faults: ConfigFault[] = document.errors.slice(0, mostSyntaxFaults).map((error) => ({
    file,
    ...position(lines, error.pos[0]),
    path: '',
    ...syntaxText(error),
  }));
  if (faults.length > 0) return { tree: null, faults };
  for (const warning of document.warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED'))
    faults.push({
      file,
      ...position(lines, warning.pos[0]),
      path: '',
      message: 'A fleet file has no tags of its own.',
      cure: 'Write the plain value without what begins with "!".',
    });
  const reading: Reading = { file, document, lines, faults, pieces: 0, within: new Set() };
  const start = { line: 1, column: 1 };
  const tree = toLocated(reading, document.contents, [], start);
  return { tree: { ...tree, keyAt: start }, faults };
}

function syntaxText(error: YAMLParseError): { message: string; cure: string } {
  if (error.code === 'MULTIPLE_DOCS')
    return {
      message: 'A second YAML document begins here.',
      cure: 'A fleet file is one document: put the rest into a file of its own and name it in imports.',
    };
  return {
    message: `Not YAML: ${error.message.replace(/\.?$/, '.')}`,
    cure: 'Correct the syntax; the faults behind it can be told only then.',
  };
}

function position(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function toLocated(
  reading: Reading,
  node: Node | ParsedNode | null,
  path: readonly string[],
  keyAt: Position,
): Located {
  reading.pieces += 1;
  const own = node?.range ? position(reading.lines, node.range[0]) : keyAt;
  const base = { file: reading.file, path, at: own, keyAt };
  if (reading.pieces > maxPieces) return { ...base, content: { kind: 'scalar', value: null } };
  if (isAlias(node)) {
    const target = node.resolve(reading.document) ?? null;
    if (target !== null && reading.within.has(target)) {
      reading.faults.push({
        file: reading.file,
        ...own,
        path: path.join('.'),
        message: `*${node.source} stands within what it repeats.`,
        cure: 'Write out what is meant here.',
      });
      return { ...base, content: { kind: 'scalar', value: null } };
    }
    if (target === null)
      reading.faults.push({
        file: reading.file,
        ...own,
        path: path.join('.'),
        message: `Nothing before this is named &${node.source}.`,
        cure: 'Name it there, or write out what is meant here.',
      });
    if (target !== null) reading.within.add(target);
    const located = toLocated(reading, target, path, keyAt);
    if (target !== null) reading.within.delete(target);
    return { ...located, at: own };
  }
  if (isMap(node))
    return { ...base, content: { kind: 'map', entries: toEntries(reading, node.items, path) } };
  if (isSeq(node)) {
    const items = node.items.map((item, i) => {
      const itemNode = item as Node | null;
      const itemAt = itemNode?.range ? position(reading.lines, itemNode.range[0]) : own;
      return toLocated(reading, itemNode, [...path, String(i)], itemAt);
    });
    return { ...base, content: { kind: 'list', items } };
  }
  const value = isScalar(node) ? node.value : null;
  // A key with nothing behind it has no place of its own.
  const empty = value === null && (node?.range ? node.range[0] === node.range[1] : true);
  return { ...base, at: empty ? keyAt : own, content: { kind: 'scalar', value } };
}

function toEntries(
  reading: Reading,
  pairs: readonly Pair[],
  path: readonly string[],
): ReadonlyMap<string, Located> {
  const entries = new Map<string, Located>();
  for (const pair of pairs) {
    const keyNode = pair.key as Node | null;
    const keyAt = keyNode?.range ? position(reading.lines, keyNode.range[0]) : { line: 1, column: 1 };
    const key = isScalar(keyNode) ? String(keyNode.value) : '';
    if (entries.has(key)) {
      const first = entries.get(key) as Located;
      reading.faults.push({
        file: reading.file,
        ...keyAt,
        path: [...path, key].join('.'),
        message: `"${key}" stands here twice; it was first in line ${first.keyAt.line}.`,
        cure: 'Remove one of them.',
      });
      continue;
    }
    // The schema would pass over it.
    if (key === '__proto__')
      reading.faults.push({
        file: reading.file,
        ...keyAt,
        path: [...path, key].join('.'),
        message: `"${key}" cannot be a key.`,
        cure: 'Give it another name.',
      });
    entries.set(key, toLocated(reading, pair.value as Node | null, [...path, key], keyAt));
  }
  return entries;
}

/** Lays one tree over another: maps are merged key by key, `null` takes a key away, anything else is replaced. */
export function overlay(under: Located, over: Located): Located {
  if (under.content.kind !== 'map' || over.content.kind !== 'map') return over;
  const entries = new Map(under.content.entries);
  for (const [key, value] of over.content.entries) {
    const below = entries.get(key);
    if (below && value.content.kind === 'scalar' && value.content.value === null) entries.delete(key);
    else entries.set(key, below ? overlay(below, value) : value);
  }
  return { ...over, content: { kind: 'map', entries } };
}

/** The piece at a path, or null. */
export function pieceAt(tree: Located | null, path: readonly (string | number)[]): Located | null {
  let piece: Located | null = tree;
  for (const step of path) {
    if (piece === null) return null;
    if (piece.content.kind === 'map') piece = piece.content.entries.get(String(step)) ?? null;
    else if (piece.content.kind === 'list') piece = piece.content.items[Number(step)] ?? null;
    else return null;
  }
  return piece;
}

/** Entries of the map at a path; none when there is no map. */
export function entriesAt(tree: Located | null, path: readonly string[]): [string, Located][] {
  const piece = pieceAt(tree, path);
  return piece?.content.kind === 'map' ? [...piece.content.entries] : [];
}

/** The scalar at a path; undefined when there is none. */
export function scalarAt(tree: Located | null, path: readonly string[]): unknown {
  const piece = pieceAt(tree, path);
  return piece?.content.kind === 'scalar' ? piece.content.value : undefined;
}

/** The tree with the map entry at `key` changed or added. */
export function withEntry(map: Located, key: string, value: Located): Located {
  if (map.content.kind !== 'map') return map;
  return { ...map, content: { kind: 'map', entries: new Map(map.content.entries).set(key, value) } };
}

/** The plain value, as a schema wants it. */
export function toPlain(tree: Located): unknown {
  const { content } = tree;
  if (content.kind === 'scalar') return content.value;
  if (content.kind === 'list') return content.items.map(toPlain);
  const plain: Record<string, unknown> = {};
  for (const [key, piece] of content.entries) Object.defineProperty(plain, key, own(toPlain(piece)));
  return plain;
}

/** Defines instead of assigning, so that a key named __proto__ is only a key. */
function own(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true, writable: true };
}

/** What a text becomes. */
export interface ChangedText {
  readonly value: string;
  readonly ofHome?: boolean;
}

/** Changes every text that is a value, each with the piece that it stands in. */
export function changeScalars(tree: Located, change: (piece: Located, text: string) => ChangedText): Located {
  const { content } = tree;
  if (content.kind === 'scalar') {
    if (typeof content.value !== 'string') return tree;
    const { value, ...more } = change(tree, content.value);
    return { ...tree, ...more, content: { kind: 'scalar', value } };
  }
  if (content.kind === 'list') {
    const items = content.items.map((item) => changeScalars(item, change));
    return { ...tree, content: { kind: 'list', items } };
  }
  const entries = new Map([...content.entries].map(([key, piece]) => [key, changeScalars(piece, change)]));
  return { ...tree, content: { kind: 'map', entries } };
}
