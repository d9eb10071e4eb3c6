import type { Gpu } from '../domain/hardware.ts';
import type { Instance } from '../domain/instance.ts';
import type { Listener, ProcessTable } from '../domain/process-facts.ts';
import type { Procfs } from '../io/procfs/read.ts';
import type { FoundServer } from './find-servers.ts';
import type { ProbeResult } from './probe.ts';

/** What /proc and the marks showed, all of one moment. */
export interface Seen {
  readonly table: ProcessTable;
  readonly listeners: readonly Listener[];
  /** Instances of every fleet on this machine. */
  readonly marks: readonly Instance[];
  readonly ownNetns: string;
  /** Namespace of processes of this very program; null where that is hidden. */
  readonly ownPidns: string | null;
  readonly proc: Procfs;
}

/** A server with what it answered. `probed` is null where it could not be asked. */
export interface Looked {
  readonly server: FoundServer;
  readonly probed: ProbeResult | null;
  /** Ports of this machine that are forwarded to it. */
  readonly published: readonly Listener[];
  /** CPU time that its control group allows, in cores; null without a limit. */
  readonly quotaCores: number | null;
  readonly memoryLimitBytes: number | null;
  readonly memoryKills: number | null;
  readonly openSecrets: readonly string[];
  /** The model's file, all parts of it counted, or its folder, whose size is not known. */
  readonly file: { readonly id: string; readonly bytes: number | null } | null;
}

export type DescribeContext = Seen & {
  /** Every model server of this machine. */
  readonly found: readonly FoundServer[];
  readonly users: ReadonlyMap<number, string>;
  readonly gpus: readonly Gpu[];
  readonly titleOf: (kind: string) => string;
  /** Variables that an engine of this kind does not read although they look like its own. */
  readonly ignoredBy: (kind: string, names: readonly string[]) => { name: string; meant: string }[];
};
