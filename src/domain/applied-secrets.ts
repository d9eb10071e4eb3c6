import { z } from 'zod';
import { SecretRef } from './secret.ts';

/** A place that a deployment was applied to, and the secrets that its files named for it then. */
export const Naming = z.strictObject({
  /** As `machineOf` names it. */
  machine: z.string(),
  /** The kind of its target. */
  target: z.string(),
  secrets: z.array(SecretRef),
});
export type Naming = z.infer<typeof Naming>;

/** Of one deployment. */
export const AppliedNamings = z.strictObject({
  /** What may run: of the latest change that was made whole, and of all that were begun since. */
  runs: z.array(Naming),
  /** What that change took the place of. */
  before: z.array(Naming),
});
export type AppliedNamings = z.infer<typeof AppliedNamings>;

export const AppliedSecrets = z.strictObject({
  version: z.literal(1),
  deployments: z.record(z.string(), AppliedNamings),
});
export type AppliedSecrets = z.infer<typeof AppliedSecrets>;

const nothing: AppliedNamings = { runs: [], before: [] };

/** A change to these begins: until it is made whole, what ran may run on. Pure. */
export function withBegun(known: AppliedNamings = nothing, wanted: readonly Naming[]): AppliedNamings {
  return { ...known, runs: distinct([...known.runs, ...wanted]) };
}

/**
 * It was made whole: what else may have run is what came before it. `known`: as it was when it began. Where these ran then, no engine need
 * have changed, and what came before them is still what it would go back to. Pure.
 */
export function withDone(
  { runs, before }: AppliedNamings,
  wanted: readonly Naming[],
  known: AppliedNamings = nothing,
): AppliedNamings {
  const others = runs.filter((one) => !isAmong(wanted, one));
  const ranThen = wanted.every((one) => isAmong(known.runs, one));
  return { runs: distinct(wanted), before: ranThen ? distinct([...before, ...others]) : others };
}

function distinct(all: readonly Naming[]): Naming[] {
  return all.filter((one, at) => !isAmong(all.slice(0, at), one));
}

function isAmong(all: readonly Naming[], one: Naming): boolean {
  return all.some((other) => keyOf(other) === keyOf(one));
}

function keyOf({ machine, target, secrets }: Naming): string {
  return JSON.stringify([machine, target, secrets.map(secretKey).toSorted()]);
}

function secretKey(ref: SecretRef): string {
  if ('file' in ref) return JSON.stringify(['file', ref.file]);
  return JSON.stringify(['env', ref.env, ref.dotenv ?? null]);
}
