import type { ReplicaStatus } from '../../../src/domain/fleet-status.ts';

/** One way of running engines with a host for it: what the suite must know to put a fleet there, disturb it and compare. */
export interface SuiteTarget {
  readonly name: string;
  /** What of it is not the real thing. */
  readonly note?: string;
  /** Why it cannot be run on this machine; null when it can. */
  readonly missing: () => string | null;
  /** Makes the host. `folder` is the suite's: fleet file, model and state lie in it. */
  readonly start: (folder: string) => Promise<SuiteHost>;
}

/** What the suite looks at of a replica. */
export type Seen = Pick<ReplicaStatus, 'state' | 'since' | 'url' | 'port' | 'pid' | 'outdated'>;

/**
 * Engines that another program than berth starts, from what berth writes down. Nobody moves requests out of the way then: those
 * that come while an engine is exchanged are refused, and streams of it are cut.
 */
export interface ByHand {
  /** The fleet file that is written down; berth's own has the engines as servers of somebody else. */
  readonly write: (text: string) => void;
  /** Has what the file says by now. */
  readonly apply: () => Promise<void>;
  /** Has what there was before the last change. */
  readonly rollback: () => Promise<void>;
  readonly replicas: () => Promise<ReadonlyMap<string, Seen>>;
  readonly logs: (deployment: string) => Promise<string>;
  readonly down: () => Promise<void>;
}

export interface SuiteHost {
  /** Absent: berth starts them. */
  readonly byHand?: ByHand;
  /** What stands before a command that is to run where berth runs. */
  readonly before: readonly string[];
  /** The same where engines are reached by the address that they have. */
  readonly beforeThere: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Lines of the fleet file beside models, gateway and deployments. */
  readonly more: readonly string[];
  /** Where a cluster has the model, as a part of the model's line. */
  readonly modelAt?: string;
  readonly deployments: readonly SuiteDeployment[];
  /** Ends the engine, and nothing of what keeps it. */
  readonly kill: (replica: Seen, deployment: string) => Promise<void>;
  /**
   * Everything on it that a fleet could leave behind: processes, listeners, files, and what its target makes. Logs, and
   * what ran before, are kept on purpose.
   */
  readonly inventory: () => string[] | Promise<string[]>;
  /** Its memory is told where the cluster has metrics alone. */
  readonly inCluster?: true;
  /** A cluster removes by itself what belonged to what was removed. */
  readonly removesLater?: true;
  readonly stop: () => void | Promise<void>;
}

export interface SuiteDeployment {
  readonly name: string;
  /** Where somebody else than berth starts it: its address. */
  readonly url?: string;
  /** Its line in the fleet file; the context is what the suite changes. */
  readonly line: (context: number) => string;
  /** The new engine takes the place of the old one, and requests wait meanwhile; else it is started beside it. */
  readonly inPlace: boolean;
  /** What its engine says in its log once it serves. */
  readonly says: string;
}
