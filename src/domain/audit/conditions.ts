import { z } from 'zod';
import type { KubeObject } from './kube-object.ts';

/** As long as a model may take to come over the network and be loaded: what is not ready for less may still become so. */
export const modelComingMs = 60 * 60_000;

const Condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  lastTransitionTime: z.string().nullish(),
});
export type Condition = z.infer<typeof Condition>;

const Status = z.object({ conditions: z.array(Condition) });

/** What a controller says of an object, condition by condition; none where it says nothing. Pure. */
export function conditionsOf({ status }: Pick<KubeObject, 'status'>): readonly Condition[] {
  return Status.safeParse(status).data?.conditions ?? [];
}
