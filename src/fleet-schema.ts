import type { z } from 'zod';
import { datasets } from './bench/datasets/registry.ts';
import { benchEndpoints } from './bench/endpoints/registry.ts';
import { profiles } from './bench/profiles/registry.ts';
import { benchmarkSchema } from './domain/benchmark.ts';
import { fleetSchema } from './domain/fleet.ts';
import { fleetParts, kindUnion } from './lean-fleet-schema.ts';
import { runPublishers } from './publish/places/registry.ts';

/** The fleet file, with everything that the registries offer. */
export const FleetFile = fleetSchema({
  ...fleetParts,
  benchmark: benchmarkSchema(profiles, datasets, benchEndpoints),
  publisher: kindUnion(runPublishers),
});
export type FleetFile = z.infer<typeof FleetFile>;
