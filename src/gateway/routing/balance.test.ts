import { expect, test } from 'vitest';
import { Openings } from './balance.ts';
import type { Choosable } from './balance.ts';
import { plainChoice } from './balancers.ts';
import { healthy } from './health.ts';
import type { Health } from './health.ts';

const now = 1000;
const ejected: Health = { ...healthy, failures: 1, ejectedUntil: now + 1, away: true };
const probeDue: Health = { ...ejected, ejectedUntil: now };
const probing: Health = { ...probeDue, probing: true };

function instance(id: string, more: Partial<Choosable> = {}): Choosable {
  const one = { id, inflight: 0, slots: 4, health: healthy, drainedUntil: null, ...more };
  return { ...one, fits: () => one.slots === null || one.inflight < one.slots };
}

function ids(instances: readonly Choosable[]): string[] {
  return instances.map((one) => one.id);
}

test('full, ejected, probing and tried instances are not open; the full ones are in service all the same', () => {
  const tried = instance('tried');
  const openings = new Openings<Choosable>().look(
    [
      instance('full', { inflight: 4 }),
      instance('ejected', { health: ejected }),
      instance('probing', { health: probing }),
      instance('draining', { drainedUntil: now + 1 }),
      tried,
      instance('free', { inflight: 3 }),
      instance('unknown', { inflight: 500, slots: null }),
    ],
    now,
    [tried],
  );
  expect(ids(openings.open)).toEqual(['free', 'unknown']);
  expect(ids(openings.alive)).toEqual(['full', 'free', 'unknown']);
  expect(openings.look([instance('full', { inflight: 4 })], now, null).room).toBe(false);
  expect(openings.look([], now, null).room).toBe(false);
});

test('one whose probe is due comes first, whatever the policy: only a request can tell that it is back', () => {
  const back = instance('back', { inflight: 3, health: probeDue });
  const openings = new Openings<Choosable>().look([instance('idle'), back], now, null);
  expect(openings.pick(plainChoice).id).toBe('back');
});
