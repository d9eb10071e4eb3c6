import { createHash } from 'node:crypto';
import { z } from 'zod';
import { givenIn } from '../domain/given-files.ts';
import type { Mark } from '../domain/instance.ts';
import { digestOf, givenText } from '../io/given-file.ts';
import type { World } from '../io/world.ts';
import type { Drift } from '../targets/contract.ts';
import { applyObject, deleteObject, getObject, Live } from './client.ts';
import type { Place } from './client.ts';
import { fleetIdLabel, fleetLabel, objectName, selectorOf } from './names.ts';
import type { KubeObject } from './object.ts';

export const configMapKind = { apiVersion: 'v1', kind: 'ConfigMap' } as const;

/** On the ConfigMaps with files of a replica: of which one, since their names tell what they hold too. */
export const filesLabel = 'berth.dev/files';

type Placed = Pick<Mark, 'fleet' | 'fleetId' | 'deployment' | 'replica' | 'spec'>;

/** The ConfigMap with the files that a replica is given; null where it is given none. Other files are another one, and so other pods. */
export function filesName({ deployment, replica, spec }: Omit<Placed, 'fleet' | 'fleetId'>): string | null {
  const names = Object.keys(givenIn(spec)).toSorted();
  if (names.length === 0) return null;
  const digest = createHash('sha256')
    .update(JSON.stringify(givenIn(spec), names))
    .digest('hex');
  return `${objectName(deployment, replica)}-files-${digest.slice(0, 8)}`;
}

/** How the ConfigMaps of a replica are asked for. */
export function filesLabels({ fleet, fleetId, deployment, replica }: Omit<Placed, 'spec'>): string {
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
    const live = await held(place, object.metadata.name);
    const data = object['data'] as Readonly<Record<string, string>>;
    if (live?.immutable && Object.entries(data).some(([key, text]) => live.data?.[key] !== text))
      await deleteObject(place, configMapKind, live.metadata);
    await applyObject(place, object, { force: true });
  }
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
