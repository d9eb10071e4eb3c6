import type { RecordRow } from '../../domain/run/record-row.ts';
import { tpotOf } from '../../domain/run/request-times.ts';
import { orderOf } from '../../stats/order.ts';

const names = [
  'ttft',
  'ttftScheduled',
  'ttfot',
  'ttfotScheduled',
  'itl',
  'itlMeanPerRequest',
  'tpot',
  'e2e',
  'e2eScheduled',
] as const;

/** Values in ms, in the order in which the requests were sent. */
export type Latencies = Readonly<Record<(typeof names)[number], Float64Array | Float32Array>>;

/** Latencies of good measured requests. What a request does not have (a first token, a second one) it does not add. */
export function latenciesOf(records: readonly RecordRow[]): Latencies {
  const good = records.filter((record) => record.phase === 'measured' && record.outcome === 'ok');
  const found = draftOf(good);
  for (const place of orderOf(good, (record) => record.sent ?? record.scheduled)) {
    const record = good[place] as RecordRow;
    const { sent, scheduled, firstToken: first, firstContent: content, last, events } = record;
    if (sent === null) continue;
    const end = last ?? record.done;
    found.e2e.push((end - sent) / 1000);
    found.e2eScheduled.push((end - scheduled) / 1000);
    if (first === null || last === null) continue;
    found.ttft.push((first - sent) / 1000);
    found.ttftScheduled.push((first - scheduled) / 1000);
    if (content !== null) {
      found.ttfot.push((content - sent) / 1000);
      found.ttfotScheduled.push((content - scheduled) / 1000);
    }
    found.itl.pushAll(record.gaps, 1000);
    if (events > 1) found.itlMeanPerRequest.push((last - first) / (events - 1) / 1000);
    const tpot = tpotOf(record);
    if (tpot !== null) found.tpot.push(tpot);
  }
  return each((name) => found[name].values);
}

function each<Value>(make: (name: keyof Latencies) => Value): Record<keyof Latencies, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<keyof Latencies, Value>;
}

const veryMany = 2_000_000;

/**
 * Numbers of which is known about how many there are: tens of millions of gaps must not be copied as they grow. So many
 * are summarized to the µs, and up to 8 s numbers of half the size hold that.
 */
class Numbers {
  #all: Float64Array | Float32Array;
  #length = 0;

  constructor(expected: number) {
    this.#all = expected > veryMany ? new Float32Array(expected) : new Float64Array(expected);
  }

  pushAll(values: ArrayLike<number>, divisor: number): void {
    this.#makeRoom(values.length);
    const all = this.#all;
    const from = this.#length;
    for (let i = 0; i < values.length; i += 1) all[from + i] = (values[i] as number) / divisor;
    this.#length += values.length;
  }

  #makeRoom(more: number): void {
    if (this.#length + more <= this.#all.length) return;
    const larger = new Float64Array(2 * (this.#length + more));
    larger.set(this.#all);
    this.#all = larger;
  }

  push(value: number): void {
    this.#makeRoom(1);
    this.#all[this.#length] = value;
    this.#length += 1;
  }

  get values(): Float64Array | Float32Array {
    return this.#all.subarray(0, this.#length);
  }
}

function draftOf(good: readonly RecordRow[]): Record<keyof Latencies, Numbers> {
  const gaps = good.reduce((sum, { events }) => sum + Math.max(0, events - 1), 0);
  return each((name) => new Numbers(name === 'itl' ? gaps : good.length));
}

/** Gaps that a reader notices: over five times the usual one, and over a quarter of a second. */
export function stallsOf(itl: ArrayLike<number>, median: number): { count: number; thresholdMs: number } {
  const thresholdMs = Math.max(5 * median, 250);
  let count = 0;
  for (let i = 0; i < itl.length; i += 1) if ((itl[i] as number) > thresholdMs) count += 1;
  return { count, thresholdMs };
}
