import { z } from 'zod';
import type { KubeObject } from './kube-object.ts';

const State = z.object({
  waiting: z.object({ reason: z.string().nullish() }).nullish(),
  terminated: z.object({ reason: z.string().nullish() }).nullish(),
});
const Statuses = z.object({
  containerStatuses: z.array(
    z.object({
      name: z.string(),
      ready: z.boolean().nullish(),
      restartCount: z.number().nullish(),
      state: State.nullish(),
      lastState: State.nullish(),
    }),
  ),
});

/** How one container of a pod does, as its node tells. */
export interface PodState {
  readonly pod: KubeObject;
  readonly container: string;
  readonly ready: boolean;
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
      (Statuses.safeParse(pod.status).data?.containerStatuses ?? []).map((one) => ({
        pod,
        container: one.name,
        ready: one.ready ?? false,
        restarts: one.restartCount ?? 0,
        waiting: one.state?.waiting?.reason ?? null,
        killed: [one.state, one.lastState].some((state) => state?.terminated?.reason === 'OOMKilled'),
      })),
    );
}
