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
  if (pod && /untolerated taint/.test(waits))
    return { waits: `${waits}${await taintsText(place, pod.metadata.uid)}`, stage: stageOf(made) };
  if (!pod || waits !== beingStarted) return { waits, stage: stageOf(made) };
  const warning = await lastWarning(place, pod.metadata.uid);
  return warning === null ? { waits, stage: 'prepares' } : { waits: `${waits}: ${warning}`, stage: null };
}

const Nodes = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ taints: z.array(z.object({ key: z.string() })).nullish() }).nullish(),
    }),
  ),
});

/** Of each pod they are asked once: a cluster may have many nodes, and a pod that waits is looked at often. */
const known = new WeakMap<Place['api'], Map<string, Promise<string>>>();

function taintsText({ api }: Place, uid: string): Promise<string> {
  const asked = known.get(api) ?? new Map<string, Promise<string>>();
  known.set(api, asked);
  const text = asked.get(uid) ?? readTaints(api);
  asked.set(uid, text);
  return text;
}

/** Newer schedulers do not say which taints of nodes they mean: a full disk, a GPU, a node that is gone. Not everybody may look at nodes: then nothing is told. */
async function readTaints(api: Place['api']): Promise<string> {
  const { status, json } = await api.ask('GET', '/api/v1/nodes?limit=100');
  const nodes = status === 200 ? (Nodes.safeParse(json).data?.items ?? []) : [];
  const told = nodes.flatMap(({ metadata, spec }) => {
    const keys = (spec?.taints ?? []).map(({ key }) => key);
    return keys.length === 0 ? [] : [`${metadata.name}: ${keys.join(', ')}`];
  });
  const more = told.length > shownNodes ? [`${told.length - shownNodes} more`] : [];
  return told.length === 0 ? '' : ` (${[...told.slice(0, shownNodes), ...more].join('; ')})`;
}

const shownNodes = 5;

/** That it found no node once is past for a pod that is being started. A volume that cannot be mounted, a pod that is refused, show in the events alone, which not everybody may read: then nothing is told. */
export async function lastWarning({ api, namespace }: Place, uid: string): Promise<string | null> {
  const chosen = encodeURIComponent(`involvedObject.uid=${uid},type=Warning,reason!=FailedScheduling`);
  const path = `${listPath({ apiVersion: 'v1', kind: 'Event' }, namespace)}?fieldSelector=${chosen}`;
  const { status, json } = await api.ask('GET', path);
  const events = status === 200 ? (Events.safeParse(json).data?.items ?? []) : [];
  const last = events.toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? '')).at(-1);
  return last?.message?.trim().replace(/\.$/, '') ?? null;
}
