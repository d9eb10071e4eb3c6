import type { KubeObject } from './object.ts';

/** Kinds that berth makes or looks at, by their place in the server's addresses. */
const plurals: Readonly<Record<string, string>> = {
  'v1 Service': 'services',
  'v1 Secret': 'secrets',
  'v1 ConfigMap': 'configmaps',
  'v1 PersistentVolumeClaim': 'persistentvolumeclaims',
  'v1 Pod': 'pods',
  'v1 Event': 'events',
  'apps/v1 Deployment': 'deployments',
  'apps/v1 ReplicaSet': 'replicasets',
  'apps/v1 StatefulSet': 'statefulsets',
  'apps/v1 DaemonSet': 'daemonsets',
  'batch/v1 Job': 'jobs',
  'batch/v1 CronJob': 'cronjobs',
  'discovery.k8s.io/v1 EndpointSlice': 'endpointslices',
  'gateway.networking.k8s.io/v1 HTTPRoute': 'httproutes',
  'route.openshift.io/v1 Route': 'routes',
  'networking.k8s.io/v1 Ingress': 'ingresses',
  'networking.k8s.io/v1 NetworkPolicy': 'networkpolicies',
  'policy/v1 PodDisruptionBudget': 'poddisruptionbudgets',
  'autoscaling/v2 HorizontalPodAutoscaler': 'horizontalpodautoscalers',
  'keda.sh/v1alpha1 ScaledObject': 'scaledobjects',
  'monitoring.coreos.com/v1 ServiceMonitor': 'servicemonitors',
  'monitoring.coreos.com/v1 PodMonitor': 'podmonitors',
  'rbac.authorization.k8s.io/v1 Role': 'roles',
  'rbac.authorization.k8s.io/v1 RoleBinding': 'rolebindings',
  'v1 ServiceAccount': 'serviceaccounts',
  'v1 ResourceQuota': 'resourcequotas',
  'v1 LimitRange': 'limitranges',
  'coordination.k8s.io/v1 Lease': 'leases',
  'serving.kserve.io/v1beta1 InferenceService': 'inferenceservices',
  'serving.kserve.io/v1alpha1 ServingRuntime': 'servingruntimes',
  'serving.kserve.io/v1alpha1 ClusterServingRuntime': 'clusterservingruntimes',
  'serving.kserve.io/v1alpha1 LLMInferenceService': 'llminferenceservices',
  'serving.knative.dev/v1 Service': 'services',
};

export interface KubeKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Of a kind that the table does not have. */
  readonly plural?: string;
}

/** In place of a namespace: all of them. */
export const everyNamespace = '';

/** Where all objects of a kind in a namespace, or in all of them, are asked for. */
export function listPath({ apiVersion, kind, ...own }: KubeKind, namespace: string): string {
  const plural = own.plural ?? plurals[`${apiVersion} ${kind}`];
  if (plural === undefined) throw new Error(`The kind ${apiVersion} ${kind} is not in the table.`);
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  if (namespace === everyNamespace) return `${group}/${plural}`;
  return `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

export function objectPath(kind: KubeKind, namespace: string, name: string): string {
  return `${listPath(kind, namespace)}/${encodeURIComponent(name)}`;
}

/** "Deployment mistral", for people. */
export function nameOfObject({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}
