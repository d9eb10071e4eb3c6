import { editDistance } from './nearest.ts';

/** The known name that `own` is one or two letters from; null for a known one, a short one, and one that is like nothing. */
export function closeName(own: string, known: readonly string[], shortest: number): string | null {
  if (own.length < shortest || known.includes(own)) return null;
  return known.find((one) => editDistance(one, own) <= (own.length < 8 ? 1 : 2)) ?? null;
}
