import { z } from 'zod';
import { ByteSize } from './units.ts';

/** CPUs: 2, 1.5 or "500m" (thousandths) → a number. */
const Cpus = z
  .union([
    z.number().positive(),
    z
      .string()
      .regex(/^[1-9]\d*m$/)
      .transform((text) => Number.parseInt(text, 10) / 1000),
  ])
  .meta({ examples: [4, '500m'] });

const Amounts = z.strictObject({
  cpu: Cpus.optional().describe('CPUs, such as 4 or "500m".'),
  memory: ByteSize.optional().describe('Memory, such as "6Gi".'),
});

/** CPU and memory of each replica, whatever runs it. */
export const Resources = z.strictObject({
  requests: Amounts.default({}).describe(
    'What is kept for it: where a cluster places it, and what it has before others where CPU or memory run short.',
  ),
  limits: Amounts.default({}).describe('Most that it may take; with more memory it is killed.'),
});
export type Resources = z.infer<typeof Resources>;

/** The same in a launch spec: numbers alone, CPUs and bytes. */
const Given = z.strictObject({
  cpu: z.number().positive().optional(),
  memory: z.int().positive().optional(),
});
export const GivenResources = z.strictObject({ requests: Given, limits: Given });
export type GivenResources = z.infer<typeof GivenResources>;

/** Cores that the limit leaves an engine; threads beyond it would be throttled. Null: nothing is known. */
export function coresWithin(hostCores: number | null, resources: Resources | null): number | null {
  const limit = resources?.limits.cpu;
  if (limit === undefined) return hostCores;
  const whole = Math.max(1, Math.floor(limit));
  return hostCores === null ? whole : Math.min(whole, hostCores);
}

/** What an engine is given at most, where its target holds it to that. */
export function limitsOf({ resources }: { resources?: GivenResources | undefined }): {
  cpus: number | null;
  memoryBytes: number | null;
} {
  return { cpus: resources?.limits.cpu ?? null, memoryBytes: resources?.limits.memory ?? null };
}

const sizes = [
  ['Ti', 1024 ** 4],
  ['Gi', 1024 ** 3],
  ['Mi', 1024 ** 2],
  ['Ki', 1024],
] as const;

/** Bytes by the largest unit that divides them. */
export function sizeText(bytes: number): string {
  const [unit, factor] = sizes.find(([, size]) => bytes % size === 0) ?? ['', 1];
  return `${bytes / factor}${unit}`;
}

/** CPUs as Kubernetes writes them. */
export function cpuText(cpus: number): string {
  return Number.isInteger(cpus) ? String(cpus) : `${Math.round(cpus * 1000)}m`;
}
