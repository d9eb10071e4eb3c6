import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../../io/world.ts';
import { ConditionsLive, DeploymentLive } from '../../kube/answers.ts';
import { applyObject, deleteObject, listObjects } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { waitFetched } from '../../kube/fetched.ts';
import { fetchLabel, fleetIdLabel, fleetLabel, writtenAnnotation } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { keeperOf } from '../../kube/ownership.ts';
import { readWritten } from '../../kube/written.ts';

const jobKind = { apiVersion: 'batch/v1', kind: 'Job' } as const;
const goneMs = 120_000;

/**
 * Applies a Job that fetches, and waits until it has; deployments that share it may do so at once. What still fetches something else
 * to the same place goes before, so that no two write there, and so does the same one where the cluster has given it up.
 */
export async function fetchInCluster(
  world: World,
  place: Place,
  wish: {
    readonly job: KubeObject;
    readonly from: string;
    readonly force: boolean;
    readonly onProgress: (line: string) => void;
  },
): Promise<void> {
  const { job, from, force, onProgress } = wish;
  await clearPlace(world, place, job);
  await applyObject(place, job, { force });
  await waitFetched(world, place, { job: job.metadata.name, from, onProgress });
}

async function clearPlace(world: World, place: Place, job: KubeObject): Promise<void> {
  const { labels = {} } = job.metadata;
  const same = [fleetLabel, fleetIdLabel, fetchLabel]
    .map((name) => `${name}=${labels[name] ?? ''}`)
    .join(',');
  const until = world.clock.now() + goneMs;
  for (;;) {
    const inTheWay = (await jobsWith(place, same)).filter((one) => isInTheWay(one, job));
    const [first] = inTheWay;
    if (!first) return;
    if (world.clock.now() > until)
      throw new BerthError('NOT_ENDING', {
        object: `Job ${first.metadata.name}`,
        holds: 'it may still write where this one would, and its node has not said that it is gone',
      });
    for (const { metadata } of inTheWay)
      if (!metadata.deletionTimestamp) await deleteObject(place, jobKind, metadata);
    await world.clock.sleep(500);
  }
}

/** The same one is, once it comes to no good end any more; another, as long as it may still write. */
function isInTheWay({ metadata, status }: ConditionsLive, job: KubeObject): boolean {
  const ended = status?.conditions?.find(
    (one) => one.status === 'True' && /^(Complete|Failed)$/.test(one.type),
  );
  if (metadata.name !== job.metadata.name) return !ended;
  return ended?.type === 'Failed' || Boolean(metadata.deletionTimestamp);
}

/**
 * Takes away Jobs that no deployment wants any more. Only for who holds the lock of the namespace: of what somebody else is about to
 * start there is no deployment yet.
 */
export async function sweepFetches(world: World): Promise<void> {
  const place = await placeOf(world);
  const jobs = await jobsWith(place, fetchLabel);
  if (jobs.length === 0) return;
  const all = await listObjects(
    place,
    { apiVersion: 'apps/v1', kind: 'Deployment', labels: fleetLabel },
    DeploymentLive,
  );
  const written = all.map(({ metadata }) => ({
    fleetId: metadata.labels?.[fleetIdLabel],
    objects: readWritten(metadata.annotations?.[writtenAnnotation]),
  }));
  for (const { metadata } of jobs) {
    const wanted = written.some(({ fleetId, objects }) => {
      if (fleetId !== metadata.labels?.[fleetIdLabel]) return false;
      // What was sent for it is not known.
      if (!objects) return true;
      return objects.some(({ kind, metadata: { name } }) => kind === jobKind.kind && name === metadata.name);
    });
    if (!wanted && keeperOf({ metadata }) === null) await deleteObject(place, jobKind, metadata);
  }
}

/** Who may not look at Jobs has made none. */
async function jobsWith(place: Place, labels: string): Promise<ConditionsLive[]> {
  try {
    return await listObjects(place, { ...jobKind, labels }, ConditionsLive);
  } catch (error) {
    if (error instanceof BerthError && error.code === 'KUBE_FORBIDDEN') return [];
    throw error;
  }
}
