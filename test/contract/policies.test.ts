import { describe, expect, test } from 'vitest';
import type { Ask, Balancer, Candidate } from '../../src/gateway/policies/contract.ts';
import { createBalancer, policies, policyFaults } from '../../src/gateway/policies/registry.ts';
import { seededRandom } from '../../src/stats/random.ts';
import type { Random } from '../../src/stats/random.ts';

const kinds = policies.map((policy) => policy.kind);

interface Engine extends Candidate {
  inflight: number;
}

function engines(count: number, slots: number | null = 4): Engine[] {
  return Array.from({ length: count }, (_, i) => ({ id: `e${i}`, inflight: 0, slots }));
}

/** Conversations that grow turn by turn, as 53-bit hashes of their beginnings. */
function asks(random: Random, count: number): Ask[] {
  return Array.from({ length: count }, () => {
    const unit = random.below(50);
    const turns = 1 + random.below(8);
    return { unit: unit * 7919, prefix: Array.from({ length: turns }, (_, i) => unit * 1_000_003 + i) };
  });
}

/** Sends requests that end at random; gives the ids that were picked. */
function drive(balancer: Balancer, all: Engine[], random: Random, requests: readonly Ask[]): string[] {
  return requests.map((ask) => {
    for (const one of all) if (one.inflight > 0 && random.next() < 0.4) one.inflight -= 1;
    const open = all.filter((one) => one.inflight < (one.slots ?? Infinity));
    if (open.length === 0) return '';
    const picked = balancer.pick(open, ask, all);
    expect(open).toContain(picked);
    picked.inflight += 1;
    return picked.id;
  });
}

describe.each(kinds)('policy %s', (kind) => {
  test('picks only among those that have room, and leaves none out for ever', () => {
    const random = seededRandom(1);
    const picked = drive(createBalancer({ kind }, random.next), engines(4, 2), random, asks(random, 2000));
    expect(new Set(picked.filter((id) => id !== ''))).toEqual(new Set(['e0', 'e1', 'e2', 'e3']));
  });

  test('does the same again when it is given the same', () => {
    function run(): string[] {
      const random = seededRandom(7);
      return drive(createBalancer({ kind }, random.next), engines(3), random, asks(random, 500));
    }
    expect(run()).toEqual(run());
  });

  test('remembers no more than its options allow, however much passes', () => {
    const random = seededRandom(3);
    const bounded = kind === 'prefix-affinity' ? { kind, entries: 100 } : { kind };
    const balancer = createBalancer(bounded, random.next);
    drive(balancer, engines(4), random, asks(random, 5000));
    expect(balancer.entries?.() ?? 0).toBeLessThanOrEqual(100);
  });

  test('serves requests that say nothing, by one instance or by many', () => {
    const balancer = createBalancer({ kind }, seededRandom(5).next);
    const nothing: Ask = { unit: null, prefix: [] };
    const one = engines(1, null);
    expect(balancer.pick(one, nothing, one)).toBe(one[0]);
    const many = engines(3, null);
    expect(many).toContain(balancer.pick(many, nothing, many));
  });

  test('refuses a key that it does not know, by name', () => {
    expect(policyFaults({ kind })).toEqual([]);
    expect(policyFaults({ kind, typo: 1 }).join()).toContain('typo');
  });
});

test('a policy that is not there is a fault', () => {
  expect(policyFaults({ kind: 'fastest' })).toEqual(['there is no policy "fastest"']);
});
