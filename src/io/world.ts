import type { ClusterPlace } from '../domain/host-access.ts';
import type { Clock } from './clock.ts';
import type { Exec } from './exec.ts';
import type { Files } from './files.ts';
import type { Http } from './http.ts';
import type { Log } from './log.ts';
import type { HostLocks } from './lock.ts';
import type { LogFiles } from './log-file.ts';
import type { Places } from './places.ts';
import type { Procfs } from './procfs/read.ts';

/** Everything outside the program, handed to whoever acts; pure code never sees it. */
export interface World {
  /** "local", or as `machineOf` names another one. */
  readonly machine: string;
  /** Of another machine: as it tells it of itself (`machineIdentity`). */
  readonly identity?: string;
  /** What berth may do on this host beyond the rights of its user. */
  readonly become: 'none' | 'sudo';
  readonly exec: Exec;
  readonly files: Files;
  readonly http: Http;
  readonly clock: Clock;
  readonly log: Log;
  readonly places: Places;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Root of procfs; "/proc" outside tests. */
  readonly proc: string;
  /** Its processes as they are now, or some of them: procfs itself, or what one question to another machine has brought. */
  readonly procfs: (only?: readonly number[]) => Procfs | Promise<Procfs>;
  /** User that whatever is run here runs as. */
  readonly uid: number;
  readonly logFiles: LogFiles;
  readonly locks: HostLocks;
  /** Where a socket of this host ("unix:///run/docker.sock", "http://127.0.0.1:8080") is reached from the machine that berth runs on. */
  readonly reach: (where: string) => Promise<string>;
  /** Where this host is a cluster: what else is here is of the machine that berth runs on, but for the locks. */
  readonly cluster?: ClusterPlace;
  /** The machine that berth runs on, where this is another one: its secrets are resolved there. */
  readonly home?: World;
  /** Another machine, by "ssh://user@host:port"; asked for once and kept until `close`. Throws why it cannot be reached. */
  readonly open: (where: string) => Promise<World>;
  /** Gives back what was opened. */
  readonly close: () => Promise<void>;
}
