import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf } from './port-checks.ts';

/** Users that a deployment names where the cluster gives each namespace its own, and refuses all others. */
export function openshiftFaults(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const host = hostOf(tree, deployment);
    const user = pieceAt(deployment, ['target', 'user']);
    if (!user || scalarAt(tree, ['hosts', host, 'kubernetes', 'openshift']) !== true) return [];
    return [
      fault(
        user,
        user.keyAt,
        'OpenShift chooses the user of its pods itself, and refuses others.',
        `Leave target.user out; or remove hosts.${host}.kubernetes.openshift, where its rules let pods name one.`,
      ),
    ];
  });
}
