import { expect, test } from 'vitest';
import type { KeyLimits } from '../../domain/key-limits.ts';
import type { Quotas } from '../../domain/gateway-config.ts';
import { ApiError } from '../../domain/openai.ts';
import type { ApiFault } from '../../domain/openai.ts';
import { seededRandom } from '../../stats/random.ts';
import { anonymous } from '../front/caller.ts';
import type { Caller } from '../front/caller.ts';
import { usedOf } from './window.ts';
import { AnswerLength, estimate } from './estimate.ts';
import type { Demand, Reservation } from './hold.ts';
import { createLimits, noQuotas } from './limits.ts';
import { createLimitsMemory } from './memory.ts';

function caller(limits: KeyLimits, more: Partial<Caller> = {}): Caller {
  return { ...anonymous, id: 'k', name: 'k', limits, ...more };
}

function setUp(quotas: Partial<Quotas> = {}) {
  const clock = { now: Date.UTC(2026, 5, 15, 12) };
  const chance = { next: 0 };
  const memory = createLimitsMemory();
  const added: unknown[] = [];
  memory.ledger = { add: (of, used) => void added.push([of, used]) };
  const limits = createLimits(
    { ...noQuotas, ...quotas },
    {
      memory,
      wallMs: () => clock.now,
      now: () => clock.now,
      random: () => chance.next,
      shared: null,
    },
  );
  const endpoint = { operation: 'chat', body: 'json' } as const;
  function ask(from: Caller, more: Partial<Demand> = {}): Reservation {
    const demand = {
      caller: from,
      endpoint,
      model: 'm',
      body: Buffer.alloc(400),
      maxTokens: 100,
      answers: 1,
      ...more,
    };
    const held = limits.reserve(demand);
    if (held instanceof Promise) throw new Error('Without a shared book nothing is awaited.');
    return held;
  }
  function refusal(from: Caller, more: Partial<Demand> = {}): ApiFault {
    try {
      ask(from, more);
    } catch (error) {
      if (error instanceof ApiError) return error.fault;
      throw error;
    }
    throw new Error('It was admitted.');
  }
  return { clock, chance, memory, added, ask, refusal };
}

function headersIn(lines: string): Record<string, string> {
  return headersOf(lines.split('\r\n').flatMap((line) => (line === '' ? [] : line.split(': '))));
}

function headersOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.flatMap((name, i) => (i % 2 === 0 ? [[name, pairs[i + 1] as string]] : [])),
  );
}

test('requests per minute: the next is refused with the time to come back, and admitted after it', () => {
  const { clock, ask, refusal } = setUp();
  const key = caller({ rpm: 2 });
  expect(headersIn(ask(key).lines)).toEqual({
    'x-ratelimit-limit-requests': '2',
    'x-ratelimit-remaining-requests': '1',
    'x-ratelimit-reset-requests': '60s',
  });
  ask(key);
  const fault = refusal(key);
  expect(fault).toMatchObject({ status: 429, code: 'rate_limit_exceeded', retryAfter: 60 });
  expect(headersOf(fault.headers ?? [])).toMatchObject({ 'x-ratelimit-remaining-requests': '0' });
  clock.now += 60_000;
  expect(refusal(key).retryAfter).toBe(30);
  clock.now += 30_000;
  ask(key);
});

test('no time to come back is longer than a minute, since clients pass over such a one', () => {
  const { ask, refusal, chance } = setUp();
  const key = caller({ rpm: 2 });
  ask(key);
  ask(key);
  const times = [0, 0.5, 0.99].map((random) => {
    chance.next = random;
    return refusal(key).retryAfter;
  });
  expect(times).toEqual([60, 57, 55]);
});

test('a request that is too large for what is left hears that, not that the limit has been reached', () => {
  const { ask, refusal } = setUp();
  const key = caller({ tpm: 200 });
  ask(key, { maxTokens: 10 }).settle({ input: 4, output: 6 });
  expect(refusal(key, { maxTokens: 150 }).message).toBe(
    'The key "k" has 190 left of its limit of 200 tokens per minute, and this request may take 250. A smaller max_tokens makes it smaller.',
  );
  ask(key, { maxTokens: 50 }).settle({ input: 100, output: 90 });
  expect(refusal(key).message).toBe('The key "k" has reached its limit of 200 tokens per minute.');
});

