import { thisMachine } from '../../domain/host-access.ts';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf, isCluster, machineOfHost } from './port-checks.ts';

/** What its host opens; `ca` is read by berth itself. */
const ofEngine = [
  'binary',
  'workdir',
  'command',
  'lora',
  'draftModel',
  'chatTemplateFile',
  'modelsPreset',
  'chatTemplate',
];

/** `~` is a folder of this machine, so that it cannot stand in a path that another machine or a cluster opens. */
export function homeFaults(tree: Located): ConfigFault[] {
  const deployed = entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const host = hostOf(tree, deployment);
    return [...enginePaths(deployment), ...modelPaths(tree, deployment, host)].map((piece) => ({
      host,
      piece,
    }));
  });
  const gateway = scalarAt(tree, ['gateway', 'host']);
  const log = pieceAt(tree, ['gateway', 'accessLog', 'path']);
  const logged = typeof gateway === 'string' && log ? [{ host: gateway, piece: log }] : [];
  return [...deployed, ...logged]
    .filter(({ host, piece }) => piece.ofHome && isElsewhere(tree, host))
    .map(({ host, piece }) =>
      fault(
        piece,
        piece.at,
        `"~" is the home of the user who runs berth, and host ${host} is not this machine.`,
        `Write the whole path, as it is on ${host}.`,
      ),
    );
}

function isElsewhere(tree: Located, host: string): boolean {
  return isCluster(tree, host) || (hasHost(tree, host) && machineOfHost(tree, host) !== thisMachine);
}

function hasHost(tree: Located, host: string): boolean {
  return pieceAt(tree, ['hosts', host]) !== null;
}

function enginePaths(deployment: Located): Located[] {
  return ofEngine.flatMap((key) => {
    const piece = pieceAt(deployment, ['engine', key]);
    return piece?.content.kind === 'list' ? piece.content.items : (piece ?? []);
  });
}

/** None where the model has a place of its own on that host. */
function modelPaths(tree: Located, deployment: Located, host: string): Located[] {
  const name = scalarAt(deployment, ['model']);
  if (typeof name !== 'string' || pieceAt(tree, ['models', name, 'at', host]) !== null) return [];
  return ['source', 'mmproj'].flatMap((key) => pieceAt(tree, ['models', name, key]) ?? []);
}
