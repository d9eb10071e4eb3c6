import { expect, test } from 'vitest';
import { entriesOf } from './journal.ts';
import type { Effect, JournalLine } from './journal.ts';
import { standingIn } from './standing.ts';

interface Told extends Partial<Effect> {
  readonly do: Effect['do'];
  readonly became?: string;
  readonly failed?: true;
}

/** The objects that stand after these effects on one replica. */
function standing(...told: Told[]): string[] {
  const lines = told.flatMap(({ became = null, failed, ...effect }, at): JournalLine[] => {
    const id = String(at);
    const when = '2026-01-01T00:00:00.000Z';
    const who = { uid: 0, user: null, sudoUser: null, machine: 'm' };
    const process = { bootId: 'b', pid: 1, startTicks: 1 };
    const place = { host: 'box', deployment: 'a', replica: 0, object: null, reasons: [], target: 'docker' };
    return [
      {
        version: 1,
        phase: 'begin',
        id,
        at: when,
        who,
        process,
        command: 'apply',
        plan: null,
        ...place,
        ...effect,
      },
      { version: 1, phase: failed ? 'failed' : 'done', id, at: when, became, error: null },
    ];
  });
  return standingIn(entriesOf(lines, () => false)).map(({ target, object }) => `${target} ${object}`);
}

const first = { do: 'start', became: 'container a' } as const;

test('what was started and not ended stands, by the target that runs it', () => {
  expect(standing(first)).toEqual(['docker container a']);
  expect(standing(first, { do: 'stop', object: 'container a' })).toEqual([]);
  expect(standing(first, { do: 'stop', object: 'container a', failed: true })).toEqual([
    'docker container a',
  ]);
  expect(standing({ do: 'start', became: 'container a', target: undefined })).toEqual([]);
  expect(standing({ do: 'adopt', object: 'container b', became: '/kept/b' })).toEqual(['docker container b']);
});

test('of two that take turns the one that ended is gone, in whichever order it was told', () => {
  const second = { do: 'start', became: 'process 2', target: 'process' } as const;
  expect(standing(first, second)).toEqual(['docker container a', 'process process 2']);
  expect(standing(first, second, { do: 'stop', object: 'container a' })).toEqual(['process process 2']);
  expect(standing(first, { do: 'stop', object: 'container a' }, second)).toEqual(['process process 2']);
  expect(standing(first, { do: 'start', object: 'container a', became: 'container a' })).toEqual([
    'docker container a',
  ]);
});

test('one that fell and was started again is gone with the one that took its place', () => {
  const again = { do: 'restart', became: 'container b' } as const;
  expect(standing(first, again, { do: 'stop', object: 'container b' })).toEqual([]);
});
