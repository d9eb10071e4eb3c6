import { percentile, sortedCopy } from '../../stats/percentile.ts';
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
  /** How late the server itself wrote in this run, by the schedule that it plays; null where that has jitter. */
  readonly lateP50Ms: number | null;
}

/** So many times the server's own lateness may the client's stamps be late; below a quarter of a millisecond that is the clock's. */
const mostTimes = 20;
const leastLateMs = 0.25;

/** What is wrong with the client's times, by what this machine could do at that time: the server had the same machine. */
export function timeFaults({ delayP50Ms, early, lateP50Ms }: StampErrors): string[] {
  const faults = early > 0 ? [`${early} events were stamped before they were written`] : [];
  if (lateP50Ms === null) return faults;
  const most = mostTimes * Math.max(leastLateMs, lateP50Ms);
  if (delayP50Ms > most)
    faults.push(
      `events were stamped ${delayP50Ms.toFixed(2)} ms after they were written (median), over ${mostTimes} times what the server was late by`,
    );
  return faults;
}

/** What two processes' readings of one clock may differ by. */
const clockGrainMicros = 50;
const stamp = /\d{16}/g;

/** Null where no record kept a text with moments in it. `itlMs`: the gap that the server plays; null where it varies. */
export function stampErrors({ records, origin }: CaseRun, itlMs: number | null): StampErrors | null {
  const delays: number[] = [];
  const late: number[] = [];
  const gaps: number[] = [];
  for (const { text, firstToken, gaps: measured } of records) {
    const written = (text?.match(stamp) ?? []).map(Number);
    if (firstToken === null || written.length !== measured.length + 1) continue;
    if (itlMs !== null) late.push(...latenessOf(written, itlMs * 1000));
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
    lateP50Ms: late.length === 0 ? null : percentile(sortedCopy(late), 0.5) / 1000,
  };
}

/** Of each event behind the first, how far it was written from its place in the schedule that the first one began. */
function latenessOf(written: readonly number[], itl: number): number[] {
  const [first = 0, ...rest] = written;
  return rest.map((at, i) => Math.abs(at - first - (i + 1) * itl));
}
