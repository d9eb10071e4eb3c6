import { z } from 'zod';
import type { Place } from './client.ts';
import { must } from './client.ts';

const Groups = z.object({
  groups: z
    .array(z.object({ name: z.string(), preferredVersion: z.object({ groupVersion: z.string() }).nullish() }))
    .catch([]),
});

/** The groups of kinds that a cluster serves, each with the version that it prefers: "ray.io/v1". Throws what it refuses. */
export async function apiGroups(place: Pick<Place, 'api'>): Promise<ReadonlyMap<string, string>> {
  const { json } = await must(place, { method: 'GET', path: '/apis', fine: [200, 404] });
  const { groups = [] } = Groups.safeParse(json).data ?? {};
  return new Map(
    groups.flatMap(({ name, preferredVersion }) =>
      preferredVersion ? [[name, preferredVersion.groupVersion] as const] : [],
    ),
  );
}
