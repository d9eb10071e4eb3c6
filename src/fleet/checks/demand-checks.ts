import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { engineIn } from './engine-in.ts';
import { fault } from '../file/fault.ts';
import { referenceFault } from '../file/references.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Keys of models on demand where they mean nothing, and sets of models that are none. */
export function demandFaults(tree: Located): ConfigFault[] {
  return [
    ...entriesAt(tree, ['deployments']).flatMap(([, deployment]) => deploymentFaults(deployment)),
    ...setFaults(tree),
  ];
}

function deploymentFaults(deployment: Located): ConfigFault[] {
  const load = pieceAt(deployment, ['load']);
  const onDemand = scalarAt(deployment, ['load']) === 'on-demand';
  const engine = engineIn(deployment);
  if (load && onDemand && engine && 'external' in engine)
    return [
      fault(load, load.at, `Berth does not start a server of engine ${engine.kind}.`, 'Remove "load".'),
    ];
  if (load && onDemand && engine && 'modelsPath' in engine)
    return [
      fault(
        load,
        load.at,
        `An engine of kind ${engine.kind} loads its models itself, and must run to list them.`,
        'Remove "load".',
      ),
    ];
  if (onDemand) return [];
  return ['ttl', 'memory'].flatMap((key) => {
    const piece = pieceAt(deployment, [key]);
    if (!piece) return [];
    return [
      fault(
        piece,
        piece.keyAt,
        `"${key}" has no meaning for a model that always runs.`,
        'Add load: on-demand.',
      ),
    ];
  });
}

function setFaults(tree: Located): ConfigFault[] {
  const onDemand = entriesAt(tree, ['deployments'])
    .filter(([, one]) => scalarAt(one, ['load']) === 'on-demand')
    .map(([name]) => name);
  const sets = pieceAt(tree, ['gateway', 'onDemand', 'sets'])?.content;
  return (sets?.kind === 'list' ? sets.items : []).flatMap((set) =>
    set.content.kind === 'list'
      ? set.content.items.flatMap((name) => referenceFault(name, 'model on demand', onDemand))
      : [],
  );
}