test('tokens are reserved by estimate and settled by what was used', () => {
  const { ask, refusal } = setUp();
  const key = caller({ tpm: 300 });
  const first = ask(key);
  expect(headersIn(first.lines)['x-ratelimit-remaining-tokens']).toBe('100');
  expect(refusal(key).limit).toEqual({ scope: 'key', reason: 'tokens' });
  first.settle({ input: 20, output: 30 });
  first.settle({ input: 999, output: 999 });
  expect(headersIn(ask(key).lines)['x-ratelimit-remaining-tokens']).toBe('50');
});

test('what was not served is given back, the request too', () => {
  const { ask } = setUp();
  const key = caller({ rpm: 1, tpm: 300, concurrent: 1 });
  ask(key).settle(null);
  expect(() => ask(key).settle(null)).not.toThrow();
});

test('a request above the whole limit waits for an empty minute instead of being refused for ever', () => {
  const { clock, ask, refusal } = setUp();
  const key = caller({ tpm: 50 });
  ask(key).settle({ input: 10, output: 30 });
  for (let waited = 0; waited < 120;) {
    const { retryAfter = 0 } = refusal(key);
    waited += retryAfter;
    clock.now += retryAfter * 1000;
  }
  expect(() => ask(key)).not.toThrow();
});

test('what was used beyond the estimate counts even when its minute is long gone', () => {
  const { clock, ask, refusal } = setUp();
  const key = caller({ tpm: 1000 });
  const long = ask(key);
  clock.now += 600_000;
  long.settle({ input: 100, output: 5000 });
  expect(refusal(key).code).toBe('rate_limit_exceeded');
});

test('requests at once are bounded, and an end makes room', () => {
  const { ask, refusal } = setUp();
  const key = caller({ concurrent: 1 });
  const held = ask(key);
  expect(refusal(key)).toMatchObject({ status: 429, retryAfter: 1, limit: { reason: 'concurrent' } });
  held.settle({ input: 1, output: 1 });
  ask(key);
});

test('a model is bounded over all keys, an alias with it', () => {
  const { ask, refusal } = setUp({ models: { m: { rpm: 1 } } });
  ask(caller({}, { id: 'a' }));
  expect(refusal(caller({}, { id: 'b' })).limit).toEqual({ scope: 'model', reason: 'requests' });
  ask(caller({}, { id: 'b' }), { model: 'other' });
});

test('a spent budget answers insufficient_quota without a time to come back, until the next day', () => {
  const { clock, ask, refusal, added } = setUp({ prices: { m: { input: 2, output: 10 } } });
  const key = caller({ budget: { day: { usd: 0.001 }, month: { tokens: 1_000_000 } } });
  ask(key).settle({ input: 100, output: 80 });
  const fault = refusal(key);
  expect(fault).toMatchObject({ status: 429, code: 'insufficient_quota', limit: { reason: 'budget' } });
  expect(fault.retryAfter).toBeUndefined();
  expect(added).toEqual([
    [
      { key: 'k', model: 'm' },
      { input: 100, output: 80, usd: 0.001 },
    ],
  ]);
  clock.now += 86_400_000;
  ask(key);
});

test('what was asked without measure and refused by the engine leaves what was spent as it was', () => {
  const { ask, memory, refusal } = setUp();
  const key = caller({ budget: { day: { tokens: 1_000_000 } } });
  ask(key).settle({ input: 4000, output: 1000 });
  const most = Number.MAX_SAFE_INTEGER;
  ask(key, { maxTokens: most, answers: most }).settle(null);
  const [spent] = [...memory.book].filter(([id]) => id.endsWith(':day:tokens'));
  expect(spent && usedOf(spent[1], 0)).toBe(5000);
  ask(key).settle({ input: 995_000, output: 0 });
  expect(refusal(key).code).toBe('insufficient_quota');
});

