import { join } from 'node:path';
import type { KeySpent, Spent } from '../../domain/key-usage.ts';
import { openUsageStore } from '../../io/usage-store.ts';
import type { UsageRow } from '../../io/usage-store.ts';
import type { World } from '../../io/world.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';

/** Where the gateway keeps what keys with bounds have used. */
export function usageFile(world: World, fleet: FleetIdentity): string {
  return join(fleetPaths(world, fleet).state, 'usage.sqlite');
}

/** What each key has used today and this month; empty as long as nothing is kept. */
export async function keySpending(world: World, fleet: FleetIdentity): Promise<KeySpent[]> {
  const path = usageFile(world, fleet);
  if (!(await world.files.stat(path))?.isFile) return [];
  const today = world.clock.wall().toISOString().slice(0, 10);
  const store = await openUsageStore(path);
  try {
    return spentOf(store.since(`${today.slice(0, 8)}01`), today);
  } finally {
    store.close();
  }
}

/** `rows`: of the present month; `today`: "2026-05-31". */
export function spentOf(rows: readonly UsageRow[], today: string): KeySpent[] {
  const keys = [...new Set(rows.map((row) => row.key))];
  return keys.map((key) => {
    const own = rows.filter((row) => row.key === key);
    return { key, day: sum(own.filter((row) => row.day === today)), month: sum(own) };
  });
}

function sum(rows: readonly UsageRow[]): Spent {
  return {
    requests: rows.reduce((all, row) => all + row.requests, 0),
    tokens: rows.reduce((all, row) => all + row.input + row.output, 0),
    usd: rows.reduce((all, row) => all + row.usd, 0),
  };
}
