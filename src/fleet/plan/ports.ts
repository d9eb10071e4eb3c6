import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Host } from '../../domain/fleet.ts';

/** Where engines listen that name no port. */
export const usualPorts = { from: 18400, to: 18999 } as const;

/** The lowest port of the host's pool that is in nobody's use. Throws NO_FREE_PORT. */
export function freePort(name: string, host: Host | undefined, used: ReadonlySet<number>): number {
  const { from, to } = host?.ports ?? usualPorts;
  for (let port = from; port <= to; port += 1) {
    if (!used.has(port) && !host?.reserve.includes(port)) return port;
  }
  throw new BerthError('NO_FREE_PORT', { host: name, from, to });
}
