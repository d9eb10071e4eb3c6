import type { Check } from '../../domain/verification.ts';

/** What came of looking: a fault and its cure, or what was seen, or why it was not looked at. */
export type Found =
  | { readonly at: string; readonly skipped: string }
  | { readonly at: string; readonly fault: string | null; readonly seen: string; readonly cure: string };

/** Makes the checks of one place. */
export function check(
  place: Pick<Check, 'deployment' | 'replica'>,
): (kind: Check['check'], found: Found) => Check {
  return (kind, found) => {
    const base = { check: kind, ...place, at: found.at };
    if ('skipped' in found) return { ...base, outcome: 'skipped', evidence: found.skipped, cure: null };
    return found.fault === null
      ? { ...base, outcome: 'passed', evidence: found.seen, cure: null }
      : { ...base, outcome: 'failed', evidence: found.fault, cure: found.cure };
  };
}
