import type { KeyLimits, RateLimits } from '../../domain/key-limits.ts';
import type { Count, WindowKind } from './window.ts';

export type Unit = 'requests' | 'tokens' | 'usd';

/** What a request takes: estimated when it is admitted, real when it has ended. */
export interface Amounts {
  readonly requests: number;
  readonly tokens: number;
  readonly usd: number;
}

/** One limit: so much of a unit in a window, for a key or for a model over all keys. */
export interface Bound {
  /** Unique over all bounds, and the same in every gateway of a fleet. */
  readonly id: string;
  readonly scope: 'key' | 'model';
  /** As metrics have it: the id of a key. */
  readonly name: string;
  /** As those know it whose limit it is: the name of a key. */
  readonly title: string;
  readonly unit: Unit;
  readonly window: WindowKind;
  /** Infinity: it is counted only. */
  readonly limit: number;
  /** Where it was counted last, so that its id need not be looked up for each request; a book keeps its counts for ever. */
  latest: { readonly book: object; readonly count: Count } | null;
}

/** Whose limits these are, ready to be looked at for each request. */
export interface Subject {
  /** Unique over all subjects. */
  readonly id: string;
  readonly scope: 'key' | 'model';
  /** As metrics have it: the id of a key. */
  readonly name: string;
  /** As those know it whose limits these are: the name of a key. */
  readonly title: string;
  readonly concurrent: number;
  readonly bounds: readonly Bound[];
}

/** Who is bounded, and by what id that is counted. */
type Whose = Pick<Subject, 'scope' | 'name' | 'title'>;

export function keySubject(key: { readonly id: string; readonly name: string }, limits: KeyLimits): Subject {
  const { day, month } = limits.budget ?? {};
  const whose: Whose = { scope: 'key', name: key.id, title: key.name };
  return {
    ...whose,
    id: `key:${key.id}`,
    concurrent: limits.concurrent ?? Infinity,
    bounds: [
      ...rateBounds(whose, limits),
      // Budgets are counted also where there is none: one that is set tomorrow knows what was spent today.
      bound(whose, 'tokens', 'day', day?.tokens),
      bound(whose, 'usd', 'day', day?.usd),
      bound(whose, 'tokens', 'month', month?.tokens),
      bound(whose, 'usd', 'month', month?.usd),
    ],
  };
}

/** Null when nothing is bounded. */
export function modelSubject(name: string, limits: RateLimits | undefined): Subject | null {
  if (!limits) return null;
  const whose: Whose = { scope: 'model', name, title: name };
  const bounds = rateBounds(whose, limits);
  return { ...whose, id: `model:${name}`, concurrent: limits.concurrent ?? Infinity, bounds };
}

function rateBounds(whose: Whose, limits: RateLimits): Bound[] {
  return [
    ...(limits.rpm === undefined ? [] : [bound(whose, 'requests', 'minute', limits.rpm)]),
    ...(limits.tpm === undefined ? [] : [bound(whose, 'tokens', 'minute', limits.tpm)]),
  ];
}

function bound(
  { scope, name, title }: Whose,
  unit: Unit,
  window: WindowKind,
  limit: number | undefined,
): Bound {
  return {
    id: boundId(scope, name, unit, window),
    scope,
    name,
    title,
    unit,
    window,
    limit: limit ?? Infinity,
    latest: null,
  };
}

export function boundId(scope: 'key' | 'model', name: string, unit: Unit, window: WindowKind): string {
  return `${scope}:${name}:${window}:${unit}`;
}

/**
 * What is charged when a request is admitted. Of a minute's limit at most all of it: a request whose estimate is above
 * the limit waits for an empty minute instead of being refused for ever.
 */
export function chargeOf(bound: Bound, amounts: Amounts): number {
  const amount = amountOf(amounts, bound.unit);
  return bound.window === 'minute' ? Math.min(amount, bound.limit) : amount;
}

/** By names that stand in the code: one that is only known when it runs costs V8 a search, some twenty times a request. */
export function amountOf(amounts: Amounts, unit: Unit): number {
  if (unit === 'requests') return amounts.requests;
  return unit === 'tokens' ? amounts.tokens : amounts.usd;
}

/** Less than any amount that is counted. */
const anything = 1e-9;

/** What must still be free: all that is charged; of a budget anything at all, so that its last tokens can be spent. */
export function needOf(bound: Bound, amounts: Amounts): number {
  return bound.window === 'minute' ? chargeOf(bound, amounts) : anything;
}
