import { objectKey } from '../../domain/instance.ts';
import type { Instance } from '../../domain/instance.ts';
import type { HostFigures } from '../relocate/figures.ts';
import type { Reached } from './take-over.ts';

/** What the fleet takes, as it is or as it would be. Memory null: not known of all of them, never 0. */
export interface Standing {
  readonly servers: number;
  readonly memoryBytes: number | null;
  /** GPUs given to engines of berth's own, and those that servers hold that are only reached. */
  readonly gpus: number;
}

/** As it is: engines of its own, and servers that it reaches on this machine. Pure. */
export function standingOf(instances: readonly Instance[], reached: readonly Reached[]): Standing {
  const own = [...new Map(instances.map((one) => [objectKey(one.object), one])).values()].filter(
    (one) => one.alive,
  );
  const memory = [...own.map((one) => one.rssBytes), ...reached.map(({ server }) => server.rssBytes)];
  return {
    servers: own.length + reached.length,
    memoryBytes: memory.reduce<number | null>(plus, 0),
    gpus:
      own.reduce((sum, one) => sum + (one.mark?.spec.devices.count ?? 0), 0) +
      reached.reduce((sum, { server }) => sum + server.gpus.length, 0),
  };
}

/** As it would be once all of this was done. `servers`: how many more there are. Pure. */
export function standingAfter(now: Standing, hosts: readonly HostFigures[], servers: number): Standing {
  return {
    servers: now.servers + servers,
    memoryBytes: hosts.reduce<number | null>(
      (sum, { takesBytes, freesBytes }) =>
        takesBytes === null || freesBytes === null ? null : plus(sum, takesBytes - freesBytes),
      now.memoryBytes,
    ),
    gpus: hosts.reduce((sum, { gpus }) => sum + gpus.takes - gpus.frees, now.gpus),
  };
}

function plus(sum: number | null, one: number | null): number | null {
  return sum === null || one === null ? null : sum + one;
}
