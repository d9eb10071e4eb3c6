import type { Health } from './health.ts';
import { healthState } from './health.ts';
import type { Ask, Balancer, Candidate } from './policies/contract.ts';

/** One instance as the choice sees it. */
export interface Choosable extends Candidate {
  readonly health: Health;
  /** Takes nothing new until then; null as usual. */
  readonly drainedUntil: number | null;
  /** Slots, cache and pace allow one more request of so many tokens. */
  readonly fits: (tokens: number, now: number) => boolean;
}

/** How a request wants its instance chosen. */
export interface Choice {
  /** What it will probably hold of an engine's cache; 0 where nobody counts that. */
  readonly tokens: number;
  readonly balancer: Balancer;
  readonly ask: Ask;
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
  /** Cannot serve yet: chosen only where there is nothing else, to say so itself. */
  readonly #loading: One[] = [];
  /** Has been ejected for its time: only a request can tell that it is back, so it comes first. */
  probe: One | null = null;

  look(instances: readonly One[], now: number, tried: ReadonlySet<One> | null, tokens = 0): this {
    this.open.length = 0;
    this.alive.length = 0;
    this.#loading.length = 0;
    this.probe = null;
    for (const instance of instances) {
      if (tried?.has(instance) || (instance.drainedUntil !== null && now < instance.drainedUntil)) continue;
      const state = healthState(instance.health, now);
      if (state === 'ejected' || state === 'probing') continue;
      if (state === 'loading') this.#loading.push(instance);
      else this.#add(instance, state === 'probe-due', instance.fits(tokens, now));
    }
    if (this.alive.length === 0)
      for (const instance of this.#loading) this.#add(instance, false, instance.fits(tokens, now));
    return this;
  }

  #add(instance: One, probeDue: boolean, room: boolean): void {
    if (probeDue && room) this.probe ??= instance;
    this.alive.push(instance);
    if (room) this.open.push(instance);
  }

  get room(): boolean {
    return this.open.length > 0;
  }

  /** Only when there is room. */
  pick({ balancer, ask }: Choice): One {
    return this.probe ?? balancer.pick(this.open, ask, this.alive);
  }
}
