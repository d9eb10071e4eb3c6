import { isMap, isScalar, parseDocument, stringify } from 'yaml';
import type { YAMLMap } from 'yaml';
import type { Entry } from './entries.ts';

/** A fleet file with these entries added; every other line stays as it is, byte for byte. Pure. */
export function withEntries(text: string, entries: readonly Entry[], host: string | null): string {
  let edited = text;
  for (const { name, model, deployment, from } of entries) {
    if (model) {
      const { name: _, ...files } = model;
      edited = put(edited, { top: 'models', name, value: files, comment: null });
    }
    const reached = (deployment['engine'] as { kind?: string }).kind === 'openai';
    edited = put(edited, {
      top: 'deployments',
      name,
      value: host === null || reached ? deployment : { ...deployment, host },
      comment: `Adopted, from ${from}: ${reached ? 'only reached' : 'it runs on as it was started'}.`,
    });
  }
  return edited;
}

interface Addition {
  readonly top: string;
  readonly name: string;
  readonly value: unknown;
  readonly comment: string | null;
}

/** Behind the last entry of the map at `top`, in the indentation that is usual there; a map that is missing is added at the end. */
function put(text: string, addition: Addition): string {
  const document = parseDocument(text);
  const map = document.get(addition.top);
  if (!isMap(map)) return withoutEmpty(text, addition.top) + `${addition.top}:\n${block(addition, 2)}`;
  const [start, end] = map.range ?? [0, 0];
  if (map.flow) {
    const known = map.items.length === 0 ? '' : indent(stringify(map.toJSON(), { lineWidth: 0 }), 2);
    const line = lineEnd(text, end);
    return `${text.slice(0, start).trimEnd()}\n${known}${block(addition, 2)}${text.slice(end, line).trim() === '' ? text.slice(Math.min(line + 1, text.length)) : text.slice(end)}`;
  }
  const at = lineEnd(text, lastEnd(map));
  const before = text.slice(0, at);
  const rest = text.slice(at + 1);
  return `${before}\n${block(addition, columnOf(text, map))}${rest}`;
}

/** A key with nothing behind it ("models:") would stand twice. */
function withoutEmpty(text: string, top: string): string {
  const kept = text.replace(new RegExp(`^${top}:[ \\t]*(#.*)?\\n?`, 'm'), '');
  return kept === '' || kept.endsWith('\n') ? kept : `${kept}\n`;
}

function block({ name, value, comment }: Addition, column: number): string {
  const head = comment === null ? '' : `# ${comment}\n`;
  return indent(head + stringify({ [name]: value }, { lineWidth: 0 }), column);
}

function indent(text: string, column: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(column));
}

function lastEnd(map: YAMLMap): number {
  const pair = map.items.at(-1);
  const value = pair?.value as { range?: [number, number, number] } | null | undefined;
  const key = isScalar(pair?.key) ? pair.key.range : null;
  return value?.range?.[1] ?? key?.[1] ?? map.range?.[1] ?? 0;
}

/** Where a line ends; a position behind its line break counts to the line before it. */
function lineEnd(text: string, position: number): number {
  const from = text[position - 1] === '\n' ? position - 1 : position;
  const at = text.indexOf('\n', from);
  return at < 0 ? text.length : at;
}

function columnOf(text: string, map: YAMLMap): number {
  const [first] = map.items;
  const start = (isScalar(first?.key) ? first.key.range?.[0] : undefined) ?? map.range?.[0] ?? 0;
  return start - (text.lastIndexOf('\n', start - 1) + 1);
}

/** What a file begins with where there is none. */
export function emptyFleetFile({ schema, fleet, id }: { schema: string; fleet: string; id: string }): string {
  return `# yaml-language-server: $schema=${schema}
# The fleet, as it was found running. "berth plan" shows what would be changed: nothing, until this file is.
version: 1
fleet: ${fleet}
# Tells this fleet apart from others of the same name. Keep it.
id: "${id}"
`;
}
