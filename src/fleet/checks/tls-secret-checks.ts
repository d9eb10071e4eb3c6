import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { pieceAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { openAddresses } from './key-checks.ts';

/** Only pods are given a Secret of their cluster: addresses of this machine that others reach want a certificate here. Pure. */
export function tlsSecretFaults(tree: Located): ConfigFault[] {
  const secret = pieceAt(tree, ['gateway', 'tls', 'secret']);
  if (!secret) return [];
  if (pieceAt(tree, ['gateway', 'host']) === null)
    return [
      fault(
        secret,
        secret.at,
        'A Secret of a cluster is given to its pods alone, and the gateway runs on this machine.',
        'Write cert and key, or name a cluster as gateway.host.',
      ),
    ];
  if (pieceAt(tree, ['gateway', 'tls', 'cert'])) return [];
  return openAddresses(tree).map(({ piece, address }) =>
    fault(
      piece,
      piece.at,
      `"berth up" would serve at ${address} without TLS, since gateway.tls.secret is for pods alone.`,
      'Listen on 127.0.0.1, or write cert and key as well.',
    ),
  );
}
