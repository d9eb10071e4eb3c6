import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { ConditionsLive, DeploymentLive } from '../../kube/answers.ts';
import { applyObject, deleteObject, listObjects } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { waitFetched } from '../../kube/fetched.ts';
import { fetchLabel, fleetIdLabel, fleetLabel, objectName } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { plainObjects } from './objects.ts';
import { markOf } from './observe.ts';
import { optionsOf } from './options.ts';

type Fleet = Pick<Mark, 'fleet' | 'fleetId'>;

const jobKind = { apiVersion: 'batch/v1', kind: 'Job' } as const;
const goneMs = 120_000;

/**
 * Applies a Job that fetches, and waits until it has. Deployments that share it may do so at once. Whatever else of this fleet fills
 * the same folder goes before, so that no two write there, and so does one that the cluster has given up.
 */
export async function fetchInCluster(
  world: World,
  place: Place,
  wish: {
    readonly job: KubeObject;
    readonly from: string;
    readonly fleet: Fleet;
    readonly force: boolean;
    readonly onProgress: (line: string) => void;
  },
): Promise<void> {
  const { job, from, force, onProgress } = wish;
  const { name } = job.metadata;
  // Another deployment whose start has failed may take it away; what was fetched is there then.
  for (let turn = 0; turn < 3; turn += 1) {
    await clearFolder(world, place, wish);
    await applyObject(place, job, { force });
    if (await waitFetched(world, place, { job: name, from, onProgress })) return;
  }
  throw new BerthError('KUBE_FETCH_FAILED', { job: name, from, reason: 'its Job is gone', log: [] });
}

async function clearFolder(
  world: World,
  place: Place,
  { job, fleet }: { readonly job: KubeObject; readonly fleet: Fleet },
): Promise<void> {
  const folder = job.metadata.labels?.[fetchLabel] ?? '';
  const until = world.clock.now() + goneMs;
  for (;;) {
    const others = (await fetchJobs(place, fleet, `=${folder}`)).filter((one) => !serves(one, job));
    if (others.length === 0 || world.clock.now() > until) return;
    for (const { metadata } of others)
      if (!metadata.deletionTimestamp) await deleteObject(place, jobKind, metadata);
    await world.clock.sleep(500);
  }
}

/** The very Job that is wanted, and it may still come to a good end. */
function serves({ metadata, status }: ConditionsLive, job: KubeObject): boolean {
  const failed = status?.conditions?.some((one) => one.type === 'Failed' && one.status === 'True') ?? false;
  return metadata.name === job.metadata.name && !failed && !metadata.deletionTimestamp;
}

/** Takes away Jobs that no deployment of the fleet wants any more, but for those objects; `without` is a replica that goes. */
export async function sweepFetches(place: Place, without: Mark, keep: readonly KubeObject[]): Promise<void> {
  const jobs = await fetchJobs(place, without, '').catch((error: unknown) => {
    // Who may not look at Jobs has made none.
    if (error instanceof BerthError && error.code === 'KUBE_FORBIDDEN') return [];
    throw error;
  });
  if (jobs.length === 0) return;
  const labels = labelsOf(without);
  const all = await listObjects(place, { apiVersion: 'apps/v1', kind: 'Deployment', labels }, DeploymentLive);
  const others = all.flatMap((one) => markOf(one) ?? []).filter((mark) => !isSame(mark, without));
  const wanted = [...keep, ...others.flatMap((mark) => plainObjects(mark, optionsOf(mark)))];
  for (const { metadata } of jobs)
    if (!wanted.some(({ kind, metadata: { name } }) => kind === 'Job' && name === metadata.name))
      await deleteObject(place, jobKind, metadata);
}

function isSame(a: Mark, b: Mark): boolean {
  return objectName(a.deployment, a.replica) === objectName(b.deployment, b.replica);
}

function fetchJobs(place: Place, fleet: Fleet, value: string): Promise<ConditionsLive[]> {
  return listObjects(
    place,
    { ...jobKind, labels: `${labelsOf(fleet)},${fetchLabel}${value}` },
    ConditionsLive,
  );
}

function labelsOf({ fleet, fleetId }: Fleet): string {
  return `${fleetLabel}=${fleet},${fleetIdLabel}=${fleetId}`;
}
