import type { Strategy } from '../domain/load-shape.ts';
import type { CacheState } from '../domain/run/cache.ts';
import type { Knee } from '../domain/run/knee.ts';
import type { Slo } from '../domain/run/spec.ts';
import type { StageReport } from '../domain/run/stage-report.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { Dataset, Profile, PromptServer, PromptSource } from './contract.ts';

/** What the registries hold, seen without the types of the single entries. */
type AnyProfile = Pick<Profile, 'kind' | 'options'> & {
  next: (options: never, earlier: readonly StageReport[]) => Strategy | null;
  ends?: boolean;
  goesOnAfter?: Profile['goesOnAfter'];
  data?: (options: never) => { kind: string };
  defaults?: Profile['defaults'];
  list?: (options: never) => readonly Strategy[];
  lacks?: (options: never, run: { slo: Slo | null; data: { kind: string } }) => string | null;
  conclude?: (options: never, stages: readonly StageReport[]) => Knee;
};
type AnyDataset = Pick<Dataset, 'kind' | 'options' | 'asksLength'> & {
  open: (options: never, server: PromptServer, seed: number, cache?: CacheState) => Promise<PromptSource>;
};

/** The profile of these options, ready to be asked for the next stage. Throws USAGE when they are not valid. */
export function nextOf(
  profiles: readonly AnyProfile[],
  options: { kind: string },
): (earlier: readonly StageReport[]) => Strategy | null {
  const profile = entryOf(profiles, options.kind, 'profile');
  const parsed = optionsOf(profile, options, 'profile');
  return (earlier) => profile.next(parsed, earlier);
}

/** What else these options say of a run. Throws USAGE when they are not valid. */
export function termsOf(
  profiles: readonly AnyProfile[],
  options: { kind: string },
): {
  ends: boolean;
  goesOnAfter: NonNullable<Profile['goesOnAfter']>;
  data: { kind: string } | null;
  defaults: NonNullable<Profile['defaults']>;
  list: readonly Strategy[] | null;
  lacks: (run: { slo: Slo | null; data: { kind: string } }) => string | null;
  conclude: (stages: readonly StageReport[]) => Knee | null;
} {
  const profile = entryOf(profiles, options.kind, 'profile');
  const parsed = optionsOf(profile, options, 'profile');
  return {
    ends: profile.ends ?? false,
    goesOnAfter: profile.goesOnAfter ?? [],
    data: profile.data?.(parsed) ?? null,
    defaults: profile.defaults ?? {},
    list: profile.list?.(parsed) ?? null,
    lacks: (run) => profile.lacks?.(parsed, run) ?? null,
    conclude: (stages) => profile.conclude?.(parsed, stages) ?? null,
  };
}

/** Whether data of this kind have a length for each answer. */
export function asksLength(datasets: readonly AnyDataset[], kind: string): boolean {
  return datasets.find((entry) => entry.kind === kind)?.asksLength ?? false;
}

/** The dataset of these options, ready to be opened. Throws USAGE when they are not valid. */
export function openOf(
  datasets: readonly AnyDataset[],
  options: { kind: string },
): (server: PromptServer, seed: number, cache?: CacheState) => Promise<PromptSource> {
  const dataset = entryOf(datasets, options.kind, 'data');
  const parsed = optionsOf(dataset, options, 'data');
  return (server, seed, cache) => dataset.open(parsed, server, seed, cache);
}

function entryOf<Entry extends { kind: string }>(
  entries: readonly Entry[],
  kind: string,
  what: string,
): Entry {
  const found = entries.find((entry) => entry.kind === kind);
  if (found) return found;
  const known = entries.map((entry) => entry.kind).join(', ');
  throw new BerthError('USAGE', {
    detail: `There is no ${what} "${kind}"; there are: ${known}.`,
    command: 'bench',
  });
}

/** The entry's own schema has checked them, so they are of the type that its functions take. */
function optionsOf(entry: { options: Profile['options'] }, options: { kind: string }, what: string): never {
  const parsed = entry.options.safeParse(options);
  if (parsed.success) return parsed.data as never;
  const detail = parsed.error.issues
    .map((issue) => `${[what, ...issue.path].join('.')}: ${issue.message}`)
    .join('; ');
  throw new BerthError('USAGE', { detail, command: 'bench' });
}
