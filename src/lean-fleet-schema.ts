import { z } from 'zod';
import { fleetSchema } from './domain/fleet.ts';
import { policies } from './gateway/policies/registry.ts';
import { launchableEngines } from './engines/registry.ts';
import { targets } from './targets/registry.ts';

/** Any entry of a registry that the fleet file may name. */
interface Described {
  readonly options: z.ZodType<{ kind: string }> | null;
}

/** What an entry states, told apart by `kind`; the schema of each kind has parsed it. */
export interface KindOptions {
  readonly kind: string;
  readonly [key: string]: unknown;
}

/** The entries of a registry, told apart by `kind`. */
export function kindUnion(entries: readonly Described[]): z.ZodType<KindOptions> {
  const options = entries.flatMap((entry) => entry.options ?? []) as unknown as [
    z.ZodObject,
    ...z.ZodObject[],
  ];
  return z.discriminatedUnion('kind', options) as unknown as z.ZodType<KindOptions>;
}

/** What registries offer for it, but for benchmarks and publishers. */
export const fleetParts = {
  engine: kindUnion(launchableEngines),
  target: kindUnion(targets),
  policy: kindUnion(policies),
};

/** Of a fleet file without benchmarks and publishers, as most are: what those may say is a quarter of it all. */
export const LeanFleetFile = fleetSchema({ ...fleetParts, benchmark: z.never(), publisher: z.never() });
