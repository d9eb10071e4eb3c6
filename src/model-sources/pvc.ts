import { BerthError } from '../domain/errors/berth-error.ts';
import type { ModelSource } from './contract.ts';

export const pvcSource = {
  kind: 'pvc',
  form: 'pvc://CLAIM/PATH',
  title: 'A claim of the cluster, where the model lies already',
  clusterBrings: true,
  owns: (source) => source.startsWith('pvc://'),
  misshapen: () => null,
  endpoint: async () => null,
  wanted: () => ({ path: null, quant: null }),
  list: (_world, source) => Promise.reject(notHere(source)),
  address: (_world, source) => Promise.reject(notHere(source)),
  refusal: async (_world, source) => notHere(source),
} as const satisfies ModelSource;

function notHere(source: string): BerthError {
  return new BerthError('MODEL_NOT_PULLED', {
    source,
    reason: 'it lies in a claim of a cluster, which mounts it where it is served',
    cure: 'Nothing is to be done for a deployment on that cluster; elsewhere name a source that can be fetched.',
  });
}
