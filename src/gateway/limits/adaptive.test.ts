import { expect, test } from 'vitest';
import { adapt, effectiveSlots, startAdaptive } from './adaptive.ts';
import type { AdaptiveState, Observation } from './adaptive.ts';
import { readEngine } from './engine-reading.ts';
import { createPace, mayPass, pass } from './pace.ts';
import { Room } from './room.ts';

function reading(more: { running?: number; waiting?: number | null; preemptions?: number } = {}) {
  return { running: 16, waiting: 0, preemptions: null, kvTokens: null, ...more };
}

function look(state: AdaptiveState, more: Partial<Observation>): AdaptiveState {
  return adapt(state, {
    reading: reading(),
    slots: 16,
    inflight: 16,
    others: 0,
    own: null,
    refused: false,
    now: 0,
    ...more,
  });
}

test('two of three readings with requests waiting cut the limit to nine tenths, then not again for five seconds', () => {
  const full = startAdaptive(16);
  const crowded = reading({ waiting: 2 });
  const once = look(full, { reading: crowded, now: 1000 });
  expect(once.limit).toBe(16);
  const cut = look(once, { reading: crowded, now: 2000 });
  expect(cut.limit).toBeCloseTo(14.4);
  const later = look(look(cut, { reading: crowded, now: 3000 }), { reading: crowded, now: 4000 });
  expect(later.limit).toBeCloseTo(14.4);
  expect(look(later, { reading: crowded, now: 7000 }).limit).toBeCloseTo(12.96);
});

test('preemptions that rise and an engine that refuses cut at once; one request is always let through', () => {
  const calm = look(startAdaptive(16), { reading: reading({ preemptions: 3 }) });
  expect(look(calm, { reading: reading({ preemptions: 3 }), now: 1000 }).limit).toBe(16);
  expect(look(calm, { reading: reading({ preemptions: 4 }), now: 1000 }).limit).toBeCloseTo(14.4);
  expect(look(calm, { reading: null, refused: true, now: 1000 }).limit).toBeCloseTo(14.4);
  let state = startAdaptive(1);
  for (let now = 0; now < 60_000; now += 6000) state = look(state, { refused: true, inflight: 1, now });
  expect(effectiveSlots(state, 1)).toBe(1);
});

test('a limit that is used grows by half a request a reading, up to what the engine batches', () => {
  let state: AdaptiveState = { ...startAdaptive(16), limit: 10 };
  state = look(state, { inflight: 10 });
  expect(state.limit).toBe(10.5);
  expect(look(state, { inflight: 4 }).limit).toBe(10.5);
  for (let i = 0; i < 40; i += 1) state = look(state, { inflight: 16 });
  expect(state.limit).toBe(16);
});

test('what cannot be read freezes the limit, and is never taken for an idle engine', () => {
  const state = { ...startAdaptive(16), limit: 10 };
  expect(look(state, { reading: null, inflight: 10 })).toEqual(state);
  expect(look(state, { reading: reading({ waiting: null }), inflight: 10 }).waited).toEqual([]);
});

test('where nobody says how much an engine batches, the limit starts at 8 and may reach 256', () => {
  let state = startAdaptive(null);
  expect(effectiveSlots(state, null)).toBe(8);
  for (let i = 0; i < 1000; i += 1)
    state = look(state, { slots: null, inflight: 300, reading: reading({ running: 300 }) });
  expect(effectiveSlots(state, null)).toBe(256);
});

test('a gateway with nothing under way wants no more, though strangers or other gateways use all there is', () => {
  const crowd = { inflight: 0, reading: reading({ running: 16 }) };
  let state: AdaptiveState = { ...startAdaptive(16), limit: 10 };
  for (let i = 0; i < 10; i += 1) state = look(state, crowd);
  expect(state.limit).toBe(10);
  expect(look(state, { ...crowd, others: 16, own: 0 }).limit).toBe(10);
  expect(look(state, { ...crowd, inflight: 1 }).limit).toBe(10.5);
});

test('requests of others are taken off once three readings in a row show them', () => {
  let state = startAdaptive(16);
  const others = { inflight: 4, reading: reading({ running: 10 }) };
  state = look(look(state, others), others);
  expect(effectiveSlots(state, 16)).toBe(16);
  state = look(state, others);
  expect(effectiveSlots(state, 16)).toBe(10);
  expect(effectiveSlots(look(state, { inflight: 10, reading: reading({ running: 10 }) }), 16)).toBe(16);
});

