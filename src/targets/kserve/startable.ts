import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import { expectImages, quotaFault } from '../../kube/state.ts';
import type { Made } from '../../kube/state.ts';

/** Throws what waiting does not mend: KUBE_QUOTA, IMAGE_MISSING once the node has given up on an image. */
export function expectStartable(made: Made, { deployment }: Pick<Mark, 'deployment'>): void {
  const answer = quotaFault(made);
  if (answer !== null) throw new BerthError('KUBE_QUOTA', { object: `a pod of ${deployment}`, answer });
  expectImages(made, { deployment, whose: 'its runtime' });
}
