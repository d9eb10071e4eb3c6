import { z } from 'zod';
import { BerthError } from '../domain/errors/berth-error.ts';
import { givenIn } from '../domain/given-files.ts';
import type { Mark } from '../domain/instance.ts';
import { parseJson } from '../domain/json.ts';
import { RanStates } from '../domain/ran-states.ts';
import { digestOf, givenText } from '../io/given-file.ts';
import type { World } from '../io/world.ts';
import type { Drift } from '../targets/contract.ts';
import { applyObject, deleteObject, getObject, listObjects, Live } from './client.ts';
import type { Place } from './client.ts';
import { fleetIdLabel, fleetLabel, objectName, selectorOf } from './names.ts';
import type { KubeObject } from './object.ts';

export const configMapKind = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

/** On the ConfigMaps with files of a replica: of which one, since their names tell what they hold too. */
export const filesLabel = 'berth.dev/files';

type Placed = Pick<Mark, 'fleet' | 'fleetId' | 'deployment' | 'replica' | 'spec'>;

/** The ConfigMap with the files that a replica is given; null where it is given none. Other files are another one, and so other pods. */
export function filesName({ deployment, replica, spec }: Omit<Placed, 'fleet' | 'fleetId'>): string | null {
  const held = Object.entries(givenIn(spec))
    .map(([key, { sha256 }]) => [key, sha256] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (held.length === 0) return null;
  const digest = digestOf(JSON.stringify(held));
  return `${objectName(deployment, replica)}-files-${digest.slice(0, 8)}`;
}

/** How the ConfigMaps of a replica are asked for. */
function filesLabels({ fleet, fleetId, deployment, replica }: Omit<Placed, 'spec'>): string {
  const name = objectName(deployment, replica);
  return `${fleetLabel}=${fleet},${fleetIdLabel}=${fleetId},${filesLabel}=${name}`;
}

/** The ConfigMap with these texts, by the names that the spec has for them; none where it names none. Pure. */
export function filesObject(
  placed: Placed,
  texts: Readonly<Record<string, string>>,
  namespace: string | null = null,
): KubeObject[] {
  const { fleet, fleetId, deployment, replica, spec } = placed;
  const name = filesName(placed);
  if (name === null) return [];
  const labels = {
    ...selectorOf(deployment, replica),
    'app.kubernetes.io/managed-by': 'berth',
    [fleetLabel]: fleet,
    [fleetIdLabel]: fleetId,
    [filesLabel]: objectName(deployment, replica),
  };
  return [
    {
      ...configMapKind,
      metadata: { name, ...(namespace === null ? {} : { namespace }), labels },
      // What it holds is in its name, so that nothing else may ever stand in it.
      immutable: true,
      data: Object.fromEntries(Object.keys(givenIn(spec)).map((key) => [key, texts[key] ?? ''])),
    },
  ];
}

const Held = Live.extend({
  data: z.record(z.string(), z.string()).nullish(),
  immutable: z.boolean().nullish(),
});

/** The same with what the files held when the spec was made: as they lie here, else as the cluster has them. Throws GIVEN_FILE_CHANGED. */
export async function givenObjects(world: World, place: Place, placed: Placed): Promise<KubeObject[]> {
  const name = filesName(placed);
  if (name === null) return [];
  const texts = Object.entries(givenIn(placed.spec)).map(async ([key, file]) => {
    const text = await givenText(world, file, async () => (await held(place, name))?.data?.[key] ?? null);
    return [key, text] as const;
  });
  return filesObject(placed, Object.fromEntries(await Promise.all(texts)));
}

/** Makes it, or has it hold again what it held: one that somebody else has made anew may never be changed, and goes first. */
export async function applyFiles(place: Place, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    const live = await fixedOtherwise(place, object);
    if (live) await deleteObject(place, configMapKind, live.metadata);
    await applyObject(place, object, { force: true });
  }
}

/** What the cluster says to `applyFiles` of an object; null of one that holds no files. Nothing is changed. */
export function tryFiles(place: Place, object: KubeObject): Promise<unknown> | null {
  if (object.metadata.labels?.[filesLabel] === undefined) return null;
  return fixedOtherwise(place, object).then((live) =>
    live ? null : applyObject(place, object, { dryRun: true, force: true }),
  );
}

/** The live one, where it may not be changed and holds something else. */
async function fixedOtherwise(
  place: Place,
  { metadata, data }: KubeObject,
): Promise<z.infer<typeof Held> | null> {
  const live = await held(place, metadata.name);
  const wanted = Object.entries(data as Readonly<Record<string, string>>);
  return live?.immutable && wanted.some(([key, text]) => live.data?.[key] !== text) ? live : null;
}

/** Names of the ConfigMaps of what ran in a place, by the text that is kept of it: who goes back needs them. Pure. */
export function filesOfRan(placed: Omit<Placed, 'spec' | 'fleet' | 'fleetId'>, ran: string | null): string[] {
  const { data } = RanStates.safeParse(parseJson(ran ?? ''));
  return (data?.states ?? []).flatMap(({ spec }) => filesName({ ...placed, spec }) ?? []);
}

/** Takes away those of a replica but for these. Who may not look at them has made none. */
export async function dropFiles(
  place: Place,
  placed: Omit<Placed, 'spec'>,
  keep: readonly string[],
): Promise<void> {
  const labels = filesLabels(placed);
  const all = await listObjects(place, { ...configMapKind, labels }, Live).catch(noneWhereForbidden);
  // By its label alone a mark's own ConfigMap is none of them.
  for (const { metadata } of all.filter((one) => one.metadata.labels?.[filesLabel] !== undefined))
    if (!keep.includes(metadata.name)) await deleteObject(place, configMapKind, metadata);
}

/** Takes away those that neither what runs `now` nor what is kept of what `ran` in the place has any more. */
export async function dropFilesBut(
  place: Place,
  placed: Omit<Placed, 'spec'>,
  { now, before, ran }: { now: Mark | null; before: string | null; ran: string },
): Promise<void> {
  const keep = [(now && filesName(now)) ?? [], filesOfRan(placed, ran)].flat();
  if (keep.length + filesOfRan(placed, before).length > 0) await dropFiles(place, placed, keep);
}

function noneWhereForbidden(error: unknown): never[] {
  if (error instanceof BerthError && error.code === 'KUBE_FORBIDDEN') return [];
  throw error;
}

/** In what the ConfigMap is not as it was made: gone, or with another text. */
export async function filesDrift(place: Place, placed: Placed): Promise<Drift[]> {
  const name = filesName(placed);
  if (name === null) return [];
  const field = `${configMapKind.kind} ${name}`;
  const live = await held(place, name);
  if (!live) return [{ field, marked: 'there', live: null }];
  return Object.entries(givenIn(placed.spec)).flatMap(([key, { sha256 }]) => {
    const text = live.data?.[key];
    const now = text === undefined ? null : `sha256 ${digestOf(text)}`;
    const marked = `sha256 ${sha256}`;
    return now === marked ? [] : [{ field: `${field} data.${key}`, marked, live: now }];
  });
}

function held(place: Place, name: string): Promise<z.infer<typeof Held> | null> {
  return getObject(place, { ...configMapKind, name }, Held);
}
