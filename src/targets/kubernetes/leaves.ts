import type { Mark } from '../../domain/instance.ts';
import type { Left } from '../../domain/left.ts';
import type { World } from '../../io/world.ts';
import { plainObjects } from './objects.ts';
import { optionsOf } from './options.ts';

/** Claims hold what was fetched. */
export function leaves({ cluster }: World, mark: Mark): Promise<(Left & { readonly name: string })[]> {
  const place = cluster ? `--context ${cluster.context} -n ${cluster.namespace} ` : '';
  const left = plainObjects(mark, optionsOf(mark))
    .filter(({ kind }) => kind === 'PersistentVolumeClaim')
    .map(({ kind, metadata: { name } }) => ({
      name,
      object: `${kind} ${name}`,
      command: `kubectl ${place}delete pvc ${name}`,
    }));
  return Promise.resolve(left);
}
