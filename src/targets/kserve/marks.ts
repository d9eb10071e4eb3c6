import { z } from 'zod';
import type { Mark } from '../../domain/instance.ts';
import { parseMark } from '../../domain/parse-mark.ts';
import { applyObject, deleteObject, getObject, listObjects, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { fleetIdLabel, fleetLabel, objectName } from '../../kube/names.ts';

const kind = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

const ConfigMap = Live.extend({ data: z.record(z.string(), z.string()).nullish() });

/** A mark and the UID of the service that it is of: what stands on a service itself would restart its pods. */
export interface Marked {
  readonly uid: string;
  readonly mark: Mark;
  /** The objects as they were sent, as JSON; null where an older version has not kept them. */
  readonly written: string | null;
}

/** Marks of another version of berth are left out. */
export async function allMarks(place: Place): Promise<Marked[]> {
  const maps = await listObjects(place, { ...kind, labels: fleetLabel }, ConfigMap);
  return maps.flatMap(({ data }) =>
    Object.entries(data ?? {}).flatMap(([uid, text]) => {
      const mark = parseMark(text);
      return mark ? [{ uid, mark, written: data?.[writtenKey(uid)] ?? null }] : [];
    }),
  );
}

function writtenKey(uid: string): string {
  return `${uid}.written`;
}

function nameOf({ fleet, fleetId }: Pick<Mark, 'fleet' | 'fleetId'>): string {
  return objectName(`berth-${fleet}-${fleetId}`, 0);
}

/** Each service's own entry has an owner of its own, so that two that are written at once do not undo each other. */
async function write(place: Place, mark: Mark, data: Record<string, string>): Promise<void> {
  const labels = {
    'app.kubernetes.io/managed-by': 'berth',
    [fleetLabel]: mark.fleet,
    [fleetIdLabel]: mark.fleetId,
  };
  const object = { ...kind, metadata: { name: nameOf(mark), labels }, data };
  const manager = `berth-${objectName(mark.deployment, mark.replica)}`;
  await applyObject(place, object, { manager, force: true });
}

export async function keepMark(place: Place, { uid, mark, written }: Marked): Promise<void> {
  const { reached: _reached, ...kept } = mark;
  const sent = written === null ? {} : { [writtenKey(uid)]: written };
  await write(place, mark, { [uid]: JSON.stringify(kept), ...sent });
}

/** With the last mark the place of the marks goes too. */
export async function dropMark(place: Place, mark: Mark): Promise<void> {
  const named = { ...kind, name: nameOf(mark) };
  if (!(await getObject(place, named, ConfigMap))) return;
  await write(place, mark, {});
  const left = await getObject(place, named, ConfigMap);
  if (left && Object.keys(left.data ?? {}).length === 0) await deleteObject(place, kind, left.metadata);
}
