import { z } from 'zod';
import { namespaceOf, sameNamespace, selects } from '../../../domain/audit/kube-object.ts';
import type { KubeObject } from '../../../domain/audit/kube-object.ts';
import { roleOf } from '../../../domain/model-role.ts';
import { isPodOf } from '../../../domain/audit/model-pods.ts';
import { modelIdentity } from '../../../domain/audit/model-identity.ts';
import { fleetLabel, markAnnotation } from '../../../kube/names.ts';
import type { AuditView, PodServer } from '../contract.ts';

/** Servers of one model by several workloads of a namespace. */
export interface ModelCopies {
  readonly model: string;
  readonly servers: readonly PodServer[];
}

/**
 * By what their templates say. Those that are meant to be several are none: parts of one server, versions that share the requests of
 * one Service or route, and what has come to an end by itself, is scaled to zero, or is judged by its processes.
 */
export function copiesIn(view: AuditView): ModelCopies[] {
  const known = view.pods.filter(isServing).flatMap((pod) => {
    const model = modelIdentity(pod);
    return model === null ? [] : [{ pod, model }];
  });
  const groups = Map.groupBy(
    known,
    ({ pod, model }) => `${namespaceOf(pod.workload.object)} ${model} ${roleOf(pod.server)}`,
  );
  return [...groups.values()].flatMap((group) => {
    const apart: PodServer[] = [];
    for (const { pod } of group) if (!apart.some((one) => belongTogether(one, pod, view))) apart.push(pod);
    const [first, second] = apart;
    return first && second ? [{ model: first.server.model ?? group[0]?.model ?? '', servers: apart }] : [];
  });
}

/** A runtime only describes servers; a job ends. */
const passing = ['Job', 'CronJob', 'ServingRuntime', 'ClusterServingRuntime'];

/** Whether it stands for itself: engines that pass their caches on to each other are one server in parts. */
function isServing({ workload, server: { command } }: PodServer): boolean {
  if (passing.includes(workload.object.kind) || workload.replicas === 0) return false;
  return !/--(kv-transfer-config|disaggregation-mode|headless|data-parallel-(rank|start-rank)|node-rank)\b/.test(
    command.join(' '),
  );
}

function belongTogether(a: PodServer, b: PodServer, view: AuditView): boolean {
  const [one, other] = [a.workload.object, b.workload.object];
  if (one === other) return true;
  return (
    stemOf(one) === stemOf(other) ||
    (deploymentOf(one) !== null && deploymentOf(one) === deploymentOf(other)) ||
    shareRequests(a, b, view.objects) ||
    areSeen(a, b, view)
  );
}

/** "chat-canary" stands beside "chat" on purpose. */
function stemOf({ metadata: { name } }: KubeObject): string {
  return name.replace(/-(primary|canary|stable|preview|blue|green)$/, '');
}

const Marked = z.object({ deployment: z.string() });

/** Replicas of one deployment of a fleet are Deployments of their own. */
function deploymentOf({ metadata: { annotations, labels } }: KubeObject): string | null {
  try {
    const mark = Marked.parse(JSON.parse(annotations?.[markAnnotation] ?? ''));
    return `${labels?.[fleetLabel] ?? ''}/${mark.deployment}`;
  } catch {
    return null;
  }
}

const Selecting = z.object({ selector: z.record(z.string(), z.string()) });
/** A pool of the gateway has the labels where workloads have them, or in its first version as a Service. */
const Pooling = z.object({ selector: z.object({ matchLabels: z.record(z.string(), z.string()) }) });
const Splitting = z.object({
  rules: z.array(z.object({ backendRefs: z.array(z.object({ name: z.string() })) })),
});

function selectorOf({ kind, spec }: KubeObject): Record<string, string> | undefined {
  const plain = ['Service', 'InferencePool'].includes(kind) ? Selecting.safeParse(spec).data : undefined;
  const pooled = kind === 'InferencePool' ? Pooling.safeParse(spec).data : undefined;
  return plain?.selector ?? pooled?.selector.matchLabels;
}

/** One Service or pool selects both, or one rule of a route divides its requests among them. */
function shareRequests(a: PodServer, b: PodServer, objects: readonly KubeObject[]): boolean {
  const near = objects.filter((one) => sameNamespace(one, a.workload.object));
  const services = near.flatMap((one) => {
    const selector = selectorOf(one);
    if (!selector || Object.keys(selector).length === 0) return [];
    const [leadsToA, leadsToB] = [a, b].map(({ workload }) => selects(selector, workload.labels));
    return leadsToA || leadsToB ? [{ name: one.metadata.name, leadsToA, leadsToB }] : [];
  });
  if (services.some((one) => one.leadsToA && one.leadsToB)) return true;
  const rules = near.flatMap((one) => Splitting.safeParse(one.spec).data?.rules ?? []);
  return rules.some(({ backendRefs }) => {
    const named = services.filter((one) => backendRefs.some(({ name }) => name === one.name));
    return named.some((one) => one.leadsToA) && named.some((one) => one.leadsToB);
  });
}

/** Processes of both are seen on one machine, where their memory and files tell more. */
function areSeen(a: PodServer, b: PodServer, { hosts, modelPods }: AuditView): boolean {
  function uidsOf({ workload }: PodServer): (string | null | undefined)[] {
    return modelPods.filter((pod) => isPodOf(pod, workload)).map((pod) => pod.metadata.uid);
  }
  return hosts.some(({ servers }) => {
    const pods = servers.flatMap(({ owner }) => (owner.kind === 'pod' ? [owner.name] : []));
    return [a, b].every((one) => uidsOf(one).some((uid) => pods.includes(uid ?? '')));
  });
}
