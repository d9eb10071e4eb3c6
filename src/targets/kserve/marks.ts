import { z } from 'zod';
import type { Mark } from '../../domain/instance.ts';
import { parseMark } from '../../domain/parse-mark.ts';
import { applyObject, deleteObject, getObject, listObjects, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { markText } from '../../kube/mark-text.ts';
import { fleetIdLabel, fleetLabel, objectName } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { otherOwner } from '../../kube/ownership.ts';
import { writtenText } from '../../kube/written.ts';
import type { MarkedPlace } from '../contract.ts';

const kind = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

const ConfigMap = Live.extend({ data: z.record(z.string(), z.string()).nullish() });

/** A mark of a service: what stands on a service itself would restart its pods. */
export interface Marked {
  /** Of marks that earlier versions wrote, all of a fleet in one place; null: of the fleet's own service of that name. */
  readonly uid: string | null;
  readonly mark: Mark;
  /** The objects as they were sent, as JSON; null where an older version has not kept them. */
  readonly written: string | null;
}

/** Keys beside which no service can have a mark of an earlier version: a UID has another form. */
const markKey = 'mark';
const writtenEnd = 'written';

/** Marks of another version of berth are left out. */
export async function allMarks(place: Place): Promise<Marked[]> {
  const maps = await listObjects(place, { ...kind, labels: fleetLabel }, ConfigMap);
  return maps.flatMap(({ data }) =>
    Object.entries(data ?? {}).flatMap(([key, text]): Marked[] => {
      const mark = parseMark(text);
      if (!mark) return [];
      if (key === markKey) return [{ uid: null, mark, written: data?.[writtenEnd] ?? null }];
      return [{ uid: key, mark, written: data?.[`${key}.${writtenEnd}`] ?? null }];
    }),
  );
}

/** The mark of a service among all of them; null: it is nobody's. One that stands by its name is newer than one by its UID. */
export function markOf(marks: readonly Marked[], service: Live): Marked | null {
  const { name, uid } = service.metadata;
  const named = marks.find(
    (one) => one.uid === null && nameOf(one.mark) === name && otherOwner(service, one.mark) === null,
  );
  return named ?? marks.find((one) => one.uid === uid) ?? null;
}

function nameOf({ deployment, replica }: Pick<Mark, 'deployment' | 'replica'>): string {
  return objectName(deployment, replica);
}

/** Where the mark of a service lies: an object of its own, which files can bring as `apply` does. Pure. */
export function markObject(mark: Mark, sent: readonly KubeObject[]): KubeObject {
  return {
    ...markPlace(mark),
    data: { [markKey]: markText(mark), [writtenEnd]: writtenText(sent) },
  };
}

/** That object without what is in it. Pure. */
export function markPlace(mark: MarkedPlace): KubeObject {
  return { ...kind, metadata: { name: `${nameOf(mark)}-mark`, labels: labelsOf(mark) } };
}

/** As it is there; null where none of this fleet is. */
export async function ownMarkMap(place: Place, mark: MarkedPlace): Promise<z.infer<typeof ConfigMap> | null> {
  const live = await getObject(place, { ...kind, name: markPlace(mark).metadata.name }, ConfigMap);
  return live && otherOwner(live, mark) === null ? live : null;
}

/** The mark that such an object has; null: none that this version reads. Pure. */
export function markIn({ data }: z.infer<typeof ConfigMap>): Mark | null {
  return parseMark(data?.[markKey]);
}

function labelsOf({ fleet, fleetId }: Pick<Mark, 'fleet' | 'fleetId'>): Record<string, string> {
  return { 'app.kubernetes.io/managed-by': 'berth', [fleetLabel]: fleet, [fleetIdLabel]: fleetId };
}

export async function keepMark(place: Place, mark: Mark, sent: readonly KubeObject[]): Promise<void> {
  await applyObject(place, markObject(mark, sent), { force: true });
  await dropOlder(place, mark);
}

export async function dropMark(place: Place, mark: Mark): Promise<void> {
  const live = await ownMarkMap(place, mark);
  if (live) await deleteObject(place, kind, live.metadata);
  await dropOlder(place, mark);
}

/** What an earlier version wrote for this service, in the place of the whole fleet, which goes with its last entry. */
async function dropOlder(place: Place, mark: Mark): Promise<void> {
  const name = objectName(`berth-${mark.fleet}-${mark.fleetId}`, 0);
  const named = { ...kind, name };
  if (!(await getObject(place, named, ConfigMap))) return;
  // Each service's own entry has an owner of its own, so that two that are written at once do not undo each other.
  const object = { ...kind, metadata: { name, labels: labelsOf(mark) }, data: {} };
  await applyObject(place, object, { manager: `berth-${nameOf(mark)}`, force: true });
  const left = await getObject(place, named, ConfigMap);
  if (left && Object.keys(left.data ?? {}).length === 0) await deleteObject(place, kind, left.metadata);
}
