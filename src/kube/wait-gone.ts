import { BerthError } from '../domain/errors/berth-error.ts';
import type { World } from '../io/world.ts';
import type { PodLive } from './answers.ts';
import { deleteObject } from './client.ts';
import type { Live, Place } from './client.ts';

const pollMs = 250;
const forceAfterMs = 15_000;
const giveUpAfterMs = 120_000;

/**
 * Waits until `pods` gives none and `rest` gives null; pods that outstay `graceMs` by 15 s are then ended by force. Throws
 * NOT_ENDING for what is there two minutes after that: a finalizer that nobody serves would keep it for ever.
 */
export async function waitGone(
  world: World,
  place: Place,
  left: {
    readonly graceMs: number;
    readonly pods: () => Promise<readonly PodLive[]>;
    /** What the pods are of, and its kind in words. */
    readonly rest: () => Promise<{ readonly kind: string; readonly object: Live } | null>;
  },
): Promise<void> {
  const until = world.clock.now() + left.graceMs + forceAfterMs;
  for (let forced = false; ;) {
    const pods = await left.pods();
    const [pod] = pods;
    const there = pod ? { kind: 'pod', object: pod } : await left.rest();
    if (!there) return;
    if (world.clock.now() > until + giveUpAfterMs)
      throw new BerthError('NOT_ENDING', {
        object: `${there.kind} ${there.object.metadata.name}`,
        holds: heldBy(there.object),
      });
    if (!forced && world.clock.now() > until) {
      forced = true;
      for (const { metadata } of pods)
        await deleteObject(place, { apiVersion: 'v1', kind: 'Pod' }, metadata, { graceSeconds: 0 });
    }
    await world.clock.sleep(pollMs);
  }
}

function heldBy({ metadata: { finalizers, deletionTimestamp } }: Live): string {
  if (finalizers?.length)
    return `its finalizers (${finalizers.join(', ')}) wait for a controller that has not let it go`;
  return deletionTimestamp ? 'its node has not said that it is gone' : 'somebody makes it anew';
}

/** What was made a moment ago is not there any more. */
export function goneAlready(name: string): BerthError {
  return new BerthError('KUBE_REFUSED', {
    question: `look at ${name}`,
    status: 404,
    answer: 'it is gone already',
  });
}
