import { entriesAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { textAt } from './conversion.ts';

export type Macros = ReadonlyMap<string, string>;

/** Macros of a map, over those around it; each may use those before it. */
export function readMacros(piece: Located | null, outer: Macros): Macros {
  const macros = new Map(outer);
  for (const [name, value] of piece ? entriesAt(piece, ['macros']) : [])
    macros.set(name, fillMacros(textAt(value, []), macros));
  return macros;
}

/** A text with its macros filled in; `${PORT}`, `${env.NAME}` and names that are not known stay as they are. */
export function fillMacros(text: string, macros: Macros): string {
  return text.replace(/\$\{([\w-]+)\}/g, (whole, name: string) => macros.get(name) ?? whole);
}

/** Variables of the environment that a text names. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(/\$\{env\.(\w+)\}/g)].map(([, name]) => name ?? '');
}
