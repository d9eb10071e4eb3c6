import { usualIdleMs } from '../domain/audit/activity.ts';
import { concernsModels, KubeObject, namespaceOf } from '../domain/audit/kube-object.ts';
import { amountOf } from '../domain/kube-amount.ts';
import type { Container, Workload } from '../domain/audit/kube-object.ts';
import type { Observation } from '../domain/audit/observation.ts';
import { workloadsIn } from '../domain/audit/workloads.ts';
import { modelPods } from '../domain/audit/model-pods.ts';
import { isWindow } from '../domain/audit/window.ts';
import { podGpus } from '../domain/audit/pod-gpus.ts';
import { definedServer } from './gather/defined-server.ts';
import { engineNamed, ignoredIn } from '../engines/registry.ts';
import type { AuditView, PodServer } from './rules/contract.ts';

/** An observation, as much of it as is known. */
export type Viewed = Pick<Observation, 'at' | 'hosts' | 'clusters' | 'fleet'> &
  Partial<Pick<Observation, 'figures' | 'uses' | 'idleMs'>>;

/** What rules look at, from an observation: its Kubernetes objects read, and the model servers in their templates recognised. Pure. */
export function viewOf({
  figures = [],
  uses = [],
  idleMs = usualIdleMs,
  at,
  hosts: looked,
  clusters,
  fleet,
}: Viewed): AuditView {
  const hosts = looked.map((host) => ({ ...host, servers: host.servers.filter((one) => !isWindow(one)) }));
  const all = clusters.flatMap(({ name, reach, objects, unseen }) => {
    const cluster = { name, reach, several: clusters.length > 1, unseen };
    return objects.flatMap((object): KubeObject[] => {
      const { data } = KubeObject.safeParse(object);
      return data ? [{ ...data, cluster }] : [];
    });
  });
  const workloads = workloadsIn(all, (workload) => serversOf(workload).length > 0);
  const pods = workloads.flatMap(serversOf);
  const served = [
    ...pods.map((pod) => pod.workload.object),
    ...all.filter((object) => /Inference|^ServingRuntime/.test(object.kind)),
  ];
  const namespaces = new Set(served.map(namespaceOf));
  const objects = all.filter((object) => concernsModels(object, namespaces));
  const running = modelPods(objects, pods);
  return {
    at,
    hosts,
    fleet,
    objects,
    workloads,
    pods,
    services: all.filter(({ kind }) => kind === 'Service'),
    modelPods: running,
    figures,
    uses,
    idleMs,
    outdatedIn,
  };
}

function serversOf(workload: Workload): PodServer[] {
  const beside = (workload.pod.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
  return [...workload.pod.containers, ...beside].flatMap((container) => {
    const server = definedServer({
      image: container.image ?? null,
      command: expand(container.command ?? [], container),
      args: expand(container.args ?? [], container),
      env: Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value ?? ''])),
      partialEnv: workload.partial || (container.envFrom ?? []).length > 0,
    });
    if (!server) return [];
    const limits = container.resources?.limits ?? {};
    return [
      {
        workload,
        container,
        server,
        ignored: ignoredIn(
          server.engine,
          (container.env ?? []).map(({ name }) => name),
        ),
        cpuLimit: amountOf(limits['cpu']),
        memoryLimit: amountOf(limits['memory']),
        gpus: podGpus(workload.pod, container),
      },
    ];
  });
}

/** Kubernetes puts variables in before the container starts. */
function expand(words: readonly string[], { env }: Container): string[] {
  return words.map((word) =>
    word.replaceAll(/\$\(([A-Za-z_]\w*)\)/g, (whole, name: string) => {
      const value = env?.find((one) => one.name === name)?.value;
      return value ?? whole;
    }),
  );
}

function outdatedIn(kind: string, command: readonly string[]): { name: string; meant: string }[] {
  const engine = engineNamed(kind);
  return command.flatMap((word) => {
    const name = word.split('=')[0] ?? word;
    const meant = engine?.successorOf?.(name) ?? null;
    return meant === null ? [] : [{ name, meant }];
  });
}
