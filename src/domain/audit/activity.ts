import { z } from 'zod';
import type { ScannedServer } from '../scan-report.ts';

/** A counter of one server at the latest look, and since when it has not moved as far as anybody has seen. */
export const Use = z.strictObject({
  host: z.string(),
  pid: z.int(),
  /** Tokens that the engine counts, or requests that the gateway of the fleet has passed to an engine that counts none. */
  by: z.enum(['engine', 'gateway']),
  /** Of the very process, and of the gateway's where that counts: a counter that began anew is another one. */
  id: z.string(),
  count: z.number(),
  since: z.iso.datetime(),
});
export type Use = z.infer<typeof Use>;

/** What looks leave for those after them. */
export const Activity = z.strictObject({ version: z.literal(1), uses: z.array(Use) });
export type Activity = z.infer<typeof Activity>;

export const usualIdleMs = 7 * 86_400_000;

/** A machine, as far as its servers count. */
interface Machine {
  readonly host: string;
  readonly servers: readonly ScannedServer[];
}

/** Requests that a gateway has passed on since it began, by deployment. */
export interface GatewayCounts {
  readonly id: string;
  readonly startedAt: string;
  readonly requests: ReadonlyMap<string, number>;
}

/**
 * What counters say now, beside what they said before. One that stands as it did has not been used in between; one that is new, or
 * has moved, was used at this look at the latest. A counter at 0 has not been used since it began. Pure.
 */
export function usesNow(
  before: readonly Use[],
  { at, hosts, gateway }: { at: string; hosts: readonly Machine[]; gateway: GatewayCounts | null },
): Use[] {
  return hosts.flatMap(({ host, servers }) =>
    servers.flatMap((server) => {
      const counted = countOf(server, gateway);
      if (!counted) return [];
      const { began, ...counter } = counted;
      const known = before.find((one) => one.host === host && one.id === counter.id);
      const fresh = counter.count === 0 ? began : at;
      const since = known?.count === counter.count ? known.since : fresh;
      return [{ host, pid: server.process.pid, ...counter, since }];
    }),
  );
}

function countOf(
  { told, process, startedAt, mark }: ScannedServer,
  gateway: GatewayCounts | null,
): (Pick<Use, 'by' | 'id' | 'count'> & { began: string }) | null {
  const own = `${process.bootId} ${process.pid} ${process.startTicks}`;
  if (told.tokens !== null) return { by: 'engine', id: own, count: told.tokens, began: startedAt };
  const count = mark && gateway ? (gateway.requests.get(mark.deployment) ?? 0) : null;
  if (count === null || !gateway) return null;
  const began = startedAt > gateway.startedAt ? startedAt : gateway.startedAt;
  return { by: 'gateway', id: `${own} ${gateway.id}`, count, began };
}

/** What is kept: of hosts that were not looked at this time, what was known of them. Pure. */
export function keptUses(before: readonly Use[], now: readonly Use[], looked: readonly string[]): Use[] {
  return [...before.filter((one) => !looked.includes(one.host)), ...now];
}
