import type { Deployment } from '../deployment.ts';
import type { Instance } from '../instance.ts';
import { shareOf, slotsToClaim } from './share-of-slots.ts';
import type { Share } from './share-of-slots.ts';
import type { Claim, SharedClaims } from './shared-claims.ts';

/** Claims are made again that soon where somebody is short of slots. */
const shortMs = 200;
/** Claims are made again so often in any case: what is not used is lent that soon. */
const idleMs = 1000;
/** The store is tried again that soon while it is not there. */
const absentMs = 500;
/** Stands for "any number" where the store wants a whole number. */
const noBound = 1_000_000_000;

/**
 * Divides what instances take among the gateways of a fleet. No request asks the store: each gateway claims slots ahead,
 * grants them by itself, and lends what it does not use. Figures that cannot be lent, a cache's tokens and requests per
 * second, are divided evenly. Without the store each gateway counts alone.
 */
export function createSharedSlots(options: {
  readonly claims: () => SharedClaims | null;
  readonly deployments: () => Iterable<Deployment>;
  /** Name of an instance in all gateways. */
  readonly idOf: (instance: Instance) => string;
}): { readonly tick: (now: number) => void; readonly close: () => void } {
  const shares = new WeakMap<Instance, Share>();
  let busy = false;
  let askedAt = -Infinity;
  let turn = false;

  function each(): { instance: Instance; deployment: Deployment }[] {
    return [...options.deployments()].flatMap((deployment) =>
      deployment.instances.map((instance) => ({ instance, deployment })),
    );
  }
  function dueMs(): number {
    let due = idleMs;
    for (const { instance, deployment } of each()) {
      const share = shares.get(instance);
      if (!share) due = Math.min(due, absentMs);
      else if (deployment.waiting > 0 || share.hungry > 0 || instance.inflight >= share.slots) due = shortMs;
    }
    return due;
  }
  function claimOf(instance: Instance, deployment: Deployment): { claim: Claim; use: number } {
    const capacity = instance.room.slotsOfAll ?? noBound;
    const share = shares.get(instance) ?? null;
    const { inflight } = instance;
    const waiting = Math.ceil(deployment.waiting / deployment.instances.length);
    const { ask, use } =
      capacity === noBound
        ? { ask: 0, use: noBound }
        : slotsToClaim(share, { capacity, inflight, waiting }, turn);
    const need = capacity === noBound ? 0 : Math.min(capacity, inflight + waiting);
    return { claim: { id: options.idOf(instance), ask, need, least: inflight, limit: capacity }, use };
  }
  async function exchange(claims: SharedClaims, now: number): Promise<void> {
    const all = each();
    turn = !turn;
    const claimed = all.map(({ instance, deployment }) => {
      const one = claimOf(instance, deployment);
      const share = shares.get(instance);
      // What is given back is no longer used before the store knows of it.
      if (share) instance.room.divide({ ...share, slots: one.use }, now);
      return one.claim;
    });
    const answer = await claims.claim(claimed);
    all.forEach(({ instance }, i) => {
      const granted = answer?.[i];
      const claim = claimed[i] as Claim;
      if (granted) {
        const share = claim.limit === noBound ? { ...granted, slots: noBound } : shareOf(claim.ask, granted);
        shares.set(instance, share);
        instance.room.divide(share, now);
      } else {
        shares.delete(instance);
        instance.room.divide(null, now);
      }
    });
    for (const { deployment } of all) if (deployment.waiting > 0) deployment.dispatch();
  }
  function alone(now: number): void {
    for (const { instance } of each()) {
      if (shares.delete(instance)) instance.room.divide(null, now);
    }
  }
  return {
    tick: (now) => {
      const claims = options.claims();
      if (!claims) {
        alone(now);
        return;
      }
      if (busy || now - askedAt < dueMs()) return;
      busy = true;
      askedAt = now;
      void exchange(claims, now).finally(() => (busy = false));
    },
    close: () => {
      const all = each().map(({ instance }) => ({
        id: options.idOf(instance),
        ask: -1,
        need: 0,
        least: 0,
        limit: noBound,
      }));
      if (all.length > 0) void options.claims()?.claim(all);
    },
  };
}
