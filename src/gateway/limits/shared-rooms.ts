import type { Deployment } from '../routing/deployment.ts';
import type { Instance } from '../routing/instance.ts';
import { PassRate } from './pass-rate.ts';
import { shareOf, toClaim, wantedOf } from './share-of-instance.ts';
import type { Need, Share } from './share-of-instance.ts';
import type { Claim, Granted, SharedClaims } from './shared-claims.ts';

/** Claims are made again that soon where somebody is short. */
const shortMs = 200;
/** Claims are made again so often in any case: what is not used is lent that soon. */
const idleMs = 1000;
/** The store is tried again that soon while it is not there. */
const absentMs = 500;
/** Stands for "any number" where the store wants a whole number. */
const noBound = 1_000_000_000;
/** The store counts whole numbers: requests per second are claimed in thousandths. */
const thousandths = 1000;

export interface SharedRoomsOptions {
  readonly claims: () => SharedClaims | null;
  readonly deployments: () => Iterable<Deployment>;
  /** Name of an instance in all gateways. */
  readonly idOf: (instance: Instance) => string;
}

interface Shared {
  readonly instance: Instance;
  readonly deployment: Deployment;
}

/** What of an instance is claimed apart: requests at once, tokens in its cache, requests per second. */
const kinds = ['slots', 'kv', 'rps'] as const;
type Kind = (typeof kinds)[number];
type Shares = { readonly slots: Share } & Partial<Record<Kind, Share>>;

interface Asked {
  readonly shared: Shared;
  readonly kind: Kind;
  readonly claim: Claim;
}

/**
 * Divides what instances take among the gateways of a fleet. No request asks the store: each gateway claims ahead, grants
 * by itself, and lends what it does not use. Without the store each gateway counts alone.
 */
export class SharedRooms {
  readonly #options: SharedRoomsOptions;
  readonly #shares = new WeakMap<Instance, Shares>();
  readonly #rates = new WeakMap<Instance, PassRate>();
  #busy = false;
  #askedAt = -Infinity;
  #turn = false;

  constructor(options: SharedRoomsOptions) {
    this.#options = options;
  }

