import type { RecordRow } from '../../domain/run/record-row.ts';
import type { RunProgress } from '../../domain/run-progress.ts';
import { extent } from '../../stats/extent.ts';

/**
 * How many requests were in flight when a run was ended by force: as many as the run said last, half a second before at
 * most, or as many as were sent, by their numbers, before others that have a record. One that was interrupted in good
 * order has a record of each and says nothing any longer. `part`: records since the run was last gone on with.
 */
export function lostAtBreak(
  stage: number,
  part: readonly RecordRow[],
  said: readonly RunProgress[] | null,
): number {
  const ids = new Set(part.map(({ id }) => id));
  const { min, max } = extent(ids);
  const skipped = ids.size === 0 ? 0 : max - min + 1 - ids.size;
  const tick = said?.findLast((progress) => progress.type === 'tick');
  return Math.max(skipped, tick?.index === stage ? tick.inFlight : 0);
}