test('what is learnt of answers is the length of one of them', () => {
  const { ask } = setUp();
  const many = { maxTokens: null, answers: 10, body: Buffer.alloc(4) };
  for (let i = 0; i < 200; i += 1) ask(caller({}), many).settle({ input: 1, output: 1000 });
  const left = Number(headersIn(ask(caller({ tpm: 5000 }), many).lines)['x-ratelimit-remaining-tokens']);
  expect(left).toBeGreaterThan(3500);
  expect(left).toBeLessThan(4100);
});

test('requests side by side cannot spend a budget more than once', () => {
  const { ask, refusal } = setUp();
  const key = caller({ budget: { day: { tokens: 500 } } });
  ask(key);
  ask(key);
  ask(key);
  expect(refusal(key).code).toBe('insufficient_quota');
});

test('what holds for each key is overridden by the key, and not meant for keys of berth itself', () => {
  const { ask, refusal } = setUp({ eachKey: { rpm: 1, concurrent: 1 } });
  const own = caller({ rpm: 2 });
  ask(own).settle({ input: 1, output: 1 });
  ask(own).settle({ input: 1, output: 1 });
  expect(refusal(own).limit?.reason).toBe('requests');
  const control = { ...anonymous, id: 'c', control: true };
  for (let i = 0; i < 5; i += 1) ask(control);
});

test('whatever becomes of requests, nothing stays reserved', () => {
  const random = seededRandom(7).next;
  const { clock, memory, ask, refusal } = setUp({ models: { m: { concurrent: 40 } } });
  const keys = ['a', 'b', 'c'].map((id) =>
    caller({ rpm: 1e6, tpm: 1e9, concurrent: 40, budget: { day: { tokens: 1e9 } } }, { id }),
  );
  const open: Reservation[] = [];
  let used = 0;
  for (let i = 0; i < 5000; i += 1) {
    clock.now += Math.floor(random() * 20);
    const ends = open.length > 0 && (random() < 0.5 || open.length === 40);
    if (!ends) {
      open.push(ask(keys[i % 3] as Caller));
      continue;
    }
    const [one] = open.splice(Math.floor(random() * open.length), 1);
    const usage = random() < 0.3 ? null : { input: 100, output: Math.floor(random() * 200) };
    one?.settle(usage);
    if (usage) used += usage.input + usage.output;
    if (random() < 0.2) one?.settle({ input: 1, output: 1 });
  }
  expect(refusal(caller({ concurrent: 1 }, { id: 'a' })).limit?.reason).toBe('concurrent');
  for (const one of open.splice(0)) one.settle(null);
  expect([...memory.crowds.values()].map(({ underWay }) => underWay)).toEqual([0, 0, 0, 0]);
  const days = [...memory.book].filter(([id]) => id.endsWith(':day:tokens'));
  expect(days.reduce((sum, [, count]) => sum + usedOf(count, 0), 0)).toBe(used);
});

test('attachments count by the piece, files too, and what computes nothing is free', () => {
  function tokens(text: string, operation = 'chat', body: 'json' | 'form' = 'json'): number {
    const guess = estimate(
      { endpoint: { operation, body }, body: Buffer.from(text), maxTokens: null, answers: 1 },
      50,
    );
    return guess.input + guess.output;
  }
  const image = `{"url":"data:image/png;base64,${'A'.repeat(400_000)}"}`;
  expect(tokens(`[${image},${image}]`)).toBeLessThan(2150);
  expect(tokens('x'.repeat(4001))).toBe(1051);
  expect(tokens('x'.repeat(4001), 'embeddings')).toBe(1001);
  expect(tokens('x'.repeat(4_000_001), 'transcription', 'form')).toBe(1000);
  expect(tokens('x'.repeat(4001), 'tokenize')).toBe(0);
});

test('the guess of an answer settles where four in five are shorter', () => {
  const random = seededRandom(3).next;
  const length = new AnswerLength();
  for (let i = 0; i < 5000; i += 1) length.observe(Math.floor(random() * 1000));
  expect(length.tokens).toBeGreaterThan(650);
  expect(length.tokens).toBeLessThan(950);
});
