import type { Command } from 'commander';
import type { Wanted } from '../../bench/run/make-spec.ts';
import { parseProfile } from '../../bench/profile-shorthand.ts';
import { count, number, positive, usage } from './bench-numbers.ts';

/** The shape of the load on the command line. */
export interface LoadOptions {
  readonly streams?: string;
  readonly profile?: string;
  readonly rate?: string;
  readonly replay?: string;
  readonly replaySpeed?: string;
  readonly replayFrom?: string;
  readonly sessions?: string;
  readonly turns?: string;
  readonly think?: string;
  readonly rampUp?: string;
}

type Profile = Wanted['profile'] & Record<string, unknown>;

export function addLoadOptions(command: Command): Command {
  return command
    .option('--streams <list>', 'requests in flight at once, a stage for each number: 1,2,4')
    .option(
      '--profile <what>',
      'shape of the load: synchronous, concurrent, throughput, constant, poisson, sweep, or kind=gamma,shape=0.5',
    )
    .option('--rate <list>', 'requests that start each second, a stage for each number: 1,5,10 (poisson)')
    .option(
      '--replay <file>',
      'requests of a trace when it had them: Mooncake (JSON lines), Azure (CSV), or the access log of the gateway',
    )
    .option('--replay-speed <factor>', 'so many times faster than the trace (default 1)')
    .option('--replay-from <seconds>', 'leave out the first seconds of the trace')
    .option('--sessions <list>', 'conversations at once, a stage for each number: 4,8')
    .option('--turns <count>', 'turns of a conversation (default 2 to 6)')
    .option('--ramp-up <seconds>', 'each stage grows to its load over so long, as a part of its warm-up')
    .option('--think <seconds>', 'time between an answer and the next turn (default 5 on average)');
}

/** Null when the command line says nothing of the load. */
export function profileOf(options: LoadOptions): { profile: Wanted['profile']; warmup?: unknown } | null {
  const { streams, profile, rate, replay, sessions } = options;
  const own = Object.entries({ streams, replay, sessions }).filter(([, value]) => value !== undefined);
  const [first] = own;
  if (first && (own.length > 1 || profile !== undefined || rate !== undefined))
    throw usage(`--${first[0]} is a profile of its own: leave out --profile, --rate and the like.`);
  const found = first ? { profile: ownProfile(options) } : namedProfile(options);
  return withDetails(found, options);
}

function ownProfile({ streams, replay, sessions }: LoadOptions): Profile {
  if (replay !== undefined) return { kind: 'replay', file: replay };
  if (sessions !== undefined) return { kind: 'sessions', sessions: countsOf(sessions, '--sessions') };
  return { kind: 'concurrent', streams: countsOf(streams ?? '', '--streams') };
}

function namedProfile({ profile, rate }: LoadOptions): { profile: Profile; warmup?: unknown } | null {
  const rates = rate?.split(',').map((each) => positive(each, '--rate')) ?? null;
  if (profile === undefined) return rates && { profile: { kind: 'poisson', rates } };
  return parseProfile(profile, rates);
}

/** Options that belong to one kind of load are a fault beside another. */
function withDetails<Found extends { profile: Profile } | null>(found: Found, options: LoadOptions): Found {
  const { replaySpeed, replayFrom, turns, think, rampUp } = options;
  const details = [
    ['replay', '--replay-speed', replaySpeed && { speed: positive(replaySpeed, '--replay-speed') }],
    ['replay', '--replay-from', replayFrom && { from: number(replayFrom, '--replay-from') }],
    ['sessions', '--turns', turns && { turns: count(turns, '--turns') }],
    ['sessions', '--think', think && { think: number(think, '--think') }],
    [
      'concurrent throughput constant poisson gamma',
      '--ramp-up',
      rampUp && { rampUp: positive(rampUp, '--ramp-up') },
    ],
  ] as const;
  let profile = found?.profile;
  for (const [kinds, option, detail] of details) {
    if (!detail) continue;
    if (!profile || !kinds.split(' ').includes(profile.kind))
      throw usage(`${option} belongs to the profile ${kinds.replaceAll(' ', ', ')}: say that too.`);
    profile = { ...profile, ...detail };
  }
  return found && profile ? { ...found, profile } : found;
}

function countsOf(text: string, option: string): number[] {
  return text.split(',').map((each) => count(each, option));
}
