import { z } from 'zod';
import type { Place } from './client.ts';
import { listPath } from './kinds.ts';
import { beingStarted, podsOf, stageOf, waitsFor } from './state.ts';
import type { Made } from './state.ts';

const Events = z.object({
  items: z.array(z.object({ message: z.string().nullish(), lastTimestamp: z.string().nullish() })),
});

/** What it waits for, as the end of a sentence, and how far it is; of a pod that does not come up with what its node says of that. */
export async function waitsInFull(
  place: Place,
  made: Made,
): Promise<{ waits: string; stage: 'prepares' | 'runs' | null }> {
  const waits = waitsFor(made) ?? 'waits for the pod before it to end';
  const [pod] = podsOf(made);
  if (!pod || waits !== beingStarted) return { waits, stage: stageOf(made) };
  const warning = await lastWarning(place, pod.metadata.uid);
  return warning === null ? { waits, stage: 'prepares' } : { waits: `${waits}: ${warning}`, stage: null };
}

/** That it found no node once is past for a pod that is being started. A volume that cannot be mounted, a pod that is refused, show in the events alone, which not everybody may read: then nothing is told. */
export async function lastWarning({ api, namespace }: Place, uid: string): Promise<string | null> {
  const chosen = encodeURIComponent(`involvedObject.uid=${uid},type=Warning,reason!=FailedScheduling`);
  const path = `${listPath({ apiVersion: 'v1', kind: 'Event' }, namespace)}?fieldSelector=${chosen}`;
  const { status, json } = await api.ask('GET', path);
  const events = status === 200 ? (Events.safeParse(json).data?.items ?? []) : [];
  const last = events.toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? '')).at(-1);
  return last?.message?.trim().replace(/\.$/, '') ?? null;
}
