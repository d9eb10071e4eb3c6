import type { Deployment } from '../routing/deployment.ts';
import type { Instance } from '../routing/instance.ts';
import { shareOf, slotsToClaim } from './share-of-slots.ts';
import type { Share } from './share-of-slots.ts';
import type { Claim, Granted, SharedClaims } from './shared-claims.ts';

/** Claims are made again that soon where somebody is short of slots. */
const shortMs = 200;
/** Claims are made again so often in any case: what is not used is lent that soon. */
const idleMs = 1000;
/** The store is tried again that soon while it is not there. */
const absentMs = 500;
/** Stands for "any number" where the store wants a whole number. */
const noBound = 1_000_000_000;

export interface SharedSlotsOptions {
  readonly claims: () => SharedClaims | null;
  readonly deployments: () => Iterable<Deployment>;
  /** Name of an instance in all gateways. */
  readonly idOf: (instance: Instance) => string;
}

interface Shared {
  readonly instance: Instance;
  readonly deployment: Deployment;
}

/**
 * Divides what instances take among the gateways of a fleet. No request asks the store: each gateway claims slots ahead,
 * grants them by itself, and lends what it does not use. Figures that cannot be lent, a cache's tokens and requests per
 * second, are divided evenly. Without the store each gateway counts alone.
 */
export class SharedSlots {
  readonly #options: SharedSlotsOptions;
  readonly #shares = new WeakMap<Instance, Share>();
  #busy = false;
  #askedAt = -Infinity;
  #turn = false;

  constructor(options: SharedSlotsOptions) {
    this.#options = options;
  }

  /** To be called at every tick. */
  tick(now: number): void {
    const claims = this.#options.claims();
    if (!claims) {
      for (const one of this.#each()) this.#takeIn(one, null, now);
      return;
    }
    if (this.#busy || now - this.#askedAt < this.#dueMs()) return;
    this.#busy = true;
    this.#askedAt = now;
    void this.#exchange(claims, now).finally(() => (this.#busy = false));
  }

  /** Gives back all. */
  close(): void {
    const all = this.#each().map(({ instance }) => ({
      id: this.#options.idOf(instance),
      ask: -1,
      need: 0,
      least: 0,
      limit: noBound,
    }));
    if (all.length > 0) void this.#options.claims()?.claim(all);
  }

  #each(): Shared[] {
    return [...this.#options.deployments()].flatMap((deployment) =>
      deployment.instances.map((instance) => ({ instance, deployment })),
    );
  }

  #dueMs(): number {
    let due = idleMs;
    for (const { instance, deployment } of this.#each()) {
      const share = this.#shares.get(instance);
      if (!share) due = Math.min(due, absentMs);
      else if (deployment.waiting > 0 || share.hungry > 0 || instance.inflight >= share.slots) due = shortMs;
    }
    return due;
  }

  async #exchange(claims: SharedClaims, now: number): Promise<void> {
    const all = this.#each();
    this.#turn = !this.#turn;
    const claimed = all.map((one) => this.#claim(one, now));
    const answer = await claims.claim(claimed);
    all.forEach((one, i) => {
      const granted = answer?.[i];
      this.#takeIn(one, granted ? sharedBy(claimed[i] as Claim, granted) : null, now);
    });
    for (const { deployment } of all) if (deployment.waiting > 0) deployment.dispatch();
  }

  /** What is given back is no longer used from here on, before the store knows of it. */
  #claim({ instance, deployment }: Shared, now: number): Claim {
    const { inflight, room } = instance;
    const id = this.#options.idOf(instance);
    const capacity = room.slotsOfAll;
    if (capacity === null) return { id, ask: 0, need: 0, least: 0, limit: noBound };
    const share = this.#shares.get(instance) ?? null;
    const waiting = Math.ceil(deployment.waiting / deployment.instances.length);
    const { ask, use } = slotsToClaim(share, { capacity, inflight, waiting }, this.#turn);
    if (share) room.divide({ ...share, slots: use }, now);
    return { id, ask, need: Math.min(capacity, inflight + waiting), least: inflight, limit: capacity };
  }

  #takeIn({ instance }: Shared, share: Share | null, now: number): void {
    if (share) this.#shares.set(instance, share);
    else if (!this.#shares.delete(instance)) return;
    instance.room.divide(share, now);
  }
}

function sharedBy({ ask, limit }: Claim, granted: Granted): Share {
  return limit === noBound ? { ...granted, slots: noBound } : shareOf(ask, granted);
}
