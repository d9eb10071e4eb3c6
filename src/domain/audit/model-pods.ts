import { namesModels, sameNamespace, selects } from './kube-object.ts';
import type { KubeObject, Workload } from './kube-object.ts';

/**
 * The pods that have to do with models: those of workloads that run a model server, and those that speak of models themselves, such
 * as a router. What else shares their namespace is none of ours.
 */
export function modelPods(
  objects: readonly KubeObject[],
  servers: readonly { readonly workload: Workload }[],
): KubeObject[] {
  return objects.filter(
    (object) =>
      object.kind === 'Pod' &&
      (namesModels(`${object.metadata.name} ${JSON.stringify([object.spec, object.metadata.labels])}`) ||
        servers.some(({ workload }) => isPodOf(object, workload))),
  );
}

/** Whether a template makes this pod, or is it. */
export function isPodOf(pod: KubeObject, { object, labels }: Workload): boolean {
  if (pod === object) return true;
  return (
    sameNamespace(pod, object) && Object.keys(labels).length > 0 && selects(labels, pod.metadata.labels ?? {})
  );
}
