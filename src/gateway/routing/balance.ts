import type { CacheTokens } from '../limits/cache-tokens.ts';
import type { Health } from './health.ts';
import { healthState } from './health.ts';
import type { Ask, Balancer, Candidate } from '../policies/contract.ts';

/** One instance as the choice sees it. */
export interface Choosable extends Candidate {
  readonly health: Health;
  /** Takes nothing new until then; null as usual. */
  readonly drainedUntil: number | null;
  /** Slots, cache and pace allow one more request of so many tokens. */
  readonly fits: (tokens: number, now: number) => boolean;
}

/** How a request wants its instance chosen. */
export interface Choice extends CacheTokens {
  readonly balancer: Balancer;
  readonly ask: Ask;
  /** Id of the instance that keeps what the request goes on from; absent for nearly all. */
  readonly holder?: string;
}

/**
 * Which of the instances of one deployment a request may go to. The lists are made once and filled anew for each
 * request, since this runs for every one; they are valid until the next `look`.
 */
export class Openings<One extends Choosable> {
  /** Have room now. */
  readonly open: One[] = [];
  /** Are in service: have room, or are full. */
  readonly alive: One[] = [];
  /** Has been ejected for its time: only a request can tell that it is back, so it comes first. */
  probe: One | null = null;

  look(instances: readonly One[], now: number, tried: readonly One[] | null, tokens = 0): this {
    this.#fill(instances, { now, tried, tokens, loading: false });
    // What cannot serve yet is chosen only where there is nothing else, to say so itself.
    if (this.alive.length === 0 && instances.length > 0)
      this.#fill(instances, { now, tried, tokens, loading: true });
    return this;
  }

  #fill(
    instances: readonly One[],
    of: { now: number; tried: readonly One[] | null; tokens: number; loading: boolean },
  ): void {
    const { now, tried, tokens, loading } = of;
    let open = 0;
    let alive = 0;
    this.probe = null;
    for (const instance of instances) {
      if (tried?.includes(instance) || (instance.drainedUntil !== null && now < instance.drainedUntil))
        continue;
      const state = healthState(instance.health, now);
      if (state === 'ejected' || state === 'probing' || (state === 'loading' && !loading)) continue;
      this.alive[alive] = instance;
      alive += 1;
      if (!instance.fits(tokens, now)) continue;
      if (state === 'probe-due') this.probe ??= instance;
      this.open[open] = instance;
      open += 1;
    }
    cut(this.open, open);
    cut(this.alive, alive);
  }

  get room(): boolean {
    return this.open.length > 0;
  }

  /** Only when there is room. */
  pick({ balancer, ask }: Choice): One {
    return this.probe ?? balancer.pick(this.open, ask, this.alive);
  }
}

/** Not by way of length 0: an emptied list gives its memory back, and would be made anew for each request. */
function cut(list: unknown[], length: number): void {
  if (list.length > length) list.length = length;
}
