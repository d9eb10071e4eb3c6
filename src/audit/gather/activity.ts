import { join } from 'node:path';
import { Activity, keptUses, usesNow } from '../../domain/audit/activity.ts';
import type { GatewayCounts, Use } from '../../domain/audit/activity.ts';
import type { ObservedHost } from '../../domain/audit/observation.ts';
import { parseJson } from '../../domain/json.ts';
import type { World } from '../../io/world.ts';

/**
 * What the counters of servers say beside what they said at earlier looks, which this one is kept for. Where it cannot be kept, what
 * is known stays as good as one look is.
 */
export async function lookAtUses(
  world: World,
  looked: { at: string; hosts: readonly ObservedHost[]; gateway: GatewayCounts | null },
): Promise<Use[]> {
  const path = join(world.places.state, 'activity.json');
  const text = await world.files.read(path).catch(() => null);
  const before = text === null ? [] : (Activity.safeParse(parseJson(text)).data?.uses ?? []);
  const uses = usesNow(before, looked);
  const hosts = looked.hosts.map((one) => one.host);
  const activity: Activity = { version: 1, uses: keptUses(before, uses, hosts) };
  if (before.length > 0 || activity.uses.length > 0)
    await world.files.write(path, `${JSON.stringify(activity)}\n`, 0o600).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      world.log.warn('The counters of servers could not be kept for the next look.', { path, reason });
    });
  return uses;
}
