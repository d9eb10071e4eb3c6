import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import type { World } from '../../io/world.ts';
import { fault } from '../file/fault.ts';
import { pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** A certificate, key or authority that cannot be used is told at its place, before anything starts. */
export async function tlsFaults(world: World, tree: Located): Promise<ConfigFault[]> {
  const tls = pieceAt(tree, ['gateway', 'tls']);
  const [cert, key, clientCa] = ['cert', 'key', 'clientCa'].map((name) => scalarAt(tls ?? null, [name]));
  // What is missing or no text is told by the schema.
  if (!tls || typeof cert !== 'string' || typeof key !== 'string') return [];
  const { readTls } = await import('../../io/tls/material.ts');
  const clientCaFile = typeof clientCa === 'string' ? clientCa : null;
  try {
    await readTls(world.files, { certFile: cert, keyFile: key, clientCaFile }, world.clock.wall());
    return [];
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'TLS_UNUSABLE') throw error;
    const { setting, path, reason, cure } = (error as BerthError<'TLS_UNUSABLE'>).facts;
    const piece = pieceAt(tls, [setting]) ?? tls;
    return [fault(piece, piece.at, `${path} cannot be used: ${reason}.`, cure)];
  }
}
