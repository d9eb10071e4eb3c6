import { BerthError } from '../domain/errors/berth-error.ts';
import { saysFullDisk } from '../domain/full-disk.ts';
import type { World } from '../io/world.ts';
import { ConditionsLive, PodLive } from './answers.ts';
import { getObject, isQuota, listObjects } from './client.ts';
import type { Place } from './client.ts';
import { preparing } from './init-containers.ts';
import { lastWarning } from './pod-warnings.ts';
import { linesOf } from './pod-lines.ts';
import { objectPath } from './kinds.ts';

const pollMs = 1_000;
const shownLines = 5;

/**
 * Waits until a Job has done what it is for, as long as that takes. Throws KUBE_FETCH_FAILED once the cluster has given it up, and
 * KUBE_QUOTA where it gets no pod.
 */
export async function waitFetched(
  world: World,
  place: Place,
  wish: { readonly job: string; readonly from: string; readonly onProgress: (line: string) => void },
): Promise<void> {
  const { job, from } = wish;
  let told = '';
  for (;;) {
    const live = await getObject(place, { apiVersion: 'batch/v1', kind: 'Job', name: job }, ConditionsLive);
    const is = live?.status?.conditions?.filter(({ status }) => status === 'True') ?? [];
    if (is.some(({ type }) => type === 'Complete')) return;
    const failed = is.find(({ type }) => type === 'Failed');
    if (!live || failed) {
      const reason = live ? (failed?.message ?? 'the cluster gives no reason') : 'its Job is gone';
      throw new BerthError('KUBE_FETCH_FAILED', { job, from, reason, log: await lastLines(place, job) });
    }
    const [pod] = await podsOf(place, job);
    if (!pod) await expectRoom(place, live.metadata);
    const now = stateOf(pod);
    if (now !== told) {
      wish.onProgress(`Fetching ${from} in the cluster: ${now}`);
      await expectSpace(place, { job, from, pod });
    }
    told = now;
    await world.clock.sleep(pollMs);
  }
}

function podsOf(place: Place, job: string): Promise<PodLive[]> {
  return listObjects(
    place,
    { apiVersion: 'v1', kind: 'Pod', labels: `batch.kubernetes.io/job-name=${job}` },
    PodLive,
  );
}

/** A Job whose pods the quota refuses tells that by events alone, and would be tried for ever. */
async function expectRoom(place: Place, { name, uid }: { name: string; uid: string }): Promise<void> {
  const answer = await lastWarning(place, uid);
  if (answer !== null && isQuota(answer))
    throw new BerthError('KUBE_QUOTA', { object: `Job ${name}`, answer });
}

/** A disk that is full stays so, and the cluster would try it again for ten minutes. */
async function expectSpace(
  place: Place,
  { job, from, pod }: { job: string; from: string; pod: PodLive | undefined },
): Promise<void> {
  if (!pod || !hasEnded(pod)) return;
  const log = await lastLines(place, job);
  if (log.some(saysFullDisk))
    throw new BerthError('KUBE_FETCH_FAILED', { job, from, reason: 'its disk is full', log });
}

function hasEnded(pod: PodLive): boolean {
  const { terminated, waiting } = (preparing(pod) ?? pod.status?.containerStatuses?.[0])?.state ?? {};
  return (terminated?.exitCode ?? 0) !== 0 || waiting?.reason === 'CrashLoopBackOff';
}

/** In the words of the cluster. */
function stateOf(pod: PodLive | undefined): string {
  if (!pod) return 'there is no pod yet';
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return `finds no node: ${scheduled.message ?? 'no reason is given'}`;
  const { waiting, running, terminated } =
    (preparing(pod) ?? pod.status?.containerStatuses?.[0])?.state ?? {};
  if (waiting) return `its pod waits: ${[waiting.reason, waiting.message].filter(Boolean).join(': ')}`;
  if (terminated) return `ended with code ${terminated.exitCode ?? 'unknown'}`;
  return running ? 'under way' : 'its pod is being started';
}

async function lastLines(place: Place, job: string): Promise<string[]> {
  const [pod] = await podsOf(place, job);
  if (!pod) return [];
  const first = preparing(pod);
  const container = first ? `&container=${first.name}` : '';
  const path = `${objectPath({ apiVersion: 'v1', kind: 'Pod' }, place.namespace, pod.metadata.name)}/log?tailLines=${shownLines}${container}`;
  const lines: string[] = [];
  for await (const line of linesOf(place, path, AbortSignal.timeout(10_000))) lines.push(line);
  return lines;
}
