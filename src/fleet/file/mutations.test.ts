import { expect, test } from 'vitest';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { localWorld } from '../../io/local-world.ts';
import type { World } from '../../io/world.ts';
import { pick, seeded, validFleet, write } from '../../../test/support/fleet-text.ts';
import type { Entry, Kind, Place, Random, Written } from '../../../test/support/fleet-text.ts';
import { loadFleet } from './load.ts';

/** Values that cannot stand where a value of this kind belongs. */
const wrong: Record<Kind, readonly string[]> = {
  int: ['four', '1.5', '-3', '[1]', '{a: 1}', 'true', '""', '1e99', '99999999999999999999'],
  text: ['""', '7', '[x]', '{x: y}', 'true'],
  name: ['7', '[x]', 'no/such', '{x: y}'],
  reference: ['nobody', '"mistrak"', '7', 'true', '1.5'],
  duration: ['5q', '12', 'soon', '"30 s"', '[30s]'],
  size: ['5Zi', '64', 'big', '64 Mi'],
  switch: ['yes', '1', '"true"', '[true]'],
  ports: ['18400', '18400-', 'x-y', '[1, 2]', '20000-19000', '1-99999'],
  list: ['5', 'true', '{a: 1}'],
  map: ['5', '[1]', 'words', 'true', '~'],
};

interface Mutation {
  readonly name: string;
  /** Where the fault must be told, once the file is written. */
  readonly place: (written: Written) => Place;
}

function misspell(random: Random, word: string): string {
  const at = Math.floor(random() * (word.length - 1));
  const spellings = [
    word.slice(0, at) + word.slice(at + 1),
    word.slice(0, at) + pick(random, ['q', 'x', 'z']) + word.slice(at),
    word.slice(0, at) + pick(random, ['q', 'x', 'z']) + word.slice(at + 1),
  ];
  const changed = pick(random, spellings);
  return changed === word ? misspell(random, word) : changed;
}

/** Changes one entry (or its neighbourhood) in place. Null when this way does not fit it. */
function mutate(
  random: Random,
  way: string,
  entry: Entry,
  parent: Entry | null,
  siblings: Entry[],
): Mutation | null {
  const { key } = entry;
  switch (way) {
    case 'misspelt key':
      // Names that other parts refer to would leave their references behind.
      if (entry.free || ['models', 'deployments', 'hosts'].includes(key)) return null;
      entry.key = misspell(random, key);
      return { name: `${way} ${key} as ${entry.key}`, place: (written) => placeOf(written, entry).key };
    case 'wrong value':
      if (entry.free && entry.kind === 'map') return null;
      if (['models', 'deployments', 'hosts'].includes(key)) return null;
      entry.value = pick(random, wrong[entry.kind]);
      return { name: `${way} ${entry.value} of ${key}`, place: (written) => placeOf(written, entry).value };
    case 'missing key':
      if (!entry.required) return null;
      siblings.splice(siblings.indexOf(entry), 1);
      return {
        name: `${way} ${key}`,
        place: (written) => (parent ? placeOf(written, parent).key : { line: 1, column: 1 }),
      };
    case 'duplicate key': {
      const again: Entry = structuredClone(entry);
      siblings.push(again);
      return { name: `${way} ${key}`, place: (written) => placeOf(written, again).key };
    }
    default: {
      const extra: Entry = { key: pick(random, ['zebra', 'ultraviolet', 'qqq']), kind: 'int', value: '5' };
      if (parent === null || entry.free || siblings.some((one) => one.key === extra.key)) return null;
      if (['hosts', 'models', 'deployments', 'routes', 'benchmarks'].includes(parent.key)) return null;
      siblings.push(extra);
      return { name: `${way} ${extra.key}`, place: (written) => placeOf(written, extra).key };
    }
  }
}

const ways = ['misspelt key', 'wrong value', 'missing key', 'duplicate key', 'unknown key'];

function placeOf(written: Written, entry: Entry): { key: Place; value: Place } {
  return written.places.get(entry) as { key: Place; value: Place };
}

/**
 * What must hold no other mutation. Without its kind nothing else of a union can be judged, and whether a model must be named
 * depends on the engine: there the map around the entry counts.
 */
function regionOf(trail: readonly Entry[], entry: Entry, way: string): readonly Entry[] {
  const wider = entry.key === 'kind' || (entry.key === 'model' && way === 'missing key');
  return wider ? trail.slice(0, -1) : trail;
}

interface Spot {
  readonly entry: Entry;
  readonly siblings: Entry[];
  /** From the top to the entry itself. */
  readonly trail: readonly Entry[];
}

function spots(entries: Entry[], above: readonly Entry[] = []): Spot[] {
  return entries.flatMap((entry) => {
    const trail = [...above, entry];
    return [
      { entry, siblings: entries, trail },
      ...(typeof entry.value === 'string' ? [] : spots(entry.value, trail)),
    ];
  });
}

function overlaps(a: readonly Entry[], b: readonly Entry[]): boolean {
  const length = Math.min(a.length, b.length);
  return a.slice(0, length).every((entry, i) => entry === b[i]);
}

function spoil(random: Random, fleet: Entry[], count: number): Mutation[] {
  const done: Mutation[] = [];
  const regions: (readonly Entry[])[] = [];
  const all = spots(fleet);
  for (let tries = 0; done.length < count && tries < 200; tries += 1) {
    const { entry, siblings, trail } = pick(random, all);
    const way = pick(random, ways);
    const region = regionOf(trail, entry, way);
    if (regions.some((other) => overlaps(region, other))) continue;
    const mutation = mutate(random, way, entry, trail.at(-2) ?? null, siblings);
    if (!mutation) continue;
    done.push(mutation);
    regions.push(region);
  }
  return done;
}

function worldWith(text: string): World {
  const world = localWorld();
  return {
    ...world,
    env: {},
    files: {
      ...world.files,
      read: async (path: string) => (path.endsWith('.json') ? null : text),
      stat: async () => null,
    },
  };
}

async function faultsOf(text: string): Promise<readonly ConfigFault[]> {
  try {
    await loadFleet(worldWith(text), { files: ['berth.yaml'], cwd: '/fleet' });
    return [];
  } catch (error) {
    if (error instanceof BerthError && error.code === 'CONFIG_INVALID')
      return (error as BerthError<'CONFIG_INVALID'>).facts.faults;
    throw error;
  }
}

function keyOf(place: Place): string {
  return `${place.line}:${place.column}`;
}

test('a fleet file as it is generated has no fault, however it is laid out', async () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seeded(seed);
    const { text } = write(validFleet(random), random);
    expect(await faultsOf(text), text).toEqual([]);
  }
});

test('several mutations at once are each told at their exact line and column, and nothing else is', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 800; seed += 1) {
    const random = seeded(seed * 7919);
    const fleet = validFleet(random);
    const mutations = spoil(random, fleet, 1 + Math.floor(random() * 6));
    const written = write(fleet, random);
    const faults = await faultsOf(written.text);
    const expected = mutations.map((mutation) => keyOf(mutation.place(written)));
    const story = `seed ${seed}: ${mutations.map((one) => one.name).join('; ')}\n${written.text}\n${faults.map((one) => `${keyOf(one)} ${one.message}`).join('\n')}`;
    expect([...new Set(faults.map(keyOf))].toSorted(), story).toEqual([...new Set(expected)].toSorted());
    for (const one of faults) expect(one.cure, story).not.toBe('');
    for (const mutation of mutations) seen.add(mutation.name.split(' ').slice(0, 2).join(' '));
  }
  expect([...seen].toSorted()).toEqual(ways.toSorted());
});
