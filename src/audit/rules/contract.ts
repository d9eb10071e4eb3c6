import type {
  CheckedFigure,
  DefinedServer,
  ObservedFleet,
  ObservedHost,
} from '../../domain/audit/observation.ts';
import type { Use } from '../../domain/audit/activity.ts';
import type { Container, KubeObject, Workload } from '../../domain/audit/kube-object.ts';
import type { Finding } from '../../domain/finding.ts';

/** A container of a pod template that runs a model server. */
export interface PodServer {
  readonly workload: Workload;
  readonly container: Container;
  readonly server: DefinedServer;
  readonly cpuLimit: number | null;
  readonly memoryLimit: number | null;
  /** Variables that its engine does not read, with what it reads in their place. */
  readonly ignored: readonly { readonly name: string; readonly meant: string }[];
  /** GPUs of whatever vendor that it is given. */
  readonly gpus: number;
}

/** All that rules look at. */
export interface AuditView {
  readonly at: string;
  readonly hosts: readonly ObservedHost[];
  readonly fleet: ObservedFleet | null;
  readonly objects: readonly KubeObject[];
  readonly workloads: readonly Workload[];
  readonly pods: readonly PodServer[];
  /** Every Service that was seen, also those that are none of ours. */
  readonly services: readonly KubeObject[];
  /** Pods that have to do with models, whatever their containers run. */
  readonly modelPods: readonly KubeObject[];
  readonly figures: readonly CheckedFigure[];
  /** Counters of servers, and since when they stand still. */
  readonly uses: readonly Use[];
  readonly idleMs: number;
  /** Flags of a command line that newer builds of its engine refuse, with what says the same. */
  readonly outdatedIn: (engine: string, command: readonly string[]) => { name: string; meant: string }[];
}

/** One finding before it has the name of its rule; its severity is the rule's unless it says otherwise. */
export type Found = Omit<Finding, 'rule' | 'severity'> & { readonly severity?: Finding['severity'] };

/** One thing that can be wrong. `find` is pure, and silent where what it needs is not known. */
export interface Rule {
  readonly id: string;
  readonly severity: Finding['severity'];
  /** What it finds, for the docs: the end of "finds …". */
  readonly finds: string;
  /** Why it matters, one sentence. */
  readonly why: string;
  readonly find: (view: AuditView) => Found[];
}

/** What is wrong on each machine, with the name of the machine. */
export function perHost(
  hosts: readonly ObservedHost[],
  find: (host: ObservedHost) => readonly Found[],
): Found[] {
  return hosts.flatMap((host) => find(host).map((found) => ({ ...found, host: host.host })));
}
