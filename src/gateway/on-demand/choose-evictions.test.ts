import { expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import { chooseEvictions, fits } from './choose-evictions.ts';
import type { EvictionInput, Resident } from './choose-evictions.ts';

const GiB = 1024 ** 3;

function resident(name: string, more: Partial<Resident> = {}): Resident {
  return {
    name,
    need: { host: 4 * GiB, gpu: 0 },
    leaving: false,
    idle: true,
    closable: false,
    idleMs: 10_000,
    loadMs: 5_000,
    ...more,
  };
}

function input(residents: readonly Resident[], more: Partial<EvictionInput> = {}): EvictionInput {
  return {
    wanted: { name: 'wanted', need: { host: 4 * GiB, gpu: 0 } },
    residents,
    room: { host: 8 * GiB, gpu: null },
    sets: null,
    ...more,
  };
}

test('what fits beside the others is loaded, and nothing ends', () => {
  expect(chooseEvictions(input([resident('a')]))).toEqual({ do: 'load' });
});

test('of the idle ones the one ends that was used longest ago', () => {
  const residents = [resident('a', { idleMs: 1_000 }), resident('b', { idleMs: 60_000 })];
  expect(chooseEvictions(input(residents))).toEqual({ do: 'evict', names: ['b'] });
});

test('one that takes long to load stays rather than one that is back at once', () => {
  const residents = [
    resident('slow', { idleMs: 60_000, loadMs: 120_000 }),
    resident('quick', { idleMs: 30_000, loadMs: 1_000 }),
  ];
  expect(chooseEvictions(input(residents))).toEqual({ do: 'evict', names: ['quick'] });
});

test('no more end than is needed, even when a small one came first', () => {
  const small = resident('small', { need: { host: GiB, gpu: 0 }, idleMs: 90_000 });
  const large = resident('large', { need: { host: 6 * GiB, gpu: 0 }, idleMs: 1_000 });
  expect(chooseEvictions(input([small, large]))).toEqual({ do: 'evict', names: ['large'] });
});

test('a busy one is waited for, and closed once it has had its turn', () => {
  const busy = [resident('a', { idle: false }), resident('b', { idle: false })];
  expect(chooseEvictions(input(busy))).toEqual({ do: 'wait', close: [] });
  const patient = busy.map((one) => ({ ...one, closable: one.name === 'b' }));
  expect(chooseEvictions(input(patient))).toEqual({ do: 'wait', close: ['b'] });
});

test('memory that is being given back is waited for, and nothing else ends for it', () => {
  const residents = [resident('a', { leaving: true }), resident('b')];
  expect(chooseEvictions(input(residents))).toEqual({ do: 'wait', close: [] });
});

test('one whose need is not known runs alone, and one that is larger than the machine never runs', () => {
  const unknown = { wanted: { name: 'wanted', need: null } };
  expect(chooseEvictions(input([resident('a')], unknown))).toEqual({ do: 'evict', names: ['a'] });
  const huge = { wanted: { name: 'wanted', need: { host: 9 * GiB, gpu: 0 } } };
  expect(chooseEvictions(input([], huge))).toEqual({ do: 'never' });
});

test('sets of the fleet file say what may run together, whatever the memory', () => {
  const sets = [
    ['a', 'wanted'],
    ['a', 'b'],
  ];
  const room = { host: null, gpu: null };
  const residents = [resident('a'), resident('b')];
  expect(chooseEvictions(input(residents, { sets, room }))).toEqual({ do: 'evict', names: ['b'] });
});

test('over random machines: never a busy one, never too much memory, never needlessly, always onward', () => {
  const random = seededRandom(7).next;
  const faults = Array.from({ length: 3_000 }, () => randomInput(random)).flatMap(faultsOf);
  expect(faults).toEqual([]);
});

/** What is wrong with the choice for one machine. */
function faultsOf(made: EvictionInput): string[] {
  const verdict = chooseEvictions(made);
  const staying = made.residents.filter((one) => !one.leaving);
  function fitsBeside(residents: readonly Resident[]): boolean {
    return fits([made.wanted, ...residents], made);
  }
  function without(names: readonly string[]): Resident[] {
    return staying.filter((one) => !names.includes(one.name));
  }
  const found = { load: [] as string[], evict: [] as string[], wait: [] as string[], never: [] as string[] };
  if (!fitsBeside(made.residents)) found.load.push('loads what does not fit');
  if (verdict.do === 'evict') {
    const { names } = verdict;
    const ended = staying.filter((one) => names.includes(one.name));
    if (ended.length !== names.length || ended.some((one) => !one.idle)) found.evict.push('ends a busy one');
    if (!fitsBeside(without(names))) found.evict.push('ends too few');
    if (ended.some((one) => fitsBeside([...without(names), one]))) found.evict.push('ends one needlessly');
  }
  if (verdict.do === 'wait' && !made.residents.some((one) => one.leaving || !one.idle))
    found.wait.push('waits for nobody');
  if (verdict.do === 'wait') {
    const closed = staying.filter((one) => verdict.close.includes(one.name));
    if (closed.some((one) => one.idle || !one.closable))
      found.wait.push('closes one before its turn is over');
  }
  if (fitsBeside([])) found.never.push('gives up on one that fits alone');
  return [...found[verdict.do], ...stuck(made, staying)];
}

/** Once the others are idle a model that fits alone is loaded; while they are busy, enough of them are made to end in time. */
function stuck(made: EvictionInput, staying: readonly Resident[]): string[] {
  if (!fits([made.wanted], made)) return [];
  const calm = chooseEvictions({ ...made, residents: staying.map((one) => ({ ...one, idle: true })) });
  const busy = staying.map((one) => ({ ...one, idle: false, closable: true }));
  const crowded = chooseEvictions({ ...made, residents: busy });
  const close = crowded.do === 'wait' ? crowded.close : [];
  const open = busy.filter((one) => !close.includes(one.name));
  return [
    ...(calm.do === 'load' || calm.do === 'evict' ? [] : ['waits for idle ones']),
    ...(fits([made.wanted, ...open], made) ? [] : ['waits for ever']),
  ];
}

function randomInput(random: () => number): EvictionInput {
  const names = ['a', 'b', 'c', 'd', 'e'].slice(0, Math.floor(random() * 6));
  function need() {
    if (random() < 0.1) return null;
    return {
      host: Math.floor(random() * 6) * GiB,
      gpu: random() < 0.5 ? 0 : Math.floor(random() * 12) * GiB,
    };
  }
  return {
    wanted: { name: 'wanted', need: need() },
    residents: names.map((name) => ({
      name,
      need: need(),
      leaving: random() < 0.2,
      idle: random() < 0.5,
      closable: random() < 0.5,
      idleMs: Math.floor(random() * 100_000),
      loadMs: Math.floor(random() * 60_000),
    })),
    room: { host: random() < 0.2 ? null : 10 * GiB, gpu: random() < 0.2 ? null : 16 * GiB },
    sets: random() < 0.5 ? null : [['a', 'b', 'wanted'], ['c', 'd', 'e'], [...names, 'wanted'].slice(2)],
  };
}
