import { percentile, sortedCopy } from '../../stats/percentile.ts';

/** The load at one moment, in seconds. */
export interface LoadMoment {
  readonly at: number;
  readonly inFlight: number;
}

/** A first token by the moment at which it came, seconds, with its time since the request was due. */
export interface FirstToken {
  readonly at: number;
  readonly ttftMs: number;
}

const bins = 10;
/** One-sided 1 % of the normal distribution. */
const significant = 2.33;
const growth = { factor: 1.5, ttftMs: 100 } as const;

/**
 * Whether an open loop is past what the server can do: over the last `window` seconds both the requests in flight and the
 * TTFT from the schedule have a rising trend (Mann-Kendall over the medians of ten parts of the window, for values next to
 * each other are alike), and each is at its end at least half more than at its beginning, TTFT by at least 100 ms. Both are
 * wanted: a burst raises the one, a long prompt the other. `load` must reach over the whole window. Pure.
 */
export function isOverSaturated(
  load: readonly LoadMoment[],
  tokens: readonly FirstToken[],
  span: { now: number; window: number },
): boolean {
  const start = span.now - span.window;
  const inFlight = medians(
    load.filter(({ at }) => at >= start).map(({ at, inFlight: n }) => [at, n]),
    start,
    span.window,
  );
  // A token is known when its answer has ended: of the last answers there is none yet.
  const seen = tokens.filter(({ at }) => at >= start);
  const last = seen.reduce((latest, { at }) => Math.max(latest, at), start);
  const waits = seen.map(({ at, ttftMs }) => [at, ttftMs] as const);
  const ttft = medians(waits, start, last - start);
  if (!inFlight || !ttft || last - start < span.window / 3) return false;
  return rises(inFlight) && rises(ttft) && (ttft.at(-1) ?? 0) - (ttft[0] ?? 0) >= growth.ttftMs;
}

/** Null when a part has no value at all. */
function medians(
  values: readonly (readonly [at: number, value: number])[],
  start: number,
  length: number,
): number[] | null {
  const parts: number[][] = Array.from({ length: bins }, () => []);
  for (const [at, value] of values)
    parts[Math.min(bins - 1, Math.floor(((at - start) / length) * bins))]?.push(value);
  if (parts.some((part) => part.length === 0)) return null;
  return parts.map((part) => percentile(sortedCopy(part), 0.5));
}

function rises(values: readonly number[]): boolean {
  return (
    mannKendall(values) > significant && (values.at(-1) ?? 0) >= growth.factor * Math.max(1, values[0] ?? 0)
  );
}

/** The trend of a sequence as a standard normal value (Mann 1945, Kendall 1975; without the correction for ties). */
function mannKendall(values: readonly number[]): number {
  const n = values.length;
  let s = 0;
  for (let i = 0; i < n; i += 1)
    for (let j = i + 1; j < n; j += 1) s += Math.sign((values[j] as number) - (values[i] as number));
  const deviation = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  return s === 0 ? 0 : (s - Math.sign(s)) / deviation;
}
