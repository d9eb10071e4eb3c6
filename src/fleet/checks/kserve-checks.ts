import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Options of an InferenceService that are at odds with each other. */
export function kserveFaults(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const target = pieceAt(deployment, ['target']);
    if (!target || scalarAt(target, ['kind']) !== 'kserve') return [];
    return [...placeFaults(target), ...tokenFaults(target), ...namedRuntimeFaults(target)];
  });
}

/** A hardware profile puts its own labels of nodes into the service, over whatever stands there. */
function placeFaults(target: Located): ConfigFault[] {
  if (!pieceAt(target, ['dashboard', 'hardwareProfile'])) return [];
  const key = (['nodeSelector', 'node'] as const).find((one) =>
    one === 'node' ? pieceAt(target, [one]) : entriesAt(target, [one]).length > 0,
  );
  const said = key && pieceAt(target, [key]);
  if (!said) return [];
  return [
    fault(
      said,
      said.keyAt,
      `A hardware profile chooses the nodes, and so does ${key}.`,
      `Leave one out: target.dashboard.hardwareProfile, or target.${key}.`,
    ),
  ];
}

function tokenFaults(target: Located): ConfigFault[] {
  const token = pieceAt(target, ['route', 'token']);
  if (!token || scalarAt(target, ['route', 'token']) !== true || scalarAt(target, ['route', 'auth']) === true)
    return [];
  return [
    fault(token, token.keyAt, 'No token is asked for here.', 'Add auth: true beside it, or remove it.'),
  ];
}

/** What is run in which image a runtime says that is only named. */
function namedRuntimeFaults(target: Located): ConfigFault[] {
  const runtime = scalarAt(target, ['runtime', 'use']);
  if (typeof runtime !== 'string') return [];
  return (['image', 'entrypoint'] as const).flatMap((key) => {
    const said = pieceAt(target, [key]);
    if (!said) return [];
    return [
      fault(
        said,
        said.keyAt,
        `The runtime ${runtime} is only named and has its own ${key}: this would be without effect.`,
        `Leave ${key} out (null takes away that of the defaults), or have a runtime made: runtime: {create: NAME}.`,
      ),
    ];
  });
}
