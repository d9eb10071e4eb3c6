import { expect, test } from 'vitest';
import type { Ask, Candidate } from '../policies/contract.ts';
import { createBalancer } from '../policies/registry.ts';
import { hashPrefixes } from '../../domain/hashing.ts';
import { seededRandom } from '../../stats/random.ts';
import type { Random } from '../../stats/random.ts';

/** Rule 21 and the other ways to choose an instance, by what they are for. */

interface Engine extends Candidate {
  inflight: number;
}

function engines(...inflight: number[]): Engine[] {
  return inflight.map((count, i) => ({ id: `e${i}`, inflight: count, slots: 10 }));
}

function prefixOf(text: string, blockBytes = 16): number[] {
  const bytes = Buffer.from(text);
  return hashPrefixes(bytes, { start: 0, end: bytes.length, blockBytes, most: 1000 });
}

function about(prefix: readonly number[], unit: number | null = null): Ask {
  return { unit, prefix };
}

test('the least loaded by share of its slots is chosen, and equals are equally likely', () => {
  const balancer = createBalancer({ kind: 'least-loaded' }, seededRandom(1).next);
  const big: Engine = { id: 'big', inflight: 3, slots: 8 };
  const small: Engine = { id: 'small', inflight: 2, slots: 4 };
  expect(balancer.pick([small, big], about([]), [small, big])).toBe(big);
  const unknown: Engine = { id: 'unknown', inflight: 500, slots: null };
  expect(balancer.pick([unknown], about([]), [unknown])).toBe(unknown);
  const equal = engines(1, 1, 1);
  const counts = new Map<string, number>();
  for (let i = 0; i < 3000; i += 1) {
    const { id } = balancer.pick(equal, about([]), equal);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(100);
});

test('round robin takes turns by name, and one that was full has its turn when it has room', () => {
  const balancer = createBalancer({ kind: 'round-robin' }, seededRandom(1).next);
  const all = engines(0, 0, 0);
  function pick(open: readonly Engine[]): string {
    return balancer.pick(open, about([]), all).id;
  }
  expect([all, all, all, all].map(pick)).toEqual(['e0', 'e1', 'e2', 'e0']);
  expect(pick(all.filter(({ id }) => id !== 'e1'))).toBe('e2');
  expect([all, all].map(pick)).toEqual(['e0', 'e1']);
});

test('a conversation goes back to the instance that knows its beginning, as long as that has not too much to do', () => {
  const balancer = createBalancer({ kind: 'prefix-affinity', least: 1 }, seededRandom(1).next);
  const all = engines(0, 5, 5);
  const first = prefixOf('x'.repeat(64));
  expect(balancer.pick(all, about(first), all).id).toBe('e0');
  const later = prefixOf('x'.repeat(64) + 'y'.repeat(64));
  for (const one of all) one.inflight = 2;
  expect(balancer.pick(all, about(later), all).id).toBe('e0');
  // Of 9 requests its share is 3; 1.25 times that, rounded up, is 4: a fifth is too much.
  for (const one of all) one.inflight = one.id === 'e0' ? 4 : 2;
  expect(balancer.pick(all, about(later), all).id).not.toBe('e0');
  expect(balancer.counts?.()).toMatchObject({ hits: 1, misses: 1, gated: 1, matched_blocks: 4 });
});

test('the longest beginning counts by its length, not by its share of the prompt', () => {
  const balancer = createBalancer(
    { kind: 'prefix-affinity', least: 1, loadFactor: 10 },
    seededRandom(1).next,
  );
  const all = engines(0, 0, 0);
  const [a, b] = all as [Engine, Engine, Engine];
  balancer.pick([a], about(prefixOf('s'.repeat(32))), all);
  balancer.pick([b], about(prefixOf('s'.repeat(160))), all);
  // All of what a knows fits, of what b knows the half: b has more of this prompt.
  expect(balancer.pick(all, about(prefixOf('s'.repeat(80) + 't'.repeat(500))), all)).toBe(b);
});

test('prompts with nothing in common are spread by load, not heaped where least is known', () => {
  const balancer = createBalancer({ kind: 'prefix-affinity' }, seededRandom(1).next);
  const all = engines(9, 3, 9);
  for (let i = 0; i < 5; i += 1)
    expect(balancer.pick(all, about(prefixOf(`${i}`.repeat(400))), all).id).toBe('e1');
});

test('two gateways come to the same choice by hashing, and few prompts move when an instance goes', () => {
  const one = createBalancer({ kind: 'prefix-hash', bytes: 16 }, seededRandom(1).next);
  const other = createBalancer({ kind: 'prefix-hash', bytes: 16 }, seededRandom(2).next);
  const all = engines(0, 0, 0, 0);
  const left = all.slice(1);
  const asked = Array.from({ length: 400 }, (_, i) => about(prefixOf(`${i}: so begins this conversation`)));
  const before = asked.map((ask) => one.pick(all, ask, all).id);
  expect(asked.map((ask) => other.pick(all, ask, all).id)).toEqual(before);
  const after = asked.map((ask) => one.pick(left, ask, left).id);
  const moved = before.filter((id, i) => id !== after[i]);
  expect(new Set(moved)).toEqual(new Set(['e0']));
  expect(moved.length).toBeGreaterThan(60);
  expect(moved.length).toBeLessThan(140);
});

test('beside other gateways a beginning that one does not know goes where the other sends it, under the same gate', () => {
  function gateway(seed: number): ReturnType<typeof createBalancer> {
    return createBalancer({ kind: 'prefix-affinity', least: 2 }, seededRandom(seed).next, true);
  }
  const [one, other] = [gateway(1), gateway(2)];
  const all = engines(0, 0, 0, 0);
  const asked = Array.from({ length: 40 }, (_, i) => about(prefixOf(`${i}: so begins a talk `.repeat(4))));
  const homes = asked.map((ask) => one.pick(all, ask, all).id);
  expect(asked.map((ask) => other.pick(all, ask, all).id)).toEqual(homes);
  expect(new Set(homes).size).toBe(4);
  expect(one.counts?.()).toMatchObject({ misses: 40, placed: 40, hits: 0 });

  const [ask] = asked as [Ask];
  for (const engine of all) if (engine.id === homes[0]) engine.inflight = 5;
  const second = one.pick(all, ask, all).id;
  expect(second).not.toBe(homes[0]);
  expect(gateway(3).pick(all, ask, all).id).toBe(second);
  expect(one.counts?.()).toMatchObject({ gated: 1, placed: 41 });
  // What is too short to belong anywhere goes to the least loaded, as ever.
  const busy = engines(3, 0, 3, 3);
  for (let i = 0; i < 8; i += 1)
    expect(one.pick(busy, about(prefixOf(`${i}`.repeat(16))), busy).id).toBe('e1');
});

test('hashing passes over an instance that has more than its share', () => {
  const balancer = createBalancer({ kind: 'prefix-hash', bytes: 16 }, seededRandom(1).next);
  const ask = about(prefixOf('a beginning that all have'));
  const all = engines(0, 0, 0);
  const favourite = balancer.pick(all, ask, all);
  favourite.inflight = 5;
  expect(balancer.pick(all, ask, all)).not.toBe(favourite);
  expect(balancer.counts?.()).toEqual({ hits: 1, gated: 1, misses: 0 });
});

test('a client stays at its instance, and comes back to it after that was full', () => {
  const balancer = createBalancer({ kind: 'sticky', by: 'key' }, seededRandom(1).next);
  const all = engines(0, 0, 0, 0);
  for (let unit = 1; unit < 100; unit += 1) {
    const home = balancer.pick(all, about([], unit), all);
    const others = all.filter((engine) => engine !== home);
    const second = balancer.pick(others, about([], unit), all);
    expect(balancer.pick(others, about([], unit), all)).toBe(second);
    expect(balancer.pick(all, about([], unit), all)).toBe(home);
  }
});

/** An engine's own cache of beginnings, as vLLM's: by block, the longest unused go first. */
class EngineCache {
  readonly #blocks = new Map<number, true>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many blocks need not be computed again. */
  read(prefix: readonly number[]): number {
    let hits = 0;
    while (hits < prefix.length && this.#blocks.has(prefix[hits] as number)) hits += 1;
    for (const hash of prefix.toReversed()) {
      this.#blocks.delete(hash);
      this.#blocks.set(hash, true);
    }
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= this.#most) break;
      this.#blocks.delete(oldest);
    }
    return hits;
  }
}

/** Many conversations that grow by turns, in random order: the beginnings of each prompt, block by block. */
function conversations(random: Random): number[][] {
  const system = 'You are a helpful assistant. '.repeat(20);
  const talks = Array.from({ length: 60 }, (_, i) => `${system} talk ${i} `);
  return Array.from({ length: 600 }, (_, turn) => {
    const at = random.below(talks.length);
    talks[at] += `turn ${turn}: ${String(random.below(1_000_000)).repeat(80)}`;
    return prefixOf(talks[at] ?? '', 256);
  });
}

/** How many blocks one of four engines had computed before, and how many requests each got. */
function play(kind: string, prompts: readonly number[][]): { hits: number; served: number[] } {
  const random = seededRandom(1);
  const balancer = createBalancer({ kind }, random.next);
  const all = engines(0, 0, 0, 0);
  const caches = new Map(all.map((engine) => [engine.id, new EngineCache(400)]));
  const served = new Map(all.map((engine) => [engine.id, 0]));
  let hits = 0;
  for (const prefix of prompts) {
    for (const engine of all) if (engine.inflight > 0 && random.next() < 0.3) engine.inflight -= 1;
    const open = all.filter((engine) => engine.inflight < 10);
    const engine = balancer.pick(open, about(prefix), all);
    engine.inflight += 1;
    served.set(engine.id, (served.get(engine.id) ?? 0) + 1);
    hits += caches.get(engine.id)?.read(prefix) ?? 0;
  }
  return { hits, served: [...served.values()] };
}

test.each([11, 12, 13])(
  'over conversations of many turns prefix affinity finds over four fifths of what could be found, least loaded under three fifths (seed %i)',
  (seed) => {
    const prompts = conversations(seededRandom(seed));
    const endless = new EngineCache(Infinity);
    const could = prompts.reduce((sum, prefix) => sum + endless.read(prefix), 0);
    const affinity = play('prefix-affinity', prompts);
    const loaded = play('least-loaded', prompts);
    expect(affinity.hits).toBeGreaterThan(0.8 * could);
    expect(loaded.hits).toBeLessThan(0.6 * could);
    for (const count of affinity.served) expect(count).toBeGreaterThan(75);
  },
);
