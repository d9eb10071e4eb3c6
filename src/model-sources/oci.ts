import { BerthError } from '../domain/errors/berth-error.ts';
import type { ModelSource } from './contract.ts';

export const ociSource = {
  kind: 'oci',
  form: 'oci://REGISTRY/IMAGE:TAG',
  title: 'An image that holds the model, which KServe runs beside the engine',
  clusterBrings: true,
  owns: (source) => source.startsWith('oci://'),
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
    reason: 'it is an image, which the nodes of a cluster fetch where KServe serves it',
    cure: 'Nothing is to be done for a deployment of target kserve; elsewhere name a source that can be fetched.',
  });
}
