import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { listObjects, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { fleetLabel } from '../../kube/names.ts';
import { trackerOf } from '../../kube/ownership.ts';
import type { World } from '../../io/world.ts';

const texts = z.record(z.string(), z.string()).nullish();
const amounts = z.record(z.string(), z.union([z.string(), z.number()])).nullish();

/** Of the pods, as a number or in per cent. */
const part = z.union([z.number(), z.string()]).nullish();

const Container = z.looseObject({
  name: z.string(),
  image: z.string().nullish(),
  imagePullPolicy: z.string().nullish(),
  command: z.array(z.string()).nullish(),
  args: z.array(z.string()).nullish(),
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().nullish(),
        valueFrom: z
          .looseObject({ secretKeyRef: z.object({ name: z.string(), key: z.string() }).nullish() })
          .nullish(),
      }),
    )
    .nullish(),
  ports: z.array(z.object({ containerPort: z.number(), hostPort: z.number().nullish() })).nullish(),
  resources: z
    .object({ requests: amounts, limits: amounts, claims: z.array(z.object({ name: z.string() })).nullish() })
    .nullish(),
  lifecycle: z.record(z.string(), z.unknown()).nullish(),
  volumeMounts: z
    .array(
      z.object({
        name: z.string(),
        mountPath: z.string(),
        subPath: z.string().nullish(),
        subPathExpr: z.string().nullish(),
      }),
    )
    .nullish(),
  securityContext: z
    .looseObject({
      privileged: z.boolean().nullish(),
      capabilities: z.object({ add: z.array(z.string()).nullish() }).nullish(),
    })
    .nullish(),
});
export type ForeignEngine = z.infer<typeof Container>;

const PodSpec = z.looseObject({
  containers: z.array(Container).min(1),
  initContainers: z.array(z.object({ name: z.string() })).nullish(),
  volumes: z
    .array(
      z.looseObject({
        name: z.string(),
        hostPath: z.object({ path: z.string() }).nullish(),
        persistentVolumeClaim: z.object({ claimName: z.string() }).nullish(),
        emptyDir: z.object({ medium: z.string().nullish(), sizeLimit: z.string().nullish() }).nullish(),
      }),
    )
    .nullish(),
  nodeSelector: texts,
  tolerations: z.array(z.record(z.string(), z.unknown())).nullish(),
  serviceAccountName: z.string().nullish(),
  imagePullSecrets: z.array(z.object({ name: z.string() })).nullish(),
});

const Workload = Live.extend({
  spec: z.object({
    replicas: z.number().nullish(),
    selector: z.looseObject({ matchLabels: texts }).nullish(),
    strategy: z
      .object({
        type: z.string().nullish(),
        rollingUpdate: z.object({ maxSurge: part, maxUnavailable: part }).nullish(),
      })
      .nullish(),
    template: z.object({
      metadata: z.object({ labels: texts, annotations: texts }).nullish(),
      spec: PodSpec,
    }),
  }),
});

const Service = Live.extend({
  spec: z.object({
    selector: texts,
    clusterIP: z.string().nullish(),
    ports: z
      .array(z.object({ port: z.number(), targetPort: z.union([z.string(), z.number()]).nullish() }))
      .nullish(),
  }),
});

/** What makes pods in a cluster and was made by others, as far as another like it could be made of it. */
export interface ForeignWorkload {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** What would set it as it was: "Argo CD"; null when nothing would. */
  readonly keeper: string | null;
  /** It has the label of a fleet, be it another. */
  readonly marked: boolean;
  readonly spec: z.infer<typeof Workload>['spec'];
}

export interface ForeignService {
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Where one asks, and the port of a pod that it leads to, by number or by name. */
  readonly ways: readonly { readonly port: number; readonly target: string | number }[];
}

const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

/** What others made in a namespace, as far as one may see it. */
export interface ForeignObjects {
  readonly workloads: readonly ForeignWorkload[];
  readonly services: readonly ForeignService[];
  /** Kinds that the cluster does not let berth list. */
  readonly hidden: readonly string[];
}

/** What makes pods in the namespace of this cluster, and the Services beside it. Throws KUBE_FORBIDDEN for Deployments and Services. */
export async function foreignWorkloads(world: World): Promise<ForeignObjects> {
  const place = await placeOf(world);
  const lists = await Promise.all(
    kinds.map(async (kind) => ({ kind, found: await workloadsOf(place, kind) })),
  );
  const services = await listObjects(place, { apiVersion: 'v1', kind: 'Service', labels: '' }, Service);
  return {
    workloads: lists.flatMap(({ found }) => found ?? []),
    hidden: lists.flatMap(({ kind, found }) => (found ? [] : [kind])),
    services: services.map(({ metadata, spec }) => ({
      name: metadata.name,
      selector: spec.selector ?? {},
      ways: (spec.ports ?? []).map(({ port, targetPort }) => {
        const target = targetPort ?? port;
        // Without an address of its own its name is that of the pods.
        return { port: spec.clusterIP === 'None' && typeof target === 'number' ? target : port, target };
      }),
    })),
  };
}

/** Null for a kind that is only told, where it may not be seen. */
async function workloadsOf(place: Place, kind: (typeof kinds)[number]): Promise<ForeignWorkload[] | null> {
  try {
    const found = await listObjects(place, { apiVersion: 'apps/v1', kind, labels: '' }, Workload);
    return found.map((live): ForeignWorkload => {
      const { name, uid, labels } = live.metadata;
      const marked = labels?.[fleetLabel] !== undefined;
      return { kind, name, uid, keeper: trackerOf(live), marked, spec: live.spec };
    });
  } catch (error) {
    if (kind === 'Deployment' || !(error instanceof BerthError && error.code === 'KUBE_FORBIDDEN'))
      throw error;
    return null;
  }
}
