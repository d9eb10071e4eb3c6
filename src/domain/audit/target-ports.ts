import { leadsTo } from './leads-to.ts';
import { z } from 'zod';
import { PodSpec, sameNamespace, selects } from './kube-object.ts';
import type { Container, KubeObject, Workload } from './kube-object.ts';
import { saysElsewhere, serverPort } from './server-port.ts';
import type { ServerOfPod } from './server-port.ts';

const port = z.union([z.number(), z.string()]);
const Leading = z.object({
  type: z.string().nullish(),
  clusterIP: z.string().nullish(),
  selector: z.record(z.string(), z.string()),
  ports: z.array(z.object({ port: z.number(), targetPort: port.nullish(), protocol: z.string().nullish() })),
});

/** As an audit's view has them. */
interface Seen {
  readonly objects: readonly KubeObject[];
  readonly workloads: readonly Workload[];
  readonly pods: readonly ServerOfPod[];
}

/** A port of a Service behind which nobody listens. */
export interface DeadPort {
  readonly port: number;
  readonly target: string;
  /** What the containers of its pods have in its place. */
  readonly declared: readonly string[];
}

/**
 * The ports of a Service that lead to none of the model servers it selects, with how many it has; null for a Service that selects
 * none, or that a controller made. A name that no container has is one; a number only where all that could listen there says that it
 * does not.
 */
export function deadPorts(
  service: KubeObject,
  { objects, workloads, pods: servers }: Seen,
): { dead: DeadPort[]; of: number } | null {
  const spec = Leading.safeParse(service.spec).data;
  if (!spec || spec.type === 'ExternalName' || Object.keys(spec.selector).length === 0) return null;
  if ((service.metadata.ownerReferences ?? []).length > 0) return null;
  const selected = workloads.filter(
    ({ object, labels }) => sameNamespace(object, service) && leadsTo(spec.selector, { object, labels }),
  );
  const serving = servers.filter((one) => selected.includes(one.workload));
  if (serving.length === 0 || selected.some((one) => one.partial)) return null;
  const live = livePods(service, spec.selector, objects);
  const containers = [...selected.map((one) => one.pod), ...live].flatMap((pod) => [
    ...pod.containers,
    ...(pod.initContainers ?? []).filter((one) => one.restartPolicy === 'Always'),
  ]);
  const ports = spec.ports.filter((one) => (one.protocol ?? 'TCP') === 'TCP');
  const dead = ports
    .map(({ port, targetPort }) => ({ port, target: String(targetPort ?? port) }))
    .filter(({ target }) => {
      const named = containers.some((one) => one.ports?.some(({ name }) => name === target));
      if (named || !/^\d+$/.test(target)) return !named;
      // Without an address of its own its port is whatever a client asks for.
      return spec.clusterIP !== 'None' && !mayListen(Number(target), containers, serving);
    });
  return { dead: dead.map((one) => ({ ...one, declared: declaredBy(containers) })), of: ports.length };
}

/** What else its selector meets, with what was put into pods when they were made. */
function livePods(
  service: KubeObject,
  selector: Readonly<Record<string, string>>,
  objects: readonly KubeObject[],
): PodSpec[] {
  return objects
    .filter(({ kind, metadata }) => kind === 'Pod' && selects(selector, metadata.labels ?? {}))
    .filter((pod) => sameNamespace(pod, service))
    .flatMap((pod) => PodSpec.safeParse(pod.spec).data ?? []);
}

/** Whether anybody could listen there: a server that is started with that port or with one that does not show, a container beside it that declares it or nothing. */
function mayListen(
  number: number,
  containers: readonly Container[],
  servers: readonly ServerOfPod[],
): boolean {
  const declared = containers.some((one) => one.ports?.some(({ containerPort }) => containerPort === number));
  if (declared) return true;
  const names = new Set(servers.map(({ container }) => container.name));
  if (containers.some((one) => !names.has(one.name) && (one.ports ?? []).length === 0)) return true;
  const word = new RegExp(String.raw`(^|\D)${number}(\D|$)`);
  const said = containers.flatMap(({ command, args, env }) => [
    ...(command ?? []),
    ...(args ?? []),
    ...(env ?? []).map(({ value }) => value ?? ''),
  ]);
  if (said.some((text) => word.test(text))) return true;
  return servers.some((one) => {
    const own = serverPort(one);
    if (own !== null) return own === number;
    return saysElsewhere(one) || (one.container.ports ?? []).length === 0;
  });
}

function declaredBy(containers: readonly Container[]): string[] {
  const all = containers.flatMap((one) => one.ports ?? []);
  const texts = all.map(({ name, containerPort }) =>
    name ? `${name} (${containerPort})` : String(containerPort),
  );
  return [...new Set(texts)];
}
