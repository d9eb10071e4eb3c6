import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import type { Located, Position } from './tree.ts';

/** A fault at a place of a piece: its own, or that of its key. */
export function fault(piece: Located, at: Position, message: string, cure: string): ConfigFault {
  return { file: piece.file, ...at, path: piece.path.join('.'), message, cure };
}
