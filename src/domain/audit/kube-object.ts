import { z } from 'zod';

const names = z.record(z.string(), z.string()).nullish().catch(null);
const loose = z.record(z.string(), z.unknown()).nullish().catch(null);

/** Any object of Kubernetes. */
export const KubeObject = z.object({
  apiVersion: z.string().nullish(),
  kind: z.string(),
  metadata: z.object({
    name: z.string(),
    namespace: z.string().nullish(),
    uid: z.string().nullish().catch(null),
    /** It is being taken away. */
    deletionTimestamp: z.string().nullish().catch(null),
    labels: names,
    annotations: names,
    ownerReferences: z
      .array(z.object({ kind: z.string(), name: z.string() }))
      .nullish()
      .catch(null),
  }),
  spec: loose,
  status: loose,
  endpoints: z.array(z.unknown()).nullish().catch(null),
  subsets: z.array(z.unknown()).nullish().catch(null),
});

/** The cluster that an object was seen in. */
export interface SeenIn {
  readonly name: string;
  /** Others were looked at beside it, so that a name alone does not say which object is meant. */
  readonly several: boolean;
  readonly reach: { readonly host: string | null; readonly context: string } | null;
  /** Kinds that were not shown. */
  readonly unseen: readonly string[];
}

export type KubeObject = z.infer<typeof KubeObject> & { readonly cluster?: SeenIn };

const words = z.array(z.coerce.string()).nullish().catch(null);
const number = z.union([z.number(), z.string()]).nullish().catch(null);

const Probe = z
  .object({
    httpGet: z
      .object({
        path: z.string().nullish(),
        port: number,
        host: z.string().nullish(),
        scheme: z.string().nullish(),
        httpHeaders: z.array(z.object({ name: z.string() })).nullish(),
      })
      .nullish(),
    tcpSocket: z.object({ port: number, host: z.string().nullish() }).nullish(),
    initialDelaySeconds: z.number().nullish(),
    periodSeconds: z.number().nullish(),
    failureThreshold: z.number().nullish(),
  })
  .nullish()
  .catch(null);
export type Probe = z.infer<typeof Probe>;

const Amounts = z
  .record(z.string(), z.union([z.string(), z.number()]))
  .nullish()
  .catch(null);

export const Container = z.object({
  name: z.string(),
  image: z.string().nullish(),
  command: words,
  args: words,
  env: z
    .array(z.object({ name: z.string(), value: z.string().nullish(), valueFrom: loose }))
    .nullish()
    .catch(null),
  ports: z
    .array(
      z.object({
        name: z.string().nullish(),
        containerPort: z.number(),
        /** That of its node by which it is reached, too. */
        hostPort: z.number().nullish(),
        hostIP: z.string().nullish(),
      }),
    )
    .nullish()
    .catch(null),
  envFrom: z.array(z.unknown()).nullish().catch(null),
  /** Of an initial container: "Always" for one that runs beside the others. */
  restartPolicy: z.string().nullish().catch(null),
  resources: z
    .object({ limits: Amounts, requests: Amounts, claims: z.array(z.unknown()).nullish().catch(null) })
    .nullish()
    .catch(null),
  securityContext: z.object({ privileged: z.boolean().nullish() }).nullish().catch(null),
  startupProbe: Probe,
  readinessProbe: Probe,
  livenessProbe: Probe,
  volumeMounts: z
    .array(
      z.object({
        name: z.string(),
        mountPath: z.string(),
        subPath: z.string().nullish(),
        subPathExpr: z.string().nullish(),
      }),
    )
    .nullish()
    .catch(null),
});
export type Container = z.infer<typeof Container>;

export const PodSpec = z.object({
  containers: z.array(Container).catch([]),
  initContainers: z.array(Container).nullish().catch(null),
  hostPID: z.boolean().nullish(),
  hostNetwork: z.boolean().nullish(),
  hostIPC: z.boolean().nullish(),
  enableServiceLinks: z.boolean().nullish(),
  runtimeClassName: z.string().nullish().catch(null),
  volumes: z
    .array(
      z.object({
        name: z.string(),
        persistentVolumeClaim: z.object({ claimName: z.string() }).nullish().catch(null),
        emptyDir: z.object({ medium: z.string().nullish() }).nullish().catch(null),
        hostPath: z.object({ path: z.string() }).nullish().catch(null),
      }),
    )
    .nullish()
    .catch(null),
});
export type PodSpec = z.infer<typeof PodSpec>;

/** What makes pods: a Deployment and its like, or a pod that nothing made. */
export interface Workload {
  readonly object: KubeObject;
  readonly labels: Readonly<Record<string, string>>;
  /** How many pods are wanted; null: as many as its kind decides. */
  readonly replicas: number | null;
  readonly pod: PodSpec;
  /** A controller adds to it what is not seen here, so that nothing may be said of what it lacks. */
  readonly partial: boolean;
}

/** "Deployment llm/mistral" */
export function titleOf({ kind, metadata: { name, namespace }, cluster }: KubeObject): string {
  return `${kind} ${namespace ?? 'default'}/${name}${cluster?.several ? ` of ${cluster.name}` : ''}`;
}

/** Somebody takes it away already: there is nothing left to be done about it. */
export function isGoing({ metadata }: KubeObject): boolean {
  return Boolean(metadata.deletionTimestamp);
}

export function sameNamespace(a: KubeObject, b: KubeObject): boolean {
  return namespaceOf(a) === namespaceOf(b);
}

/** Namespaces of two clusters are two, whatever they are called. */
export function namespaceOf({ metadata, cluster }: KubeObject): string {
  return `${cluster?.name ?? ''}/${metadata.namespace ?? 'default'}`;
}

export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** Words by which objects show that they belong to model servers. */
const hints = /llm|llama|vllm|sglang|ollama|gguf|kserve|inference|huggingface|openai/i;

/** Whether an object is any business of ours: a cluster is full of others', and what is wrong with those is not told. */
export function concernsModels(object: KubeObject, modelNamespaces: ReadonlySet<string>): boolean {
  const { namespace, name } = object.metadata;
  return (
    modelNamespaces.has(namespaceOf(object)) ||
    namesModels(`${namespace} ${name} ${JSON.stringify(object.spec ?? {})}`)
  );
}

export function namesModels(text: string): boolean {
  return hints.test(text);
}
