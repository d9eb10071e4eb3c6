import { withoutPlaces } from '../../domain/given-files.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { Reason } from '../../domain/plan.ts';

/** Stated keys that make no difference to an engine that runs. */
const ofNoEffect = new Set(['protect']);

/** What the user states otherwise than when the engine was started, one reason a key. */
export function declaredDifferences(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): Reason[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].toSorted();
  return keys.flatMap((field) => {
    if (ofNoEffect.has(field) || sameValue(before[field], now[field])) return [];
    return [{ field, text: `${field}: ${show(before[field])} → ${show(now[field])}` }];
  });
}

function show(value: unknown): string {
  if (value === undefined) return '(not set)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether the same would be started: where given files lie makes no other engine. */
export function sameSpec(a: LaunchSpec, b: LaunchSpec): boolean {
  return sameValue(withoutPlaces(a), withoutPlaces(b));
}

/** Deep equality of plain data; the order of keys does not count. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a).filter(([, value]) => value !== undefined);
  const right = Object.entries(b).filter(([, value]) => value !== undefined);
  return left.length === right.length && left.every(([key, value]) => sameValue(value, Reflect.get(b, key)));
}
