import { BerthError } from '../domain/errors/berth-error.ts';
import type { Mark } from '../domain/instance.ts';
import { getObject, Live } from './client.ts';
import type { Place } from './client.ts';
import { nameOfObject } from './kinds.ts';
import { fleetIdLabel, fleetLabel, helmAnnotation } from './names.ts';
import type { KubeObject } from './object.ts';

/** Whose an object is that is there already; null where it may be changed. Pure. */
export function otherOwner({ metadata }: Live, mark: Pick<Mark, 'fleet' | 'fleetId'>): string | null {
  const { labels } = metadata;
  const fleet = labels?.[fleetLabel];
  if (fleet === undefined) return 'was not made by berth';
  if (fleet !== mark.fleet || labels?.[fleetIdLabel] !== mark.fleetId) return `belongs to fleet ${fleet}`;
  return null;
}

/** The program that keeps an object as it has it elsewhere, or what owns it in the cluster; null when none does. Pure. */
export function trackerOf(live: Live): string | null {
  const [owner] = live.metadata.ownerReferences ?? [];
  return keeperOf(live) ?? (owner ? `its owner ${owner.name}` : null);
}

/** The program that keeps an object as it has it elsewhere; null when none does. Pure. */
export function keeperOf({ metadata }: Live): string | null {
  const { labels, annotations } = metadata;
  const marks: readonly (readonly [unknown, string])[] = [
    [annotations?.['argocd.argoproj.io/tracking-id'], 'Argo CD'],
    [labels?.['argocd.argoproj.io/instance'], 'Argo CD'],
    [labels?.['kustomize.toolkit.fluxcd.io/name'], 'Flux'],
    [labels?.['helm.toolkit.fluxcd.io/name'], 'Flux'],
    [annotations?.[helmAnnotation], 'Helm'],
  ];
  return marks.find(([mark]) => mark)?.[1] ?? null;
}

/** What is about to be taken away is kept by no other program. Throws KUBE_TRACKED. */
export function expectUntracked(kind: string, live: Live): void {
  const by = keeperOf(live);
  if (by !== null) throw new BerthError('KUBE_TRACKED', { object: `${kind} ${live.metadata.name}`, by });
}

/** Nothing is there under these names but what is the fleet's own. Throws KUBE_TRACKED or KUBE_NAME_TAKEN. */
export async function expectOwn(
  place: Place,
  mark: Pick<Mark, 'fleet' | 'fleetId' | 'deployment'>,
  objects: readonly KubeObject[],
): Promise<void> {
  const there = await Promise.all(
    objects.map(async (object) => {
      const { apiVersion, kind, metadata } = object;
      return [object, await getObject(place, { apiVersion, kind, name: metadata.name }, Live)] as const;
    }),
  );
  for (const [object, live] of there) {
    if (!live) continue;
    const by = trackerOf(live);
    if (by !== null) throw new BerthError('KUBE_TRACKED', { object: nameOfObject(object), by });
    const whose = otherOwner(live, mark);
    if (whose !== null)
      throw new BerthError('KUBE_NAME_TAKEN', {
        object: nameOfObject(object),
        deployment: mark.deployment,
        whose,
      });
  }
}
