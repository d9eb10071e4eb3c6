import type { Container, Workload } from '../../domain/audit/kube-object.ts';
import type { PodServer } from './contract.ts';

/** A container of a template, whatever it runs, and with what words. */
export interface ContainerOfPod {
  readonly workload: Workload;
  readonly container: Container;
  readonly command: readonly string[];
}

/** All containers of the templates that run a model server: those that prepare, and those beside it, have secrets, too. Pure. */
export function podContainers(servers: readonly PodServer[]): ContainerOfPod[] {
  const workloads = [...new Set(servers.map(({ workload }) => workload))];
  return workloads.flatMap((workload) =>
    [...workload.pod.containers, ...(workload.pod.initContainers ?? [])].map((container) => {
      const own = servers.find((one) => one.workload === workload && one.container === container);
      const said = [...(container.command ?? []), ...(container.args ?? [])];
      return { workload, container, command: own?.server.command ?? said };
    }),
  );
}
