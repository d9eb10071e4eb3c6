import { join } from 'node:path';
import { z } from 'zod';
import type { World } from '../../io/world.ts';
import type { FleetPaths } from '../file/paths.ts';

/** Milliseconds that a deployment took to load, newer loads counting more. A cache: it says nothing about what runs. */
const LoadTimes = z.record(z.string(), z.number().positive());

export interface LoadTimes {
  readonly of: (deployment: string) => number | null;
  readonly learn: (deployment: string, ms: number) => Promise<void>;
}

const newest = 0.5;

/** A file that is missing or broken is begun anew. */
export async function readLoadTimes(world: World, paths: FleetPaths): Promise<LoadTimes> {
  const path = join(paths.state, 'load-times.json');
  const known = parse(await world.files.read(path));
  return {
    of: (deployment) => known[deployment] ?? null,
    learn: async (deployment, ms) => {
      known[deployment] = Math.max(1, Math.round(mixed(known[deployment], ms)));
      await world.files.write(path, JSON.stringify(known));
    },
  };
}

function mixed(before: number | undefined, ms: number): number {
  return before === undefined ? ms : before + (ms - before) * newest;
}

function parse(text: string | null): Record<string, number> {
  try {
    return LoadTimes.safeParse(JSON.parse(text ?? '{}')).data ?? {};
  } catch {
    return {};
  }
}
