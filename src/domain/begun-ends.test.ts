import { expect, test } from 'vitest';
import { begunEnds } from './begun-ends.ts';
import type { JournalEntry } from './journal.ts';

function entry(change: Partial<JournalEntry>): JournalEntry {
  return {
    id: 'x',
    at: '2026-11-30T09:00:00.000Z',
    who: { uid: 0, user: 'root', sudoUser: null, machine: 'box' },
    process: { bootId: 'boot', pid: 1, startTicks: 1 },
    command: 'apply',
    plan: null,
    do: 'stop',
    host: 'local',
    deployment: 'a',
    replica: 0,
    object: 'process 7',
    reasons: [],
    endedAt: null,
    outcome: 'unfinished',
    became: null,
    error: null,
    ...change,
  };
}

const end = { host: 'local', object: 'process 7', at: '2026-11-30T09:00:00.000Z', cutOff: true };

test('an end is begun while a command is at it and where one was killed over it, not once it is told of', () => {
  expect(begunEnds([entry({})])).toEqual([end]);
  expect(begunEnds([entry({ outcome: 'under way' })])).toEqual([{ ...end, cutOff: false }]);
  for (const outcome of ['done', 'failed', 'interrupted'] as const)
    expect(begunEnds([entry({ outcome })]), outcome).toEqual([]);
});

test('what is restarted ends first, and a start that was killed ends nothing', () => {
  expect(begunEnds([entry({ do: 'restart' })])).toEqual([end]);
  expect(begunEnds([entry({ do: 'start' })])).toEqual([]);
});

test('whatever is done with the object later ends the wondering, also where one of the same name is made', () => {
  const later = { at: '2026-11-30T09:00:05.000Z', outcome: 'done' } as const;
  expect(begunEnds([entry({}), entry(later)])).toEqual([]);
  expect(begunEnds([entry({}), entry({ ...later, do: 'start', object: null, became: 'process 7' })])).toEqual(
    [],
  );
  expect(begunEnds([entry({}), entry({ ...later, object: 'process 8' })])).toEqual([end]);
  expect(begunEnds([entry({}), entry({ ...later, host: 'far' })])).toEqual([end]);
});
