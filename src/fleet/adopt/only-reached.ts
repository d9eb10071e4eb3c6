import { selects } from '../../domain/audit/kube-object.ts';
import type { ForeignService, ForeignWorkload } from '../../targets/kubernetes/foreign.ts';

/** Its selector fits the pods of this workload. Pure. */
export function leadsTo({ selector }: ForeignService, { template }: ForeignWorkload['spec']): boolean {
  return Object.keys(selector).length > 0 && selects(selector, template.metadata?.labels ?? {});
}

/**
 * How a gateway in the cluster reaches what berth does not run there, as the end of a sentence: it asks a Service, which shares
 * requests out to all pods. Pure.
 */
export function reachedBy(
  spec: ForeignWorkload['spec'],
  { services, port }: { services: readonly ForeignService[]; port: number | null },
): string {
  const [way] = services
    .filter((service) => leadsTo(service, spec))
    .flatMap(({ name, ways }) => ways.map((one) => ({ ...one, name })))
    .toSorted((a, b) => Number(b.target === port) - Number(a.target === port));
  const url = way ? `http://${way.name}:${way.port}` : `http://SERVICE:${port ?? 'PORT'}`;
  const first = way ? '' : 'make a Service to its pods; then ';
  return `${first}a gateway in the cluster reaches it by engine: {kind: openai, url: "${url}"}`;
}
