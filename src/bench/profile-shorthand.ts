import { BerthError } from '../domain/errors/berth-error.ts';
import { readPairs } from './key-values.ts';

type Options = { kind: string } & Record<string, unknown>;

/** What a list of rates is called by each kind of profile. */
const rateKeys: Readonly<Record<string, string>> = {
  concurrent: 'streams',
  constant: 'rates',
  poisson: 'rates',
  gamma: 'rates',
  sessions: 'rates',
};
/** Other tools' names of the same loads, and of their keys. */
const otherNames: Readonly<Record<string, string>> = { async: 'constant', incremental: 'stages' };
const otherKeys: Readonly<Record<string, string>> = {
  max_concurrency: 'maxInFlight',
  sweep_size: 'points',
  strategy_type: 'arrivals',
  rampup_duration: 'rampUp',
};

/** What other tools say in a profile and berth has no counterpart for, with what to do instead. */
const without: Readonly<Record<string, string>> = {
  cooldown: 'the end of a stage is cut off by its steady window; leave cooldown out',
  random_seed: 'the seed of a run is --seed',
};

/**
 * A profile from the command line: a kind ("poisson"), or "kind=gamma,shape=0.5,rates=[1,5]", the way GuideLLM takes it.
 * `rates` fills the list that the kind has; a warm-up among the keys is given apart. Throws USAGE when the text is no such
 * list, or the kind has no rates.
 */
export function parseProfile(
  text: string,
  rates: readonly number[] | null,
): { profile: Options; warmup: unknown } {
  const { warmup, ...options } = /[={]/.test(text) ? pairs(text) : { kind: text, warmup: undefined };
  options.kind = otherNames[options.kind] ?? options.kind;
  const profile = rename(options);
  const key = rateKeys[profile.kind];
  for (const name of ['rate', 'rates', 'streams', 'sessions'])
    if (name in profile) profile[name] = [profile[name]].flat();
  if ('rate' in profile) {
    profile[key ?? 'rates'] = profile['rate'];
    delete profile['rate'];
  }
  if (rates === null) return { profile, warmup };
  // GuideLLM's --rate of a sweep is the number of its stages.
  if (profile.kind === 'sweep') return { profile: { ...profile, points: rates[0] }, warmup };
  // And of throughput how many requests are in flight at most.
  if (profile.kind === 'throughput') return { profile: { ...profile, maxInFlight: rates[0] }, warmup };
  if (key === undefined) throw usage(`the profile ${profile.kind} has no rates`);
  return { profile: { ...profile, [key]: [...rates] }, warmup };
}

function rename(options: Options): Options {
  const renamed: Options = { kind: options.kind };
  for (const [key, value] of Object.entries(options)) {
    const instead = without[key];
    if (instead !== undefined) throw usage(`${key}: ${instead}`);
    renamed[otherKeys[key] ?? key] = value;
  }
  return renamed;
}

function pairs(text: string): Options & { warmup?: unknown } {
  const options = readPairs(text, usage);
  if (typeof options['kind'] !== 'string') throw usage('it does not say kind=…');
  return options as Options;
}

function usage(reason: string): BerthError {
  return new BerthError('USAGE', {
    detail: `--profile is a kind, or kind=poisson,rates=[1,5]: ${reason}.`,
    command: 'bench',
  });
}
