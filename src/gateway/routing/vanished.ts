/**
 * Whether an engine's machine has gone from the network, by the checks in a row to which no connection came about. An
 * engine that is slow to answer is connected to, and is none of these: a prefill takes as long as it takes.
 */

/**
 * How a check found no way: the network says that nobody is at that address, a machine there says that nobody listens, or nothing says
 * anything, as of a server whose queue of connections is full.
 */
export type NoWay = 'unreachable' | 'refused' | 'unanswered';

export interface Unreached {
  /** When the first of them failed. */
  readonly since: number;
  readonly checks: number;
  /** In some of them nothing said that the machine is away. */
  readonly doubtful: boolean;
}

const fewestChecks = 3;
/** Connections outlast a network that is away for a moment. */
const unreachableMs = 15_000;
/** An engine that is about to end closes its door first, and finishes what it has begun; one with a full queue goes on with its work. */
const doubtfulMs = 60_000;

/** One more check found no way. `row`: what is known of those just before; null: the latest came through. */
export function afterNoWay(row: Unreached | null, way: NoWay, now: number): Unreached {
  const doubtful = way !== 'unreachable';
  if (row === null) return { since: now, checks: 1, doubtful };
  return { since: row.since, checks: row.checks + 1, doubtful: row.doubtful || doubtful };
}

/** What waits there for the beginning of a reply waits in vain. */
export function hasVanished({ since, checks, doubtful }: Unreached, now: number): boolean {
  return checks >= fewestChecks && now - since >= (doubtful ? doubtfulMs : unreachableMs);
}
