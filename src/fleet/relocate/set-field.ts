import { isDeepStrictEqual } from 'node:util';
import { isCollection, isMap, isScalar, parseDocument, stringify } from 'yaml';
import type { Document, Pair, YAMLMap } from 'yaml';

type Path = readonly string[];

/**
 * A fleet file in which the field at `path` has this value, or is gone (`undefined`); every other line stays as it is, byte for
 * byte, with its comments. Where a file is written so that this cannot be done, it is written anew as a whole. Pure.
 */
export function setField(text: string, path: Path, value: unknown): string {
  const wanted = parseDocument(text);
  const before = wanted.toJS() as unknown;
  if (value === undefined) wanted.deleteIn(path);
  else wanted.setIn(path, wanted.createNode(value));
  const after = wanted.toJS() as unknown;
  if (isDeepStrictEqual(before, after)) return text;
  const edited = splice(text, path, value);
  return edited !== null && isDeepStrictEqual(plain(edited), after) ? edited : String(wanted);
}

function plain(text: string): unknown {
  const document = parseDocument(text);
  return document.errors.length > 0 ? null : document.toJS();
}

/** Null where nothing is there that it could be put into. */
function splice(text: string, path: Path, value: unknown): string | null {
  const document = parseDocument(text);
  const key = path.at(-1) ?? '';
  const parent = parentOf(document, path);
  if (!parent) return null;
  const pair = parent.items.find((one) => isScalar(one.key) && one.key.value === key);
  if (value === undefined) return pair ? without(text, parent, pair) : null;
  return pair ? replaced(text, pair, value) : added(text, parent, key, value);
}

function parentOf(document: Document, path: Path): YAMLMap | null {
  const node = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  return isMap(node) ? node : null;
}

function inline(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
}

/** Start and end of a pair: of its key, and of its value. */
function spanOf({ key, value }: Pair): { from: number; keyEnd: number; at: number; to: number } | null {
  const keyRange = isScalar(key) ? key.range : null;
  const range = (value as { range?: [number, number, number] } | null)?.range;
  if (!keyRange || !range) return null;
  return { from: keyRange[0], keyEnd: keyRange[1], at: range[0], to: range[1] };
}

function replaced(text: string, pair: Pair, value: unknown): string | null {
  const span = spanOf(pair);
  if (!span) return null;
  const block = isCollection(pair.value) && !pair.value.flow;
  // Where nothing is said, not even a space is.
  const space = text[span.at - 1] === ':' ? ' ' : '';
  if (!block) return text.slice(0, span.at) + space + inline(value) + text.slice(span.to);
  // It ends with the line break of its last line.
  const end = text[span.to - 1] === '\n' ? span.to - 1 : span.to;
  return `${text.slice(0, span.keyEnd)}: ${inline(value)}${text.slice(end)}`;
}

function added(text: string, parent: YAMLMap, key: string, value: unknown): string | null {
  const line = `${key}: ${inline(value)}`;
  const [start = 0, end = 0] = parent.range ?? [];
  if (parent.flow) {
    if (parent.items.length === 0) return `${text.slice(0, start)}{${line}}${text.slice(end)}`;
    const last = lastEnd(parent);
    return last === null ? null : `${text.slice(0, last)}, ${line}${text.slice(last)}`;
  }
  const [first] = parent.items;
  const span = first ? spanOf(first) : null;
  if (!span) return null;
  const column = span.from - (text.lastIndexOf('\n', span.from - 1) + 1);
  // Before its first field, where no comment of another one stands between.
  return `${text.slice(0, span.from)}${line}\n${' '.repeat(column)}${text.slice(span.from)}`;
}

function lastEnd(map: YAMLMap): number | null {
  const last = map.items.at(-1);
  return (last ? spanOf(last)?.to : null) ?? null;
}

function without(text: string, parent: YAMLMap, pair: Pair): string | null {
  const span = spanOf(pair);
  if (!span) return null;
  if (!parent.flow) {
    const head = withoutAdopted(text.slice(0, text.lastIndexOf('\n', span.from - 1) + 1));
    const end = text[span.to - 1] === '\n' ? span.to - 1 : span.to;
    const next = text.indexOf('\n', end);
    return head + (next < 0 ? '' : text.slice(next + 1));
  }
  const at = parent.items.indexOf(pair);
  const before = at > 0 ? spanOf(parent.items[at - 1] as Pair) : null;
  const after = at + 1 < parent.items.length ? spanOf(parent.items[at + 1] as Pair) : null;
  if (before) return text.slice(0, before.to) + text.slice(span.to);
  return text.slice(0, span.from) + text.slice(after?.from ?? span.to);
}

/** Comments are those of whoever wrote them and stay, but for the one that `berth adopt` wrote above what is taken out. */
function withoutAdopted(head: string): string {
  return head.replace(/(^|\n)[ \t]*# Adopted, from [^\n]*\n$/, '$1');
}
