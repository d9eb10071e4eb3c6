import { expect, test } from 'vitest';
import type { JournalEntry } from '../../domain/journal.ts';
import { byOthers } from './ended-by-others.ts';

const own = { bootId: 'boot', pid: 7, startTicks: 1 };

function stopBy(process: JournalEntry['process'], object: string): JournalEntry {
  return {
    id: object,
    at: '2026-11-30T09:00:00.000Z',
    who: { uid: 0, user: 'root', sudoUser: null, machine: 'box' },
    process,
    command: 'up',
    plan: null,
    do: 'stop',
    host: 'local',
    deployment: 'a',
    replica: 0,
    object,
    reasons: [],
    endedAt: null,
    outcome: 'done',
    became: null,
    error: null,
  };
}

test('an engine that berth up itself took away again, since it never answered, counts as one that nobody has ended', () => {
  const others = [
    { ...own, pid: 8 },
    { ...own, startTicks: 2 },
    { ...own, bootId: 'before' },
  ].map((process, at) => stopBy(process, `process ${at}`));
  expect(byOthers([stopBy(own, 'process 70'), ...others], own)).toEqual(others);
});
