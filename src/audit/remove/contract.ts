import { z } from 'zod';
import { HostAccess } from '../../domain/host-access.ts';
import type { World } from '../../io/world.ts';

/** One object of somebody else, found and not changed yet. */
export interface Found {
  /** In words, for whoever is asked: "unit kimi-cpu.service, which runs". */
  readonly what: string;
  /** What no undo brings back, as a sentence; null: nothing. */
  readonly loses: string | null;
  /** All that it takes to make it again. May hold secrets. */
  readonly definition: unknown;
  /** Resolves once it is gone. */
  readonly remove: () => Promise<void>;
}

/** One kind of object that may be removed by name. */
export interface Removable {
  /** As it stands before the colon on the command line. */
  readonly kind: string;
  /** An example for the help: "unit:kimi-cpu.service". */
  readonly example: string;
  readonly inCluster: boolean;
  /** Finds it. Throws REMOVE_REFUSED where it is not for berth to remove, and REMOVE_UNKNOWN where there is none. */
  readonly find: (world: World, name: string) => Promise<Found>;
  /** Makes it again from what `find` gave; what came of it, as a sentence. */
  readonly restore: (world: World, definition: unknown) => Promise<string>;
}

/** What is kept of an object that was removed. */
export const Kept = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  at: z.iso.datetime(),
  kind: z.string(),
  name: z.string(),
  what: z.string(),
  host: HostAccess,
  definition: z.unknown(),
  /** When it was made again, and what came of that. */
  restored: z.strictObject({ at: z.iso.datetime(), what: z.string() }).optional(),
});
export type Kept = z.infer<typeof Kept>;