  /** To be called at every tick. */
  tick(now: number): void {
    const claims = this.#options.claims();
    if (!claims) {
      for (const { instance } of this.#each()) this.#takeIn(instance, null, now);
      return;
    }
    if (this.#busy || now - this.#askedAt < this.#dueMs()) return;
    this.#busy = true;
    this.#askedAt = now;
    void this.#exchange(claims, now).finally(() => (this.#busy = false));
  }

  /** Gives back all. */
  close(): void {
    const all = this.#each().flatMap(({ instance }) =>
      kinds.map((kind) => ({ id: this.#idOf(instance, kind), ask: -1, need: 0, least: 0, limit: noBound })),
    );
    if (all.length > 0) void this.#options.claims()?.claim(all);
  }

  #each(): Shared[] {
    return [...this.#options.deployments()].flatMap((deployment) =>
      deployment.instances.map((instance) => ({ instance, deployment })),
    );
  }

  #idOf(instance: Instance, kind: Kind): string {
    const id = this.#options.idOf(instance);
    return kind === 'slots' ? id : `${id} ${kind}`;
  }

  #dueMs(): number {
    let due = idleMs;
    for (const { instance, deployment } of this.#each()) {
      const shares = this.#shares.get(instance);
      if (!shares) due = Math.min(due, absentMs);
      else if (
        deployment.waiting > 0 ||
        instance.inflight >= shares.slots.amount ||
        kinds.some((kind) => (shares[kind]?.hungry ?? 0) > 0)
      )
        due = shortMs;
    }
    return due;
  }

  async #exchange(claims: SharedClaims, now: number): Promise<void> {
    this.#turn = !this.#turn;
    const asked = this.#each().flatMap((one) => this.#ask(one, now));
    const answer = await claims.claim(asked.map(({ claim }) => claim));
    for (const { instance } of new Set(asked.map(({ shared }) => shared)))
      this.#takeIn(instance, answer && sharesOf(instance, asked, answer), now);
    for (const { deployment } of this.#each()) if (deployment.waiting > 0) deployment.dispatch();
  }

  /** What is given back is no longer used from here on, before the store knows of it. */
  #ask(shared: Shared, now: number): Asked[] {
    const { instance } = shared;
    const shares = this.#shares.get(instance) ?? null;
    const used: Partial<Record<Kind, Share>> = {};
    const asked = kinds.flatMap((kind): Asked[] => {
      const id = this.#idOf(instance, kind);
      const need = this.#need(kind, shared, now);
      // Who bounds no requests at once is counted among the gateways all the same.
      if (!need && kind !== 'slots') return [];
      if (!need) return [{ shared, kind, claim: { id, ask: 0, need: 0, least: 0, limit: noBound } }];
      const share = shares?.[kind] ?? null;
      const { ask, use } = toClaim(share, need, this.#turn);
      if (share) used[kind] = { ...share, amount: use };
      // A rate can be given back at once, what is under way cannot.
      const least = kind === 'rps' ? 0 : need.used;
      return [{ shared, kind, claim: { id, ask, need: wantedOf(need), least, limit: need.capacity } }];
    });
    if (shares) divide(instance, { ...shares, ...used }, now);
    return asked;
  }

  /** Null: it is not bounded. */
  #need(kind: Kind, { instance, deployment }: Shared, now: number): Need | null {
    const { inflight, room } = instance;
    const parts = deployment.instances.length;
    const waiting = Math.ceil(deployment.waiting / parts);
    switch (kind) {
      case 'slots': {
        const capacity = room.slotsOfAll;
        return capacity === null ? null : { capacity, used: inflight, waiting, one: 1 };
      }
      case 'kv': {
        if (room.kvLimitOfAll === null) return null;
        const used = Math.ceil(room.kvHeld);
        const one = inflight === 0 ? 1 : Math.ceil(used / inflight);
        const capacity = Math.floor(room.kvLimitOfAll);
        return { capacity, used, waiting: Math.ceil(deployment.waitingTokens / parts), one };
      }
      case 'rps': {
        const rate = this.#rateOf(instance, now);
        if (room.rpsOfAll === null) return null;
        const capacity = Math.floor(room.rpsOfAll * thousandths);
        return {
          capacity,
          used: Math.ceil(rate * thousandths),
          waiting: waiting * thousandths,
          one: thousandths,
        };
      }
    }
  }

  #rateOf(instance: Instance, now: number): number {
    const { passed } = instance.room;
    const known = this.#rates.get(instance);
    if (known) return known.observe(passed, now);
    this.#rates.set(instance, new PassRate(passed, now));
    return 0;
  }

  #takeIn(instance: Instance, shares: Shares | null, now: number): void {
    if (shares) this.#shares.set(instance, shares);
    else if (!this.#shares.delete(instance)) return;
    divide(instance, shares, now);
  }
}

function sharesOf(instance: Instance, asked: readonly Asked[], answer: readonly Granted[]): Shares | null {
  const shares: Partial<Record<Kind, Share>> = {};
  asked.forEach(({ shared, kind, claim }, i) => {
    const granted = answer[i];
    if (shared.instance !== instance || !granted) return;
    shares[kind] = claim.limit === noBound ? { ...granted, amount: noBound } : shareOf(claim.ask, granted);
  });
  const { slots } = shares;
  return slots ? { ...shares, slots } : null;
}

function divide({ room }: Instance, shares: Shares | null, now: number): void {
  const rps = shares?.rps?.amount;
  const share = shares && {
    gateways: shares.slots.gateways,
    slots: shares.slots.amount,
    others: shares.slots.busy,
    kvTokens: shares.kv?.amount ?? null,
    rps: rps === undefined ? null : rps / thousandths,
  };
  room.divide(share, now);
}
