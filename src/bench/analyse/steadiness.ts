import type { Strategy } from '../../domain/load-shape.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import type { Steadiness } from '../../domain/run/stage-report.ts';
import { extent } from '../../stats/extent.ts';
import { sortedCopy } from '../../stats/percentile.ts';

/** A third of fewer requests than this says nothing about a trend. */
const fewest = 5;

/**
 * Whether a stage was as it went on what it was at its beginning: requests in flight and the median E2E of the last third
 * of its measured time beside those of the first. Of an open loop both must have grown: then the server falls behind, and
 * every figure depends on how long the stage was. Null of too few requests.
 */
export function steadinessOf(records: readonly RecordRow[], strategy: Strategy): Steadiness | null {
  const measured = records.filter(({ phase }) => phase === 'measured');
  if (measured.length < 3 * fewest) return null;
  const { min: start, max: end } = extent(measured.map(({ scheduled }) => scheduled));
  const third = (end - start) / 3;
  if (third <= 0) return null;
  const first = { from: start, to: start + third };
  const last = { from: end - third, to: end };
  const e2e = [first, last].map((part) => medianE2e(measured, part));
  const [before, after] = e2e;
  if (before === null || before === undefined || after === null || after === undefined) return null;
  const inFlight = [first, last].map((part) => meanInFlight(records, part)) as [number, number];
  const slower = after > (strategy.kind === 'open' ? 1.25 : 2) * before;
  const fuller = strategy.kind === 'closed' || inFlight[1] > 1.5 * inFlight[0] + 1;
  return { steady: !(slower && fuller), inFlight, e2eMs: [before, after] };
}

interface Part {
  readonly from: number;
  readonly to: number;
}

function medianE2e(measured: readonly RecordRow[], part: Part): number | null {
  const times = sortedCopy(
    measured
      .filter(({ scheduled, outcome }) => scheduled >= part.from && scheduled <= part.to && outcome === 'ok')
      .map((record) => ((record.last ?? record.done) - record.scheduled) / 1000),
  );
  return times.length < fewest ? null : (times[Math.floor(times.length / 2)] ?? null);
}

/** By how long each request overlaps the part: warm-up requests are part of the load. */
function meanInFlight(records: readonly RecordRow[], part: Part): number {
  const busy = records.reduce(
    (sum, { scheduled, done }) => sum + Math.max(0, Math.min(done, part.to) - Math.max(scheduled, part.from)),
    0,
  );
  return busy / (part.to - part.from);
}
