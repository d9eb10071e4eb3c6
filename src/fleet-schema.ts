import { z } from 'zod';
import { datasets } from './bench/datasets/registry.ts';
import { benchEndpoints } from './bench/endpoints/registry.ts';
import { profiles } from './bench/profiles/registry.ts';
import { benchmarkSchema } from './domain/benchmark.ts';
import { fleetSchema } from './domain/fleet.ts';
import { policies } from './gateway/policies/registry.ts';
import { launchableEngines } from './engines/registry.ts';
import { runPublishers } from './publish/places/registry.ts';
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

function kindUnion(entries: readonly Described[]): z.ZodType<KindOptions> {
  const options = entries.flatMap((entry) => entry.options ?? []) as unknown as [
    z.ZodObject,
    ...z.ZodObject[],
  ];
  return z.discriminatedUnion('kind', options) as unknown as z.ZodType<KindOptions>;
}

/** The fleet file, with everything that the registries offer. */
export const FleetFile = fleetSchema({
  engine: kindUnion(launchableEngines),
  target: kindUnion(targets),
  benchmark: benchmarkSchema(profiles, datasets, benchEndpoints),
  policy: kindUnion(policies),
  publisher: kindUnion(runPublishers),
});
export type FleetFile = z.infer<typeof FleetFile>;
