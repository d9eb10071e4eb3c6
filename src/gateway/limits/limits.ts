import type { Quotas } from '../../domain/gateway-config.ts';
import { limitsWithin } from '../../domain/key-limits.ts';
import type { KeyLimits } from '../../domain/key-limits.ts';
import type { Caller } from '../front/caller.ts';
import { keySubject, modelSubject } from './bounds.ts';
import type { Amounts, Bound, Subject } from './bounds.ts';
import { countOf, refusalOf, take } from './book.ts';
import type { Refusal } from './book.ts';
import { estimate } from './estimate.ts';
import { answerLength, crowdOf } from './memory.ts';
import { amountsOf, Hold } from './hold.ts';
import type { Demand, LimitsContext, Reservation } from './hold.ts';
import { rateHeaders, rateLines } from './rate-headers.ts';
import type { CountAt } from './rate-headers.ts';
import { overRate, tooManyAtOnce } from './refusals.ts';
import type { Count } from './window.ts';

/** What callers may take. A request that was admitted is never cut. */
export interface Limits {
  /** Throws, or rejects, with ApiError 429; then nothing is held. */
  readonly reserve: (demand: Demand) => Reservation | Promise<Reservation>;
  /** For the metrics: keys and models that have asked so far, then those that the file names; one may come twice. */
  readonly subjects: () => Iterable<Subject>;
}

export const noQuotas: Quotas = {
  eachKey: {},
  models: {},
  prices: {},
  usageFile: null,
  sharedUrlFile: null,
};

/** Whose limits hold for one caller and one model, found once. */
interface Bounded {
  readonly subjects: readonly Subject[];
  readonly bounds: readonly Bound[];
  /** Those of them that replies tell of. */
  readonly perMinute: readonly Bound[];
}

/** `named`: who may ask, by the file. */
export function createLimits(quotas: Quotas, context: LimitsContext, named: readonly Caller[] = []): Limits {
  const known = new Map<Caller, Map<string, Bounded>>();
  let ofFile: readonly Subject[] | null = null;

  function boundedOf(caller: Caller, model: string): Bounded {
    const models = known.get(caller) ?? new Map<string, Bounded>();
    const found = models.get(model);
    if (found) return found;
    const subjects = subjectsOf(quotas, caller, model);
    const bounds = subjects.flatMap((one) => one.bounds);
    const made = { subjects, bounds, perMinute: bounds.filter(({ window }) => window === 'minute') };
    known.set(caller, models.set(model, made));
    return made;
  }

  const { book } = context.memory;
  function countAt(bound: Bound, wallMs: number): Count {
    return countOf(book, bound, wallMs);
  }

  return {
    reserve: (demand) => {
      const bounded = boundedOf(demand.caller, demand.model);
      const hold = reserveHere({ quotas, context, countAt }, demand, bounded);
      return context.shared ? reserveTogether(hold, context, context.shared, bounded) : hold;
    },
    subjects: () => {
      ofFile ??= [
        ...named.map((caller) => keySubject(caller, limitsOf(caller, quotas))),
        ...Object.keys(quotas.models).flatMap((name) => modelSubject(name, quotas.models[name]) ?? []),
      ];
      const asked = [...known.values()].flatMap((models) => [...models.values()]);
      return [...asked.flatMap(({ subjects }) => subjects), ...ofFile];
    },
  };
}

/** What is said for each key is not for those of control. */
export function limitsOf({ control, limits }: Caller, quotas: Quotas): KeyLimits {
  return limitsWithin(control ? {} : quotas.eachKey, limits);
}

function subjectsOf(quotas: Quotas, caller: Caller, model: string): Subject[] {
  const ofModel = modelSubject(model, quotas.models[model]);
  return [keySubject(caller, limitsOf(caller, quotas)), ...(ofModel ? [ofModel] : [])];
}

interface Here {
  readonly quotas: Quotas;
  readonly context: LimitsContext;
  readonly countAt: CountAt;
}

/** Refuses, or charges, by what this gateway has counted itself. */
function reserveHere({ quotas, context, countAt }: Here, demand: Demand, bounded: Bounded): Hold {
  const { memory, random } = context;
  const { subjects, bounds, perMinute } = bounded;
  const now = context.wallMs();
  for (const one of subjects) {
    const { underWay, meanMs } = crowdOf(memory, one);
    if (underWay >= one.concurrent)
      throw tooManyAtOnce(one, meanMs, rateHeaders(countAt, perMinute, now), random());
  }
  const guess = estimate(demand, answerLength(memory, demand.model).tokens);
  const amounts = amountsOf(quotas, demand, guess);
  const charged = take(memory.book, bounds, amounts, now);
  if ('waitMs' in charged) {
    const headers = rateHeaders(countAt, perMinute, now);
    throw overRate(charged, { headers, random: random(), answers: guess.output > 0 });
  }
  return new Hold(
    { quotas, context, demand, guess, subjects, since: context.now() },
    charged,
    rateLines(countAt, perMinute, now),
  );
}

/**
 * Asks the book of all gateways once its own has agreed: what this gateway has counted alone is never more than what all
 * have. When the shared book cannot be reached, its own decides.
 */
async function reserveTogether(
  hold: Hold,
  context: LimitsContext,
  shared: NonNullable<LimitsContext['shared']>,
  { bounds, subjects }: Bounded,
): Promise<Hold> {
  const now = context.wallMs();
  const [verdict, crowded] = await Promise.all([
    shared.book.take(bounds, hold.amounts, now),
    shared.crowds.enter(subjects),
  ]);
  if (crowded) {
    if (verdict?.charge) hold.share(verdict.charge, '');
    hold.settle(null);
    const { meanMs } = crowdOf(context.memory, crowded);
    throw tooManyAtOnce(crowded, meanMs, [], context.random());
  }
  if (!verdict) {
    hold.share(shared.book.owing(bounds, now), hold.lines);
    return hold;
  }
  const limited = bounds.filter(({ limit }) => Number.isFinite(limit));
  const counts = new Map(limited.map((bound, i) => [bound, verdict.counts[i] as Count]));
  function countAt(bound: Bound): Count {
    return counts.get(bound) as Count;
  }
  if (verdict.charge) {
    hold.share(verdict.charge, rateLines(countAt, limited, verdict.wallMs));
    return hold;
  }
  hold.settle(null);
  const headers = rateHeaders(countAt, limited, verdict.wallMs);
  throw overRate(refusalIn(counts, hold.amounts, verdict.wallMs), {
    headers,
    random: context.random(),
    answers: hold.answers,
  });
}

/** That of the first bound which refuses by these counts. The store has refused: where none does, it is the first bound. */
function refusalIn(counts: ReadonlyMap<Bound, Count>, amounts: Amounts, wallMs: number): Refusal {
  for (const [bound, count] of counts) {
    const refusal = refusalOf(count, bound, amounts, wallMs);
    if (refusal) return refusal;
  }
  const [bound] = counts.keys();
  if (!bound) throw new Error('The shared store has refused what has no limit.');
  return { bound, amount: amounts[bound.unit], left: 0, waitMs: bound.window === 'minute' ? 0 : null };
}
