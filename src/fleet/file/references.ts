import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { nearest } from '../../domain/nearest.ts';
import { fault } from './fault.ts';
import type { Located } from './tree.ts';

/** A name that must stand somewhere else in the file. What is no text at all is the schema's affair. */
export function referenceFault(piece: Located, what: string, known: readonly string[]): ConfigFault[] {
  const name = piece.content.kind === 'scalar' ? piece.content.value : null;
  if (typeof name !== 'string' || known.includes(name)) return [];
  const close = nearest(name, known);
  const list = known.length === 0 ? `There is no ${what} in the file.` : `There is: ${known.join(', ')}.`;
  const cure = close ? `Did you mean "${close}"? ${list}` : list;
  return [fault(piece, piece.at, `There is no ${what} "${name}".`, cure)];
}
