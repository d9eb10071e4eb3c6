import { amountOf } from '../domain/kube-amount.ts';
import type { Usage } from '../targets/contract.ts';
import { DeploymentLive, PodLive, PodMetrics } from './answers.ts';
import { getObject, listObjects, Live } from './client.ts';
import type { Place } from './client.ts';
import { restartsOf } from './state.ts';
import type { Made } from './state.ts';

/** A Deployment by its name, and the labels of its pods. */
export interface Named {
  readonly name: string;
  readonly labels: string;
}

/** Null when there is no such Deployment. */
export async function lookAt(place: Place, named: Named): Promise<Made | null> {
  const kind = { apiVersion: 'apps/v1', kind: 'Deployment', name: named.name };
  const deployment = await getObject(place, kind, DeploymentLive);
  return deployment && madeBy(place, deployment, named);
}

export async function madeBy(
  place: Place,
  deployment: DeploymentLive,
  { labels }: Pick<Named, 'labels'>,
): Promise<Made> {
  const [replicaSets, pods] = await Promise.all([
    listObjects(place, { apiVersion: 'apps/v1', kind: 'ReplicaSet', labels }, Live),
    listObjects(place, { apiVersion: 'v1', kind: 'Pod', labels }, PodLive),
  ]);
  return { deployment, replicaSets, pods };
}

/** Memory and cores where the cluster has metrics; processor time it tells as a rate alone. */
export async function usageOf(place: Place, made: Made, labels: string): Promise<Usage> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${place.namespace}/pods?labelSelector=${encodeURIComponent(labels)}`;
  const { status, json } = await place.api.ask('GET', path);
  const items = status === 200 ? (PodMetrics.safeParse(json).data?.items ?? []) : [];
  const used = items.flatMap(({ containers }) => containers.map(({ usage }) => usage));
  const bytes = sumOf(used.map(({ memory }) => memory));
  return {
    memoryBytes: bytes === null ? null : Math.round(bytes),
    cpuSeconds: null,
    cores: sumOf(used.map(({ cpu }) => cpu)),
    restarts: restartsOf(made),
  };
}

/** Null where nobody tells. */
function sumOf(amounts: readonly (string | null | undefined)[]): number | null {
  const told = amounts.flatMap((one) => amountOf(one) ?? []);
  return told.length === 0 ? null : told.reduce((sum, one) => sum + one, 0);
}
