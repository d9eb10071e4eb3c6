import { z } from 'zod';
import type { KubeObject } from '../../kube/object.ts';

/**
 * So long a new pod has to be ready before the cluster ends the old one by itself: berth moves the requests meanwhile, and takes
 * this back. Whoever is killed in between leaves two pods for that time and no longer.
 */
export const keptSeconds = 900;

/** A cluster refuses a change whose deadline is not beyond that time, as a patch of the user's may have it. */
const deadlineSeconds = keptSeconds + 600;

const Deadline = z.looseObject({ progressDeadlineSeconds: z.number().optional() });

/** The same Deployment, which leaves its old pod to serve beside the new one; other objects as they are. Pure. */
export function kept(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment') return object;
  const spec = Deadline.safeParse(object['spec']).data ?? {};
  const { progressDeadlineSeconds = 0 } = spec;
  return {
    ...object,
    spec: {
      ...spec,
      minReadySeconds: keptSeconds,
      progressDeadlineSeconds: Math.max(progressDeadlineSeconds, deadlineSeconds),
    },
  };
}
