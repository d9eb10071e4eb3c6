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
  readonly name: string;
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
  readonly name: string;
  readonly concurrent: number;
  readonly bounds: readonly Bound[];
}

export function keySubject(name: string, limits: KeyLimits): Subject {
  const { day, month } = limits.budget ?? {};
  return {
    id: `key:${name}`,
    scope: 'key',
    name,
    concurrent: limits.concurrent ?? Infinity,
    bounds: [
      ...rateBounds('key', name, limits),
      // Budgets are counted also where there is none: one that is set tomorrow knows what was spent today.
      bound('key', name, 'tokens', 'day', day?.tokens),
      bound('key', name, 'usd', 'day', day?.usd),
      bound('key', name, 'tokens', 'month', month?.tokens),
      bound('key', name, 'usd', 'month', month?.usd),
    ],
  };
}

/** Null when nothing is bounded. */
export function modelSubject(name: string, limits: RateLimits | undefined): Subject | null {
  if (!limits) return null;
  const bounds = rateBounds('model', name, limits);
  return { id: `model:${name}`, scope: 'model', name, concurrent: limits.concurrent ?? Infinity, bounds };
}

function rateBounds(scope: 'key' | 'model', name: string, limits: RateLimits): Bound[] {
  return [
    ...(limits.rpm === undefined ? [] : [bound(scope, name, 'requests', 'minute', limits.rpm)]),
    ...(limits.tpm === undefined ? [] : [bound(scope, name, 'tokens', 'minute', limits.tpm)]),
  ];
}

function bound(
  scope: 'key' | 'model',
  name: string,
  unit: Unit,
  window: WindowKind,
  limit: number | undefined,
): Bound {
  return {
    id: boundId(scope, name, unit, window),
    scope,
    name,
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
  const amount = amounts[bound.unit];
  return bound.window === 'minute' ? Math.min(amount, bound.limit) : amount;
}

/** Less than any amount that is counted. */
const anything = 1e-9;

/** What must still be free: all that is charged; of a budget anything at all, so that its last tokens can be spent. */
export function needOf(bound: Bound, amounts: Amounts): number {
  return bound.window === 'minute' ? chargeOf(bound, amounts) : anything;
}
