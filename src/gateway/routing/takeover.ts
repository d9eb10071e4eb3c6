import type { Takeover as Report, TakeoverSide } from '../../domain/takeover.ts';
import { healthState } from './health.ts';
import { isDraining } from './instance.ts';
import type { Instance } from './instance.ts';

/** So many of the latest times to a first event are kept: enough for a quantile, and little to tell. */
const mostTimes = 1000;

/**
 * A newer engine takes over from an older one of its replica: which of the two is in service for a request, and how each does. By
 * chance, so that both are given alike requests. The newer one never gets more than its share, unless nobody else can be reached;
 * what it has no room for goes to the older one.
 */
export class Takeover {
  readonly older: Instance;
  readonly newer: Instance;
  readonly share: number;
  /** All that are in service when the newer one is, and when the older one is. */
  #withNewer: readonly Instance[] = [];
  #withOlder: readonly Instance[] = [];
  #all: readonly Instance[] = [];
  readonly #random: () => number;
  readonly #sides = { old: new Side(), new: new Side() };
  /** Drawn once for each slot that is given: whoever waits must not draw until it suits him. */
  #newerIsNext: boolean;

  constructor(
    { older, newer, share }: { older: Instance; newer: Instance; share: number },
    all: readonly Instance[],
    random: () => number = Math.random,
  ) {
    this.older = older;
    this.newer = newer;
    this.share = share;
    this.#random = random;
    this.#newerIsNext = random() < share;
    this.serve(all);
  }

  /** Other replicas come and go meanwhile; what both have done so far stays counted. */
  serve(all: readonly Instance[]): void {
    this.#all = all;
    this.#withNewer = all.filter((one) => one !== this.older);
    this.#withOlder = all.filter((one) => one !== this.newer);
  }

  /** Who is in service for the next request. `holder`: the one instance that can go on from what the request names. */
  among({ tokens, holder }: { tokens: number; holder?: string }, now: number): readonly Instance[] {
    if (holder === this.older.id) return this.#withOlder;
    const wantsNewer = this.#newerIsNext || holder === this.newer.id;
    if (wantsNewer && isOpen(this.newer, tokens, now)) return this.#withNewer;
    return this.#withOlder.some((one) => isThere(one, now)) ? this.#withOlder : this.#all;
  }

  /** A slot was given. */
  dealt(): void {
    this.#newerIsNext = this.#random() < this.share;
  }

  /**
   * Takes note of how an attempt went. `fault` null: well; undefined: that says nothing of the engine. `ttftMs` null: it was no
   * stream, or nothing came.
   */
  note(instance: Instance, fault: string | null | undefined, ttftMs: number | null): void {
    const side = instance === this.newer ? this.#sides.new : instance === this.older ? this.#sides.old : null;
    side?.note(fault, ttftMs);
  }

  report(): Report {
    return { share: this.share, old: this.#sides.old.report(), new: this.#sides.new.report() };
  }
}

class Side {
  #good = 0;
  #failed = 0;
  readonly #faults = new Map<string, number>();
  readonly #times: number[] = [];
  #at = 0;

  note(fault: string | null | undefined, ttftMs: number | null): void {
    if (ttftMs !== null) {
      this.#times[this.#at] = Math.round(ttftMs * 100) / 100;
      this.#at = (this.#at + 1) % mostTimes;
    }
    if (fault === undefined) return;
    if (fault === null) {
      this.#good += 1;
      return;
    }
    this.#failed += 1;
    this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1);
  }

  report(): TakeoverSide {
    const faults = Object.fromEntries(this.#faults);
    return { good: this.#good, failed: this.#failed, faults, ttftMs: [...this.#times] };
  }
}

function isOpen(one: Instance, tokens: number, now: number): boolean {
  const state = healthState(one.health, now);
  return (state === 'healthy' || state === 'probe-due') && !isDraining(one, now) && one.fits(tokens, now);
}

function isThere(one: Instance, now: number): boolean {
  const state = healthState(one.health, now);
  return state !== 'ejected' && state !== 'loading' && !isDraining(one, now);
}

/** The takeover among the instances of a deployment, kept as long as it is the same with the same share; null: there is none. */
export function takeoverOf(instances: readonly Instance[], before: Takeover | null): Takeover | null {
  for (const newer of instances) {
    const wanted = newer.upstream.takesOver;
    const older = wanted && instances.find((one) => one.id === wanted.from);
    if (!older) continue;
    const { share } = wanted;
    const same = before?.older === older && before.newer === newer && before.share === share;
    if (!same || !before) return new Takeover({ older, newer, share }, instances);
    before.serve(instances);
    return before;
  }
  return null;
}
