import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { referenceFault } from '../file/references.ts';
import { entriesAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Arms that are no deployments, and experiments whose route is another already. */
export function experimentFaults(tree: Located): ConfigFault[] {
  const deployments = entriesAt(tree, ['deployments']).map(([name]) => name);
  const taken = new Set([...deployments, ...entriesAt(tree, ['gateway', 'routes']).map(([name]) => name)]);
  return entriesAt(tree, ['experiments']).flatMap(([name, experiment]) => [
    ...(taken.has(name)
      ? [
          fault(
            experiment,
            experiment.keyAt,
            `The experiment "${name}" has the name of a route.`,
            'Choose another: clients ask for the experiment by its name.',
          ),
        ]
      : []),
    ...entriesAt(experiment, ['arms']).flatMap(([, arm]) => referenceFault(arm, 'deployment', deployments)),
  ]);
}
