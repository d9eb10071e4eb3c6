import type { World } from '../../io/world.ts';
import { applyObject } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { dropFilesBut } from '../../kube/given-files.ts';
import { ranManager } from '../../kube/names.ts';
import type { MarkedPlace } from '../contract.ts';
import { markIn, markPlace, ownMarkMap } from './marks.ts';

/** Beside the keys of the mark. */
const ranKey = 'ran';

/** What was kept beside the mark of a service; null where there is none of this fleet. */
export async function readRecord(world: World, mark: MarkedPlace): Promise<string | null> {
  const map = await ownMarkMap(await placeOf(world), mark);
  return map?.data?.[ranKey] ?? null;
}

/** Keeps a text beside the mark of a service, by an owner of its own. Files that nothing of it is given any more go. Nothing where there is no mark. */
export async function keepRecord(world: World, mark: MarkedPlace, text: string): Promise<void> {
  const place = await placeOf(world);
  const map = await ownMarkMap(place, mark);
  if (!map) return;
  const { apiVersion, kind, metadata } = markPlace(mark);
  const object = {
    apiVersion,
    kind,
    metadata: { name: metadata.name, uid: map.metadata.uid },
    data: { [ranKey]: text },
  };
  await applyObject(place, object, { manager: ranManager, force: true });
  await dropFilesBut(place, mark, { now: markIn(map), before: map.data?.[ranKey] ?? null, ran: text });
}
