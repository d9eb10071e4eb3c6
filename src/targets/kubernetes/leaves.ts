import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import type { Left } from '../contract.ts';
import { plainObjects } from './objects.ts';
import { optionsOf } from './observe.ts';

/** Claims hold what was fetched. */
export function leaves({ cluster }: World, mark: Mark): Promise<Left[]> {
  const place = cluster ? `--context ${cluster.context} -n ${cluster.namespace} ` : '';
  const left = plainObjects(mark, optionsOf(mark))
    .filter(({ kind }) => kind === 'PersistentVolumeClaim')
    .map(({ kind, metadata: { name } }) => ({
      object: `${kind} ${name}`,
      command: `kubectl ${place}delete pvc ${name}`,
    }));
  return Promise.resolve(left);
}
