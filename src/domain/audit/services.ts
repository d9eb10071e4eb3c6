import { leadsTo } from './leads-to.ts';
import { z } from 'zod';
import { isGoing, sameNamespace, selects } from './kube-object.ts';
import type { KubeObject, Workload } from './kube-object.ts';

const Selecting = z.object({
  type: z.string().nullish(),
  selector: z.record(z.string(), z.string()).nullish().catch(null),
});

export type ServiceVerdict =
  | { readonly kind: 'orphan'; readonly selector: Readonly<Record<string, string>> }
  | {
      readonly kind: 'mismatch';
      readonly selector: Readonly<Record<string, string>>;
      readonly near: Workload;
    };

/**
 * What is wrong with a Service; null where nothing is. One that has endpoints, one without a selector, an ExternalName and one that
 * a controller made are left alone; so is one whose workload is scaled to zero, since its template still matches.
 */
export function judgeService(
  service: KubeObject,
  objects: readonly KubeObject[],
  workloads: readonly Workload[],
): ServiceVerdict | null {
  const { type, selector } = Selecting.safeParse(service.spec).data ?? {};
  if (!selector || Object.keys(selector).length === 0 || type === 'ExternalName') return null;
  if (isGoing(service)) return null;
  if ((service.metadata.ownerReferences ?? []).length > 0 || hasEndpoints(service, objects)) return null;
  const there = workloads.filter((one) => sameNamespace(one.object, service));
  const pods = objects.filter((one) => one.kind === 'Pod' && sameNamespace(one, service));
  if (there.some((one) => leadsTo(selector, one))) return null;
  if (pods.some((pod) => selects(selector, pod.metadata.labels ?? {}))) return null;
  const near = there.find((one) => almost(service, selector, one) && !isTaken(one, service, objects));
  return near ? { kind: 'mismatch', selector, near } : { kind: 'orphan', selector };
}

/** Meant for it all the same: the same name, or some of its labels. */
function almost(
  service: KubeObject,
  selector: Readonly<Record<string, string>>,
  { object, labels }: Workload,
): boolean {
  const named = object.metadata.name === service.metadata.name;
  return (
    named || Object.entries(selector).some(([name, value]) => !general.test(name) && labels[name] === value)
  );
}

/** Labels that many workloads share say nothing of which one is meant. */
const general =
  /^(tier|env|environment|component|team|chart|heritage|app\.kubernetes\.io\/(part-of|managed-by|component)|helm\.sh\/chart)$/;

/** Another Service leads to it already, and it has another name: so it is not the one that this was meant for. */
function isTaken({ object, labels }: Workload, service: KubeObject, objects: readonly KubeObject[]): boolean {
  if (object.metadata.name === service.metadata.name) return false;
  return objects.some((one) => {
    if (one.kind !== 'Service' || one === service || !sameNamespace(one, service)) return false;
    const selector = Selecting.safeParse(one.spec).data?.selector ?? {};
    return Object.keys(selector).length > 0 && selects(selector, labels);
  });
}

function hasEndpoints(service: KubeObject, objects: readonly KubeObject[]): boolean {
  return objects.some(
    (one) =>
      sameNamespace(one, service) &&
      ((one.kind === 'Endpoints' &&
        one.metadata.name === service.metadata.name &&
        (one.subsets ?? []).length > 0) ||
        (one.kind === 'EndpointSlice' &&
          one.metadata.labels?.['kubernetes.io/service-name'] === service.metadata.name &&
          (one.endpoints ?? []).length > 0)),
  );
}
