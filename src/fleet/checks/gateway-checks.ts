import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { referenceFault } from '../file/references.ts';
import { pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf, isCluster } from './port-checks.ts';

/** What its objects are called, which no engine of the same place can be. */
const ownName = 'berth-gateway';

/** A gateway in a cluster: its place is one, its image is named, and keys that only count there stand with it. */
export function gatewayFaults(tree: Located, hosts: readonly string[]): ConfigFault[] {
  const host = pieceAt(tree, ['gateway', 'host']);
  if (!host) return [...withoutHost(tree, 'image'), ...withoutHost(tree, 'replicas')];
  const unknown = referenceFault(host, 'host', hosts);
  const name = scalarAt(host, []);
  if (unknown.length > 0 || typeof name !== 'string') return unknown;
  const faults: ConfigFault[] = [];
  if (!isCluster(tree, name))
    faults.push(
      fault(
        host,
        host.at,
        `Host ${name} is a machine, and there the gateway is opened by "berth up".`,
        'Name a host that is a cluster, or remove host.',
      ),
    );
  if (!pieceAt(tree, ['gateway', 'image']))
    faults.push(
      fault(
        host,
        host.keyAt,
        'The gateway in a cluster needs "image".',
        'Make it with the Containerfile ("npm run image") and name it as gateway.image.',
      ),
    );
  const taken = pieceAt(tree, ['deployments', ownName]);
  if (taken && hostOf(tree, taken) === name)
    faults.push(
      fault(taken, taken.keyAt, `The gateway in ${name} has the name ${ownName}.`, 'Choose another name.'),
    );
  return faults;
}

function withoutHost(tree: Located, key: string): ConfigFault[] {
  const piece = pieceAt(tree, ['gateway', key]);
  if (!piece) return [];
  return [
    fault(
      piece,
      piece.keyAt,
      `"${key}" counts for a gateway in a cluster alone.`,
      'Name the cluster as gateway.host, or remove it.',
    ),
  ];
}
