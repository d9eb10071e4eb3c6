import type { ReplicaStatus } from '../../../src/domain/fleet-status.ts';

/** One way of running engines with a host for it: what the suite must know to put a fleet there, disturb it and compare. */
export interface SuiteTarget {
  readonly name: string;
  /** Why it cannot be run on this machine; null when it can. */
  readonly missing: () => string | null;
  /** Makes the host. `folder` is the suite's: fleet file, model and state lie in it. */
  readonly start: (folder: string) => Promise<SuiteHost>;
}

export interface SuiteHost {
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
  readonly kill: (replica: ReplicaStatus, deployment: string) => Promise<void>;
  /**
   * Everything on it that a fleet could leave behind: processes, listeners, files, and what its target makes. Logs, and
   * what ran before, are kept on purpose.
   */
  readonly inventory: () => string[] | Promise<string[]>;
  /** A cluster removes by itself what belonged to what was removed. */
  readonly removesLater?: true;
  readonly stop: () => void | Promise<void>;
}

export interface SuiteDeployment {
  readonly name: string;
  /** Its line in the fleet file; the context is what the suite changes. */
  readonly line: (context: number) => string;
  /** The new engine takes the place of the old one, and requests wait meanwhile; else it is started beside it. */
  readonly inPlace: boolean;
  /** What its engine says in its log once it serves. */
  readonly says: string;
}
