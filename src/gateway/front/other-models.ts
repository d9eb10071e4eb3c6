import type { Upstream } from '../../domain/gateway-config.ts';
import { otherModels } from '../reply/faults.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { Caller } from './caller.ts';

/** The caller is bounded, or a model is: what a request has computed must be what it was judged by. */
export function holdsToModel(
  { control, models }: Caller,
  { boundsModels }: Pick<Snapshot, 'boundsModels'>,
): boolean {
  return !control && (models !== null || boundsModels);
}

/** Of a request that is held to its model, and whose body names others there, at these engines: one may have several. Throws ApiError 400. */
export function requireOneModel(key: string, engines: readonly Pick<Upstream, 'asItIs'>[]): void {
  if (engines.some(({ asItIs }) => !asItIs?.oneModel)) throw otherModels(key);
}
