import { z } from 'zod';
import { conditionsOf } from './conditions.ts';
import type { KubeObject } from './kube-object.ts';

const State = z.object({
  running: z.object({}).nullish(),
  waiting: z.object({ reason: z.string().nullish() }).nullish(),
  terminated: z.object({ reason: z.string().nullish() }).nullish(),
});
const Ones = z
  .array(
    z.object({
      name: z.string(),
      ready: z.boolean().nullish(),
      restartCount: z.number().nullish(),
      state: State.nullish(),
      lastState: State.nullish(),
    }),
  )
  .nullish();
const Statuses = z.object({ containerStatuses: Ones, initContainerStatuses: Ones });

/** How one container of a pod does, as its node tells. */
export interface PodState {
  readonly pod: KubeObject;
  readonly container: string;
  readonly ready: boolean;
  readonly running: boolean;
  readonly restarts: number;
  /** Why it waits: "CrashLoopBackOff", "ImagePullBackOff". */
  readonly waiting: string | null;
  /** It was ended for memory. */
  readonly killed: boolean;
}

export function podStates(objects: readonly KubeObject[]): PodState[] {
  return objects
    .filter((object) => object.kind === 'Pod')
    .flatMap((pod) =>
      statusesOf(pod).map((one) => ({
        pod,
        container: one.name,
        ready: one.ready ?? false,
        running: Boolean(one.state?.running),
        restarts: one.restartCount ?? 0,
        waiting: one.state?.waiting?.reason ?? null,
        killed: [one.state, one.lastState].some((state) => state?.terminated?.reason === 'OOMKilled'),
      })),
    );
}

function statusesOf({ status }: KubeObject): NonNullable<z.infer<typeof Ones>> {
  const { containerStatuses, initContainerStatuses } = Statuses.safeParse(status).data ?? {};
  return [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])];
}

const Started = z.object({ startTime: z.string() });

/**
 * Since when a pod has not been ready; null for one that is ready, that a lost node tells nothing of (Unknown), or that does not tell.
 * `told`: its condition says so. Else that is when its node took it, of one whose containers show no earlier life: it may have been
 * ready meanwhile, which then shows nowhere.
 */
export function notReadySince(pod: KubeObject): { at: string; told: boolean } | null {
  const ready = conditionsOf(pod).find(({ type }) => type === 'Ready');
  if (ready?.status === 'True' || ready?.status === 'Unknown') return null;
  if (ready?.lastTransitionTime) return { at: ready.lastTransitionTime, told: true };
  const start = Started.safeParse(pod.status).data?.startTime;
  return start === undefined || hasLived(pod) ? null : { at: start, told: false };
}

function hasLived(pod: KubeObject): boolean {
  return statusesOf(pod).some(
    ({ restartCount, lastState }) =>
      (restartCount ?? 0) > 0 || Object.values(lastState ?? {}).some((state) => Boolean(state)),
  );
}

/** Why no node takes a pod, and since when; null for one that a node has. */
export function unscheduled(object: KubeObject): { why: string; since: string | null } | null {
  if (object.kind !== 'Pod') return null;
  const one = conditionsOf(object).find(
    ({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  );
  return one ? { why: one.message ?? 'Unschedulable', since: one.lastTransitionTime ?? null } : null;
}
