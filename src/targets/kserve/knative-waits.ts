import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import type { Place } from '../../kube/client.ts';
import { waitsInFull } from '../../kube/pod-warnings.ts';
import { servingPod, waitsFor } from '../../kube/state.ts';
import type { Made } from '../../kube/state.ts';
import type { Settled } from '../contract.ts';
import { enginePort } from './engine-container.ts';
import { isInPlace, knativeTrouble, missingImage } from './knative.ts';
import type { KnativeLive } from './knative.ts';
import { expectStartable } from './startable.ts';

const restText = 'has no pod until somebody asks for it: Knative has ended the last one';

/** What a service of Knative waits for, as the end of a sentence: its pods tell more than Knative does. Null: nothing. Pure. */
export function knativeWaits(knative: KnativeLive, made: Made | null): string | null {
  const pods = made && podsWait(made);
  if (pods) return pods;
  if (!isInPlace(knative)) return knativeTrouble(knative) ?? 'waits for Knative';
  return made && isAtZero(made) ? restText : null;
}

/** Where the newest revision answers, once it has the requests. That of before goes on until then, and after it is no hindrance. */
export async function settledRevision(
  place: Place,
  mark: Mark,
  { knative, made }: { knative: KnativeLive; made: Made | null },
): Promise<Settled> {
  const missing = missingImage(knative);
  if (missing)
    throw new BerthError('IMAGE_MISSING', {
      deployment: mark.deployment,
      ...missing,
      program: 'crictl',
    });
  if (made) expectStartable(made, mark);
  const address = made && servingPod(made)?.status?.podIP;
  if (address && isInPlace(knative)) return { address, port: enginePort(made.deployment) };
  if (made && podsWait(made)) return waitsInFull(place, made);
  return { waits: knativeWaits(knative, made) ?? 'waits for Knative' };
}

/** Of a revision that failed, and of one that nobody asks, Knative keeps a Deployment without pods. */
function isAtZero({ deployment }: Made): boolean {
  return deployment.spec.replicas === 0;
}

function podsWait(made: Made): string | null {
  return isAtZero(made) ? null : waitsFor(made);
}
