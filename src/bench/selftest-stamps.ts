import { percentile, sortedCopy } from '../stats/percentile.ts';
import type { CaseRun } from './selftest-run.ts';

/** What the client says, held against the moments at which the server wrote; both on one monotonic clock. */
export interface StampErrors {
  readonly n: number;
  /** From the writing of an event to the client's stamp. */
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  /** Of a gap: measured minus written, without its sign. */
  readonly gapP99Ms: number;
  /** Events with a stamp before their writing; there must be none. */
  readonly early: number;
}

/** What two processes' readings of one clock may differ by. */
const clockGrainMicros = 50;
const stamp = /\d{16}/g;

/** Null where no record kept a text with moments in it. */
export function stampErrors({ records, origin }: CaseRun): StampErrors | null {
  const delays: number[] = [];
  const gaps: number[] = [];
  for (const { text, firstToken, gaps: measured } of records) {
    const written = (text?.match(stamp) ?? []).map(Number);
    if (firstToken === null || written.length !== measured.length + 1) continue;
    let at = origin + firstToken;
    delays.push(at - (written[0] as number));
    measured.forEach((gap, i) => {
      at += gap;
      delays.push(at - (written[i + 1] as number));
      gaps.push(Math.abs(gap - ((written[i + 1] as number) - (written[i] as number))));
    });
  }
  if (delays.length === 0) return null;
  const sorted = sortedCopy(delays);
  return {
    n: delays.length,
    delayP50Ms: percentile(sorted, 0.5) / 1000,
    delayP99Ms: percentile(sorted, 0.99) / 1000,
    gapP99Ms: percentile(sortedCopy(gaps), 0.99) / 1000,
    early: delays.filter((delay) => delay < -clockGrainMicros).length,
  };
}
