import { z } from 'zod';
import { Peer } from './peer.ts';

const Name = z.string().min(1);
const Count = z.union([z.int().min(0), z.string().regex(/^\d{1,3}%$/)]).meta({ examples: [1, '50%'] });

const DisruptionBudget = z.union([
  z
    .strictObject({ maxUnavailable: Count.describe('most that may be down, as a number or a share') })
    .describe('how many of its pods may be down'),
  z
    .strictObject({ minAvailable: Count.describe('fewest that must serve, as a number or a share') })
    .describe('how many of its pods must serve'),
]);

const HttpRoute = z.strictObject({
  gateway: Name.describe('name of the Gateway that serves it'),
  gatewayNamespace: Name.optional().describe('namespace of that Gateway; by default its own'),
  section: Name.optional().describe('listener of that Gateway; by default all'),
  host: Name.optional().describe("host name that clients use; by default those of the Gateway's listeners"),
  path: z.string().startsWith('/').default('/').describe('paths below this one'),
  timeout: z
    .string()
    .regex(/^\d{1,5}(h|m|s|ms)$/)
    .default('3600s')
    .describe('longest answer; "0s": none is too long'),
  from: Peer.optional().describe('pods of the proxy behind that Gateway, which allowFrom then lets in too'),
});

const Monitor = z.strictObject({
  by: z
    .enum(['service', 'pods'])
    .default('service')
    .describe('whether a ServiceMonitor or a PodMonitor names it to Prometheus'),
  interval: z
    .string()
    .regex(/^\d+(ms|s|m|h)$/)
    .default('15s')
    .describe('how often its metrics are read'),
  labels: z
    .record(z.string(), z.string())
    .default({})
    .describe('labels by which Prometheus chooses what it reads, such as {release: prometheus}'),
  from: Peer.optional().describe('pods of Prometheus, which allowFrom then lets in too'),
});

const bounds = {
  min: z.int().min(1).default(1).describe('fewest pods'),
  max: z.int().min(1).describe('most pods'),
};

function isOrdered({ min, max }: { min: number; max: number }): boolean {
  return min <= max;
}
const order = { message: 'min is more than max', path: ['min'] };

const Autoscale = z.union([
  z
    .strictObject({
      ...bounds,
      metric: Name.describe('metric of a pod, as the adapter of the cluster names it').meta({
        examples: ['vllm_num_requests_waiting', 'llamacpp_requests_deferred'],
      }),
      average: z.number().positive().describe('what it should be for each pod'),
    })
    .refine(isOrdered, order)
    .describe('pods by a metric of theirs, by a HorizontalPodAutoscaler'),
  z
    .strictObject({
      ...bounds,
      prometheus: z.url().describe('address of Prometheus, as KEDA reaches it'),
      query: Name.describe('query that gives one number').meta({
        examples: ['sum(berth_gateway_queue_depth{deployment="mistral"})'],
      }),
      threshold: z.number().positive().describe('how much of that one pod is for'),
      cooldown: z.int().min(0).default(360).describe('seconds of calm before there are fewer pods'),
      polling: z.int().min(1).default(15).describe('seconds from one look to the next'),
    })
    .refine(isOrdered, order)
    .describe('pods by a query of Prometheus, by KEDA'),
]);

/** Keys of `target:` for what a cluster's platform does beside running pods. */
export const platformOptions = {
  disruptionBudget: DisruptionBudget.optional().describe(
    'how many pods of the deployment a drain of nodes may take at once; by default any',
  ),
  httpRoute: HttpRoute.optional().describe('a way in from outside, by a Gateway of the Gateway API'),
  monitor: Monitor.optional().describe("how the Prometheus operator finds the engine's metrics"),
  autoscale: Autoscale.optional().describe('how many pods there are, by load; then nobody else says so'),
};

export type PlatformOptions = z.infer<z.ZodObject<typeof platformOptions>>;
