import { entriesAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { textAt } from './conversion.ts';

/** By name, as they are written; each may use those before it. */
export type Macros = ReadonlyMap<string, string>;

/** Macros of a map, in the place of those around it that have the same name, which keep their turn. */
export function readMacros(piece: Located | null, outer: Macros): Macros {
  const macros = new Map(outer);
  for (const [name, value] of piece ? entriesAt(piece, ['macros']) : []) macros.set(name, textAt(value, []));
  return macros;
}

/**
 * A text with its macros filled in, the last one first: so a macro of the whole file has the model's own values of those that it uses.
 * `${PORT}`, `${env.NAME}` and names that are not known stay as they are.
 */
export function fillMacros(text: string, macros: Macros): string {
  return [...macros].reduceRight(
    (filled, [name, value]) => filled.replaceAll(`\${${name}}`, () => value),
    text,
  );
}

/** Variables of the environment that a text names. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(/\$\{env\.(\w+)\}/g)].map(([, name]) => name ?? '');
}
