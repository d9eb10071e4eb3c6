import { BerthError } from '../domain/errors/berth-error.ts';
import type { World } from '../io/world.ts';
import type { PodLive } from './answers.ts';
import { deleteObject } from './client.ts';
import type { Place } from './client.ts';

const pollMs = 250;
const forceAfterMs = 15_000;

/** Waits until `pods` gives none and `isThere` says no; pods that outstay `graceMs` by 15 s are then ended by force. */
export async function waitGone(
  world: World,
  place: Place,
  left: {
    readonly graceMs: number;
    readonly pods: () => Promise<readonly PodLive[]>;
    readonly isThere: () => Promise<boolean>;
  },
): Promise<void> {
  const until = world.clock.now() + left.graceMs + forceAfterMs;
  for (let forced = false; ;) {
    const pods = await left.pods();
    if (pods.length === 0 && !(await left.isThere())) return;
    if (!forced && world.clock.now() > until) {
      forced = true;
      for (const { metadata } of pods)
        await deleteObject(place, { apiVersion: 'v1', kind: 'Pod' }, metadata, { graceSeconds: 0 });
    }
    await world.clock.sleep(pollMs);
  }
}

/** What was made a moment ago is not there any more. */
export function goneAlready(name: string): BerthError {
  return new BerthError('KUBE_REFUSED', {
    question: `look at ${name}`,
    status: 404,
    answer: 'it is gone already',
  });
}
