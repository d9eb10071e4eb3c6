import { z } from 'zod';
import { Live, Meta } from './client.ts';

/** What a cluster tells of the objects that berth looks at, as far as it looks. */
const count = z.number().nullish();

export const DeploymentLive = Live.extend({
  metadata: Meta,
  spec: z.looseObject({ replicas: count, minReadySeconds: count }),
  status: z
    .object({
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      availableReplicas: count,
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().nullish(),
            message: z.string().nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});
export type DeploymentLive = z.infer<typeof DeploymentLive>;

/** Whatever tells how it is by conditions: Jobs, InferenceServices. */
export const ConditionsLive = Live.extend({
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().nullish() }))
        .nullish(),
    })
    .nullish(),
});

export type ConditionsLive = z.infer<typeof ConditionsLive>;

const Terminated = z.object({
  exitCode: z.number().nullish(),
  signal: z.number().nullish(),
  reason: z.string().nullish(),
});

const ContainerState = z
  .object({
    waiting: z.object({ reason: z.string().nullish(), message: z.string().nullish() }).nullish(),
    running: z.object({ startedAt: z.string().nullish() }).nullish(),
    terminated: Terminated.nullish(),
  })
  .nullish();

const ContainerLive = z.object({
  name: z.string(),
  image: z.string().nullish(),
  ready: z.boolean().nullish(),
  restartCount: count,
  state: ContainerState,
  lastState: ContainerState,
});
export type ContainerLive = z.infer<typeof ContainerLive>;

export const PodLive = Live.extend({
  metadata: Meta,
  spec: z.object({ terminationGracePeriodSeconds: z.number().nullish() }).nullish(),
  status: z
    .object({
      phase: z.string().nullish(),
      reason: z.string().nullish(),
      message: z.string().nullish(),
      podIP: z.string().nullish(),
      hostIP: z.string().nullish(),
      startTime: z.string().nullish(),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().nullish() }))
        .nullish(),
      initContainerStatuses: z.array(ContainerLive).nullish(),
      containerStatuses: z.array(ContainerLive).nullish(),
    })
    .nullish(),
});
export type PodLive = z.infer<typeof PodLive>;

export const ServiceLive = Live.extend({
  spec: z.object({
    type: z.string().nullish(),
    ports: z.array(z.object({ nodePort: count })).nullish(),
  }),
});

export const PodMetrics = z.object({
  items: z
    .array(
      z.object({
        containers: z.array(
          z.object({ usage: z.object({ cpu: z.string().nullish(), memory: z.string().nullish() }) }),
        ),
      }),
    )
    .nullish(),
});
