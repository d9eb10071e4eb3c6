import type { Subject } from './bounds.ts';
import { crowdOf } from './memory.ts';
import type { LimitsMemory } from './memory.ts';
import { renewMs } from './shared-claims.ts';
import type { Claim, SharedClaims } from './shared-claims.ts';

/** `concurrent` of keys and models, counted by all gateways together. What is under way here is in the crowds of the memory. */
export interface SharedCrowds {
  /** To be asked for a request that is counted here already. The subject that has too many under way; null: none has, or the store is gone. */
  readonly enter: (subjects: readonly Subject[]) => Promise<Subject | null>;
  /** Tells that a request is counted here no more. */
  readonly leave: (subjects: readonly Subject[]) => void;
  /** To be called at every tick. */
  readonly tick: (now: number) => void;
  /** Gives back all. */
  readonly close: () => void;
}

export function createSharedCrowds(memory: LimitsMemory, claims: SharedClaims): SharedCrowds {
  /** Of which something was claimed and not given back. */
  const held = new Map<string, Subject>();
  let renewedAt = 0;

  function claimOf(subject: Subject, entering: 0 | 1): Claim {
    const need = crowdOf(memory, subject).underWay;
    const ask = need === 0 ? -1 : need;
    return { id: idOf(subject), ask, need, least: Math.max(0, need - entering), limit: subject.concurrent };
  }
  function tell(subjects: readonly Subject[]): void {
    const claimed = subjects.map((one) => claimOf(one, 0));
    for (const { id, ask } of claimed) if (ask < 0) held.delete(id);
    if (claimed.length > 0) void claims.claim(claimed);
  }
  return {
    enter: async (subjects) => {
      const bounded = subjects.filter(isBounded);
      if (bounded.length === 0) return null;
      for (const one of bounded) held.set(idOf(one), one);
      const claimed = bounded.map((one) => claimOf(one, 1));
      const granted = await claims.claim(claimed);
      return bounded.find((_, i) => granted && (granted[i]?.granted ?? 0) < (claimed[i]?.need ?? 0)) ?? null;
    },
    leave: (subjects) => tell(subjects.filter((one) => isBounded(one) && held.has(idOf(one)))),
    tick: (now) => {
      if (held.size === 0 || now - renewedAt < renewMs) return;
      renewedAt = now;
      tell([...held.values()]);
    },
    close: () => {
      const all = [...held.values()].map((one) => ({ ...claimOf(one, 0), ask: -1, least: 0 }));
      held.clear();
      if (all.length > 0) void claims.claim(all);
    },
  };
}

function isBounded({ concurrent }: Subject): boolean {
  return Number.isFinite(concurrent);
}

function idOf({ scope, name }: Subject): string {
  return `${scope}:${name}`;
}
