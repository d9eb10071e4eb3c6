import type { Mark } from '../../domain/instance.ts';
import { z } from 'zod';
import { podOptions } from '../../kube/pod-options.ts';
import { Peer } from './peer.ts';
import { platformOptions } from './platform-options.ts';

const Claim = z.strictObject({
  size: z
    .string()
    .regex(/^\d+(Mi|Gi|Ti)$/)
    .describe('size of the volume')
    .meta({ examples: ['50Gi'] }),
  storageClass: z.string().min(1).optional().describe("kind of storage; by default the cluster's own"),
  access: z
    .enum(['ReadWriteOnce', 'ReadWriteMany'])
    .default('ReadWriteOnce')
    .describe('whether several nodes may use it at once'),
});

const Service = z.strictObject({
  type: z
    .enum(['ClusterIP', 'NodePort', 'LoadBalancer'])
    .default('ClusterIP')
    .describe('who can reach it: the cluster, or others too'),
  nodePort: z.int().min(1).max(65535).optional().describe('port of the nodes; by default any'),
  name: z
    .string()
    .regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .optional()
    .describe("its name, where another Service has the deployment's"),
});

const Ingress = z.strictObject({
  class: z.string().min(1).optional().describe('which controller serves it, such as traefik or nginx'),
  host: z.string().min(1).describe('host name that clients use'),
  path: z.string().startsWith('/').default('/').describe('paths below this one'),
  tls: z.string().min(1).optional().describe('name of the Secret with its certificate'),
  annotations: z.record(z.string(), z.string()).default({}).describe('annotations for its controller'),
  from: Peer.optional().describe('pods of its controller, which allowFrom then lets in too'),
});

/** Keys of `target:` for a Deployment of a cluster. */
export const KubernetesOptions = z.strictObject({
  kind: z.literal('kubernetes'),
  ...podOptions,
  pull: z
    .enum(['IfNotPresent', 'Always', 'Never'])
    .default('IfNotPresent')
    .describe('when the image is fetched'),
  user: z
    .string()
    .regex(/^\d+(:\d+)?$/)
    .optional()
    .describe('numbers of user and group that it runs as, such as "10001:10001"; then never as root'),
  readOnlyRoot: z
    .boolean()
    .default(false)
    .describe('whether nothing but its volumes and /tmp can be written'),
  preStop: z
    .int()
    .min(0)
    .max(600)
    .default(5)
    .describe('seconds that a pod still serves once it is to end, since news of that travel'),
  strategy: z
    .enum(['Recreate', 'RollingUpdate'])
    .optional()
    .describe(
      'how pods are replaced; by default Recreate where it has GPUs, since the new pod would wait for them',
    ),
  cache: Claim.optional().describe(
    'a volume for what the engine keeps; without it that is lost with the pod',
  ),
  selector: z
    .record(z.string(), z.string())
    .refine((labels) => Object.keys(labels).length > 0, 'needs a label')
    .optional()
    .describe(
      "labels by which a Deployment knows its pods, in place of berth's own: of one that was adopted they can never be changed",
    ),
  service: Service.prefault({}).describe('the name and port it has in the cluster'),
  ingress: Ingress.optional().describe('a way in from outside of the cluster'),
  allowFrom: z
    .array(Peer.describe('pods that may ask it'))
    .min(1)
    .optional()
    .describe('pods that alone may ask it; by default the cluster decides'),
  ...platformOptions,
  patch: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('a JSON merge patch over the Deployment that berth writes'),
});
export type KubernetesOptions = z.infer<typeof KubernetesOptions>;

/** Those of a mark; this schema has parsed them before they were written there. */
export function optionsOf({ target }: Mark): KubernetesOptions {
  return target as unknown as KubernetesOptions;
}
