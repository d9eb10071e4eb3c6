import type { Clock } from './clock.ts';
import type { Exec } from './exec.ts';
import type { Files } from './files.ts';
import type { Http } from './http.ts';
import type { Log } from './log.ts';
import type { Places } from './places.ts';

/** Everything outside the program, handed to whoever acts; pure code never sees it. */
export interface World {
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
}
