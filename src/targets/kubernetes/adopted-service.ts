import type { Mark } from '../../domain/instance.ts';
import { applyObject, deleteObject, getMetadata, getObject, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { expectOwn, otherOwner } from '../../kube/ownership.ts';
import { serviceName } from './manifests.ts';
import { plainObjects } from './objects.ts';
import { optionsOf } from './options.ts';

const serviceKind = { apiVersion: 'v1', kind: 'Service' } as const;

/**
 * berth's own Service of what others made, by which a gateway or a benchmark in the cluster finds its pods: they have no port of
 * berth's name, so it leads to a number. Pure.
 */
export function adoptedServices(mark: Mark): KubeObject[] {
  return plainObjects(mark, optionsOf(mark)).filter(({ kind }) => kind === 'Service');
}

/**
 * Makes the Service beside those of others and gives what takes it away again, but for one that was there before. Throws
 * KUBE_NAME_TAKEN, KUBE_TRACKED.
 */
export async function serveAdopted(
  place: Place,
  mark: Mark,
  { force = false } = {},
): Promise<() => Promise<void>> {
  const services = adoptedServices(mark);
  await expectOwn(place, mark, services);
  const kind = { ...serviceKind, name: nameOf(mark) };
  const before = await getMetadata(place, kind);
  for (const service of services) await applyObject(place, service, { force });
  return async () => {
    if (before === null) await endService(place, mark);
  };
}

/** Takes berth's Service away; one of others under its name stays. */
export async function endService(place: Place, mark: Mark): Promise<void> {
  const live = await getObject(place, { ...serviceKind, name: nameOf(mark) }, Live);
  if (live && otherOwner(live, mark) === null) await deleteObject(place, serviceKind, live.metadata);
}

function nameOf(mark: Mark): string {
  return serviceName(mark, optionsOf(mark));
}
