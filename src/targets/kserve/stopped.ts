import type { Live } from '../../kube/client.ts';

/** With "true" in it KServe has no pods of a service. */
export const stopAnnotation = 'serving.kserve.io/stop';

/** Somebody has stopped it on purpose: berth, a dashboard, or a person with kubectl. Pure. */
export function isStopped({ metadata }: Live): boolean {
  return metadata.annotations?.[stopAnnotation] === 'true';
}
