import type { Clock } from '../io/clock.ts';
import { ConditionsLive, PodLive } from './answers.ts';
import { getObject, listObjects } from './client.ts';
import type { Place } from './client.ts';
import { containerLines } from './pod-lines.ts';

const pollMs = 1_000;

/** How a Job ended. */
export interface JobEnd {
  readonly complete: boolean;
  /** Of the container of its last pod; null: it was never there, or was taken away. */
  readonly exitCode: number | null;
  /** In the cluster's words; null: it has none. */
  readonly reason: string | null;
}

/** Follows the output of a Job's pods, one after the other, to its end; null when it is gone. `tell` hears what it waits for. */
export async function followJob(
  clock: Clock,
  place: Place,
  { job, container, signal }: { job: string; container: string; signal: AbortSignal },
  hear: { line: (text: string) => void; waits: (reason: string) => void },
): Promise<JobEnd | null> {
  const followed = new Set<string>();
  let waited = '';
  while (!signal.aborted) {
    const labels = `batch.kubernetes.io/job-name=${job}`;
    const pods = await listObjects(place, { apiVersion: 'v1', kind: 'Pod', labels }, PodLive);
    const next = pods.find((pod) => hasBegun(pod, container) && !followed.has(pod.metadata.name));
    if (next) {
      followed.add(next.metadata.name);
      for await (const line of containerLines(place, { pod: next.metadata.name, container }, signal))
        hear.line(line);
      continue;
    }
    const live = await getObject(place, { apiVersion: 'batch/v1', kind: 'Job', name: job }, ConditionsLive);
    if (!live) return null;
    const end = (live.status?.conditions ?? []).find(
      ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
    );
    if (end) {
      const codes = pods.flatMap((pod) => stateOf(pod, container)?.terminated?.exitCode ?? []);
      return {
        complete: end.type === 'Complete',
        exitCode: codes.at(-1) ?? null,
        reason: end.message ?? null,
      };
    }
    const waits = pods.map((pod) => waitOf(pod, container)).find((text) => text !== null) ?? '';
    if (waits !== waited && waits !== '') hear.waits(waits);
    waited = waits;
    await clock.sleep(pollMs, signal).catch(() => {});
  }
  return null;
}

type State = NonNullable<NonNullable<PodLive['status']>['containerStatuses']>[number]['state'];

function stateOf({ status }: PodLive, container: string): State {
  return status?.containerStatuses?.find(({ name }) => name === container)?.state;
}

function hasBegun(pod: PodLive, container: string): boolean {
  const state = stateOf(pod, container);
  return Boolean(state?.running ?? state?.terminated);
}

/** What the cluster says that it waits for. */
function waitOf(pod: PodLive, container: string): string | null {
  const waiting = stateOf(pod, container)?.waiting;
  if (waiting) return [waiting.reason, waiting.message].filter(Boolean).join(': ');
  const unready = (pod.status?.conditions ?? []).find(
    ({ type, status }) => type === 'PodScheduled' && status !== 'True',
  );
  return unready?.message ?? null;
}
