import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { machineOf } from '../../domain/host-access.ts';
import { gatewayName, objectName } from '../../kube/names.ts';
import { unitNameOf } from '../../targets/systemd/render.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf } from './port-checks.ts';

/** A name that a replica takes for what is made for it. */
interface Claim {
  /** Two claims of one key and one name would overwrite each other. */
  readonly key: string;
  readonly name: string;
  readonly piece: Located;
  readonly deployment: string;
}

/** Two that would be made under one name, of which the later would overwrite the earlier: objects, units, ports of nodes. */
export function objectNameFaults(tree: Located): ConfigFault[] {
  const deployments = entriesAt(tree, ['deployments']);
  return [
    ...doubles(
      deployments.flatMap(([name, piece]) => objectClaims(name, piece)),
      (name, by) => `The name ${name} is taken twice: ${by} has it too.`,
      'Rename one of them: replicas of x are called x, x-1, x-2 and so on.',
    ),
    ...doubles(
      deployments.flatMap(([name, piece]) => unitClaims(tree, name, piece)),
      (name, by) => `The unit ${name} is named twice on this machine: ${by} has it too.`,
      'Give one of them another target.unit; of a unit of the system and one of a user by the same name, one file can have one.',
    ),
    ...doubles(
      deployments.flatMap(([name, piece]) => nodePortClaims(tree, name, piece)),
      (port, by) => `The port ${port} of the nodes is taken twice: ${by} has it too.`,
      'Give each its own nodePort, or remove it: then the cluster chooses one. Replicas cannot share one.',
    ),
    ...gatewayFaults(tree, deployments),
  ];
}

/** One fault for each deployment that meets an earlier claim, at the first name in which they meet. */
function doubles(
  claims: readonly Claim[],
  message: (name: string, by: string) => string,
  cure: string,
): ConfigFault[] {
  const first = new Map<string, Claim>();
  const told = new Set<string>();
  return claims.flatMap((claim) => {
    const id = `${claim.key} ${claim.name}`;
    const earlier = first.get(id);
    if (!earlier) {
      first.set(id, claim);
      return [];
    }
    if (told.has(claim.deployment)) return [];
    told.add(claim.deployment);
    const by = earlier.deployment === claim.deployment ? 'another of its replicas' : earlier.deployment;
    return [fault(claim.piece, claim.piece.keyAt, message(claim.name, by), cure)];
  });
}

function replicasOf(deployment: Located): number[] {
  const replicas = scalarAt(deployment, ['replicas']);
  const fits = typeof replicas === 'number' && replicas >= 1 && replicas <= 64;
  return Array.from({ length: fits ? replicas : 1 }, (_, replica) => replica);
}

/** Status, plan and rendered files call replicas so on every host. */
function objectClaims(deployment: string, piece: Located): Claim[] {
  return replicasOf(piece).map((replica) => ({
    key: '',
    name: objectName(deployment, replica),
    piece,
    deployment,
  }));
}

function unitClaims(tree: Located, deployment: string, own: Located): Claim[] {
  if (scalarAt(own, ['target', 'kind']) !== 'systemd') return [];
  const piece = pieceAt(own, ['target', 'unit', 'name']) ?? pieceAt(own, ['target', 'unit']);
  const written = piece === null ? undefined : scalarAt(piece, []);
  const unit = typeof written === 'string' ? { unit: written } : {};
  const fleet = String(scalarAt(tree, ['fleet']));
  return replicasOf(own).map((replica) => ({
    key: managerOf(tree, hostOf(tree, own)),
    name: `${unitNameOf({ fleet, deployment, replica }, unit)}.service`,
    piece: 'unit' in unit && piece !== null ? piece : own,
    deployment,
  }));
}

/** One systemd has the units of a machine, and each user another: hosts of two names may mean the same one, or both. */
function managerOf(tree: Located, host: string): string {
  const [ssh, become] = ['ssh', 'become'].map((key) => scalarAt(tree, ['hosts', host, key]));
  const machine = machineOf({ become: 'none', ...(typeof ssh === 'string' ? { ssh } : {}) });
  return `${machine} ${become === 'sudo' ? 'system' : 'own'}`;
}

function nodePortClaims(tree: Located, deployment: string, own: Located): Claim[] {
  const piece = pieceAt(own, ['target', 'service', 'nodePort']);
  const port = scalarAt(own, ['target', 'service', 'nodePort']);
  const type = scalarAt(own, ['target', 'service', 'type']);
  if (piece === null || typeof port !== 'number' || (type !== 'NodePort' && type !== 'LoadBalancer'))
    return [];
  const key = hostOf(tree, own);
  return replicasOf(own).map(() => ({ key, name: String(port), piece, deployment }));
}

/** The gateway of a cluster stands beside its engines, under a name of its own. */
function gatewayFaults(tree: Located, deployments: readonly [string, Located][]): ConfigFault[] {
  const host = scalarAt(tree, ['gateway', 'host']);
  return deployments.flatMap(([name, piece]) =>
    typeof host === 'string' && hostOf(tree, piece) === host && objectName(name, 0) === gatewayName
      ? [
          fault(
            piece,
            piece.keyAt,
            `The name ${gatewayName} is that of the gateway on host ${host}.`,
            'Rename the deployment.',
          ),
        ]
      : [],
  );
}
