import { z } from 'zod';
import type { Place } from './client.ts';
import { listPath } from './kinds.ts';
import { beingStarted, podsOf, waitsFor } from './state.ts';
import type { Made } from './state.ts';

const Events = z.object({
  items: z.array(z.object({ message: z.string().nullish(), lastTimestamp: z.string().nullish() })),
});

/** What it waits for, as the end of a sentence; of a pod that does not come up with what its node says of that. */
export async function waitsInFull(place: Place, made: Made): Promise<string> {
  const waits = waitsFor(made) ?? 'waits for the pod before it to end';
  const [pod] = podsOf(made);
  const warning = pod && waits === beingStarted ? await lastWarning(place, pod.metadata.uid) : null;
  return warning === null ? waits : `${waits}: ${warning}`;
}

/** A volume that cannot be mounted, a pod that is refused, show in the events alone, which not everybody may read: then nothing is told. */
export async function lastWarning({ api, namespace }: Place, uid: string): Promise<string | null> {
  const chosen = encodeURIComponent(`involvedObject.uid=${uid},type=Warning`);
  const path = `${listPath({ apiVersion: 'v1', kind: 'Event' }, namespace)}?fieldSelector=${chosen}`;
  const { status, json } = await api.ask('GET', path);
  const events = status === 200 ? (Events.safeParse(json).data?.items ?? []) : [];
  const last = events.toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? '')).at(-1);
  return last?.message?.trim().replace(/\.$/, '') ?? null;
}
