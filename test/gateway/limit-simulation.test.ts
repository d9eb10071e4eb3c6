import { expect, test } from 'vitest';
import { AnswerLength } from '../../src/gateway/limits/estimate.ts';
import { Room } from '../../src/gateway/limits/room.ts';
import type { RoomOptions } from '../../src/gateway/limits/room.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { createEngineModel, kvTokens } from '../support/engine-model.ts';
import type { ModelRequest } from '../support/engine-model.ts';

/**
 * Ways of limiting one engine, at twice the load that it can bear, on a clock that runs by the model's steps: what is
 * compared is how many requests are served well, and how often the engine throws work away.
 */

const simulatedMs = 20 * 60_000;
const maxWaitMs = 3000;
const ratePerSecond = 1.7;

interface Outcome {
  /** Requests a second whose first token came within 5 s of their arrival and the others 120 ms apart at most. */
  readonly goodput: number;
  readonly preemptions: number;
}

const unlimited: RoomOptions = { slots: null, rps: null, kvTokens: null, adaptive: false };
const policies = {
  none: unlimited,
  'fixed 5 rps': { ...unlimited, rps: 5 },
  slots: { ...unlimited, slots: 16 },
  gauges: { ...unlimited, slots: 16, adaptive: true },
  'slots and cache': { ...unlimited, slots: 16, kvTokens },
  all: { slots: 16, rps: null, kvTokens, adaptive: true },
} as const satisfies Record<string, RoomOptions>;

function arrivals(seed: number, promptGrowth: number): ModelRequest[] {
  const random = seededRandom(seed).next;
  function logNormal(median: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(8, Math.round(median * Math.exp(0.4 * normal)));
  }
  const list: ModelRequest[] = [];
  for (let at = 0; at < simulatedMs; at += (-Math.log(1 - random()) / ratePerSecond) * 1000) {
    const growth = at > simulatedMs / 2 ? promptGrowth : 1;
    const prompt = Math.min(6000, logNormal(256) * growth);
    list.push({ arrivedAt: at, prompt, output: logNormal(256), made: 0, firstAt: null, endedAt: null });
  }
  return list;
}

function simulate(options: RoomOptions, seed: number, promptGrowth: number): Outcome {
  const room = new Room(options, 0);
  const engine = createEngineModel();
  const all = arrivals(seed, promptGrowth);
  const answers = new AnswerLength();
  const costs = new Map<ModelRequest, number>();
  let queue: ModelRequest[] = [];
  let next = 0;
  let lookAt = 0;
  for (let now = 0; now < simulatedMs;) {
    for (let one = all[next]; one && one.arrivedAt <= now; one = all[next]) {
      queue.push(one);
      next += 1;
    }
    queue = queue.filter((one) => now - one.arrivedAt <= maxWaitMs);
    for (let one = queue[0]; one; one = queue[0]) {
      const cost = one.prompt + answers.tokens;
      if (!room.fits(costs.size, cost, now)) break;
      queue.shift();
      room.enter(cost, now);
      costs.set(one, cost);
      engine.add(one);
    }
    const step = engine.step(now);
    now = step.now;
    for (const one of step.ended) {
      room.leave(costs.get(one) ?? 0);
      costs.delete(one);
      answers.observe(one.output);
    }
    if (now < lookAt) continue;
    lookAt = now + 1000;
    const reading = {
      running: engine.running(),
      waiting: engine.waiting(),
      preemptions: engine.preemptions(),
    };
    room.observe({ ...reading, kvTokens: null }, costs.size, now);
  }
  const good = all.filter(isGood).length;
  return { goodput: (good * 1000) / simulatedMs, preemptions: engine.preemptions() };
}

function isGood(one: ModelRequest): boolean {
  if (one.firstAt === null || one.endedAt === null) return false;
  return (
    one.firstAt - one.arrivedAt <= 5000 && (one.endedAt - one.firstAt) / Math.max(1, one.made - 1) <= 120
  );
}

function compare(promptGrowth: number): Record<keyof typeof policies, Outcome> {
  const seeds = [1, 2, 3];
  return Object.fromEntries(
    Object.entries(policies).map(([name, options]) => {
      const runs = seeds.map((seed) => simulate(options, seed, promptGrowth));
      const goodput = runs.reduce((sum, run) => sum + run.goodput, 0) / seeds.length;
      return [name, { goodput, preemptions: runs.reduce((sum, run) => sum + run.preemptions, 0) }];
    }),
  ) as Record<keyof typeof policies, Outcome>;
}

test('at twice the load no limit, or a rate above capacity, serves nobody well; slots serve nearly all that can be', () => {
  const by = compare(1);
  expect(by.none.goodput).toBeLessThan(0.1);
  expect(by['fixed 5 rps'].goodput).toBeLessThan(0.1);
  expect(by.slots.goodput).toBeGreaterThan(0.7);
  expect(by.all.goodput).toBeGreaterThan(0.98 * by.slots.goodput);
});

test('when prompts grow, a bound on the cache keeps the engine from throwing work away, and gauges help without it', () => {
  const by = compare(5.5);
  expect(by.none.goodput).toBeLessThan(0.1);
  expect(by.slots.preemptions).toBeGreaterThan(100);
  expect(by.gauges.preemptions).toBeLessThan(by.slots.preemptions / 3);
  expect(by.gauges.goodput).toBeGreaterThan(1.1 * by.slots.goodput);
  expect(by['slots and cache'].goodput).toBeGreaterThan(1.2 * by.slots.goodput);
  expect(by['slots and cache'].preemptions).toBe(0);
  expect(by.all).toEqual(by['slots and cache']);
});