test('gauges of vLLM and llama.cpp are read by their whole names; what is missing is unknown, not 0', () => {
  expect(
    readEngine(
      [
        '# HELP vllm:num_requests_running x',
        'vllm:num_requests_running{model_name="m",engine="0"} 5.0',
        'vllm:num_requests_running{model_name="m",engine="1"} 2.0',
        'vllm:num_requests_waiting{model_name="m"} 9.0',
        'vllm:num_requests_waiting_by_reason{model_name="m",reason="capacity"} 1.0',
        'vllm:num_requests_waiting_by_reason{model_name="m",reason="deferred"} 8.0',
        'vllm:num_preemptions_total{model_name="m"} 3.0',
        'vllm:cache_config_info{block_size="16",cache_dtype="auto",num_gpu_blocks="800"} 1.0',
      ].join('\n'),
    ),
  ).toEqual({ running: 7, waiting: 1, preemptions: 3, kvTokens: 12_800 });
  expect(
    readEngine(
      'vllm:num_requests_waiting 4\nvllm:cache_config_info{kv_cache_size_tokens="999",num_gpu_blocks="None"} 1',
    ),
  ).toEqual({
    running: null,
    waiting: 4,
    preemptions: null,
    kvTokens: 999,
  });
  expect(readEngine('llamacpp:requests_processing 2\nllamacpp:requests_deferred 0')).toMatchObject({
    running: 2,
    waiting: 0,
  });
  expect(readEngine('llamacpp:requests_deferred_x 3\n<html>')).toBeNull();
});

test('a pace lets through its rate evenly, with a fifth of a second in store', () => {
  const pace = createPace(10, 0);
  const passed: number[] = [];
  for (let now = 0; now <= 2000; now += 10)
    if (mayPass(pace, now)) {
      pass(pace, now);
      passed.push(now);
    }
  expect(passed.length).toBe(22);
  expect(passed.filter((at) => at < 1000).length).toBeLessThanOrEqual(12);
  const slow = createPace(0.5, 0);
  pass(slow, 0);
  expect([mayPass(slow, 1999), mayPass(slow, 2000)]).toEqual([false, true]);
});

test('a room is full by slots, by tokens and by pace; alone a request always fits, and what was held is given back', () => {
  const room = new Room({ slots: 3, rps: null, kvTokens: 1000, adaptive: true }, 0);
  expect(room.fits(0, 5000, 0)).toBe(true);
  room.enter(600, 0);
  expect([room.fits(1, 300, 0), room.fits(1, 301, 0), room.fits(3, 1, 0)]).toEqual([true, false, false]);
  room.leave(600);
  expect(room.kvHeld).toBe(0);
  const paced = new Room({ slots: null, rps: 1, kvTokens: null, adaptive: true }, 0);
  paced.enter(1, 0);
  expect([paced.fits(0, 1, 500), paced.fits(0, 1, 1000)]).toEqual([false, true]);
});

test("the engine's own word on its cache counts where the file says nothing, and readings grow old", () => {
  const room = new Room({ slots: 4, rps: null, kvTokens: null, adaptive: true }, 0);
  expect(room.kvLimit).toBeNull();
  room.observe({ ...reading({ running: 0 }), kvTokens: 1000 }, 0, 100);
  expect([room.kvLimit, room.reading(5100)?.waiting, room.reading(5101)]).toEqual([900, 0, null]);
  expect(room.slots).toBe(4);
  const fixed = new Room({ slots: 4, rps: null, kvTokens: null, adaptive: false }, 0);
  for (let now = 0; now < 9000; now += 1000) fixed.observe(reading({ waiting: 9 }), 4, now);
  expect(fixed.slots).toBe(4);
});

test('an engine that refused while it was loading begins with all of its slots', () => {
  const room = new Room({ slots: 64, rps: null, kvTokens: null, adaptive: true }, 0);
  room.noteRefusal();
  room.observe(null, 1, 1000);
  room.noteRefusal();
  room.observe(reading({ running: 0 }), 0, 2000);
  expect(room.slots).toBe(64);
  room.noteRefusal();
  room.observe(reading({ running: 64 }), 64, 3000);
  expect(room.slots).toBe(57);
});

test('a limit grows again while strangers, or other gateways, have the rest of the engine', () => {
  const cut: AdaptiveState = { ...startAdaptive(16), limit: 10, foreign: [6, 6, 6] };
  const busy = { inflight: 4, reading: reading({ running: 10 }) };
  expect(look(cut, busy).limit).toBe(10.5);
  expect(look(cut, { ...busy, inflight: 2, reading: reading({ running: 8 }) }).limit).toBe(10);
  const together = { inflight: 5, others: 5, own: 5, reading: reading({ running: 10 }) };
  const shared = look(look(look({ ...startAdaptive(16), limit: 10 }, together), together), together);
  // What others of our gateways have there is nobody else's.
  expect([shared.limit, effectiveSlots(shared, 16)]).toEqual([11.5, 11]);
});

test('half a minute without figures ends what came of them: a cut, and strangers; refusals still count', () => {
  const room = new Room({ slots: 16, rps: null, kvTokens: null, adaptive: true }, 0);
  const crowded = reading({ running: 12, waiting: 3 });
  for (let now = 1000; now <= 13_000; now += 1000) room.observe(crowded, 4, now);
  const cut = room.slots ?? 0;
  expect(cut).toBeLessThan(5);
  room.observe(null, 4, 43_000);
  expect(room.slots).toBe(cut);
  room.observe(null, 4, 43_001);
  expect(room.slots).toBe(16);
  room.noteRefusal();
  room.observe(null, 16, 44_000);
  expect(room.slots).toBe(14);
});
