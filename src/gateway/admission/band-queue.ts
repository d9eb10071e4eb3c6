import { priorities } from '../../domain/key-limits.ts';
import type { Priority } from '../../domain/key-limits.ts';
import { FairQueue } from './fair-queue.ts';

/** A band that waits has a turn after so many milliseconds, but not before so many turns of the bands above it. */
export const starvation = { ms: 5000, turns: 4 } as const;

interface Band<Item> {
  readonly priority: Priority;
  readonly queue: FairQueue<Item>;
  /** Since its last turn, or since it has had anybody in it. */
  since: number;
  /** Turns that bands above it have had since then. */
  passed: number;
}

/**
 * The higher band first, fair by key within each. The lower ones do not starve: as a busy band can leave no slot to those
 * below it for ever, each that waits gets a turn now and then (`starvation`).
 */
export class BandQueue<Item> {
  readonly #bands: readonly Band<Item>[];
  readonly #now: () => number;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#bands = priorities.map((priority) => ({
      priority,
      queue: new FairQueue<Item>(),
      since: 0,
      passed: 0,
    }));
  }

  get size(): number {
    let size = 0;
    for (const { queue } of this.#bands) size += queue.size;
    return size;
  }

  add(key: string, item: Item, priority: Priority): void {
    const band = this.#bands.find((one) => one.priority === priority) as Band<Item>;
    if (band.queue.size === 0) this.#turned(band);
    band.queue.add(key, item);
  }

  /** False when it is not there any more. */
  remove(key: string, item: Item): boolean {
    return this.#bands.some(({ queue }) => queue.remove(key, item));
  }

  /** How many turns until it is served if nobody comes, 1 for the next, as if no band starved; Infinity when it is not there. */
  placeOf(key: string, item: Item): number {
    let before = 0;
    for (const { queue } of this.#bands) {
      const place = queue.placeOf(key, item);
      if (place < Infinity) return before + place;
      before += queue.size;
    }
    return Infinity;
  }

  /** The same for one who would come now. */
  placeOfNew(key: string, priority: Priority): number {
    let before = 0;
    for (const { priority: own, queue } of this.#bands) {
      if (own === priority) return before + queue.placeOfNew(key);
      before += queue.size;
    }
    return before + 1;
  }

  /** Whose turn is next, left where it is. */
  peek(): Item | undefined {
    return this.#next()?.queue.peek();
  }

  next(): Item | undefined {
    const next = this.#next();
    if (!next) return undefined;
    for (const band of this.#bands.slice(this.#bands.indexOf(next) + 1))
      if (band.queue.size > 0) band.passed += 1;
    this.#turned(next);
    return next.queue.next();
  }

  /** Takes out whoever of the bands below this one came last in the lowest; undefined when there is nobody. */
  shed(priority: Priority): Item | undefined {
    const own = this.#bands.findIndex((one) => one.priority === priority);
    return this.#bands.findLast(({ queue }, i) => i > own && queue.size > 0)?.queue.takeLast();
  }

  /** Empties it. */
  *drain(): Generator<Item> {
    for (const { queue } of this.#bands) yield* queue.drain();
  }

  #next(): Band<Item> | undefined {
    const now = this.#now();
    let starving: Band<Item> | undefined;
    for (const band of this.#bands) {
      const isDue = band.passed >= starvation.turns && now - band.since >= starvation.ms;
      if (band.queue.size > 0 && isDue && (!starving || band.since < starving.since)) starving = band;
    }
    return starving ?? this.#bands.find(({ queue }) => queue.size > 0);
  }

  #turned(band: Band<Item>): void {
    band.since = this.#now();
    band.passed = 0;
  }
}
