import { expect, test } from 'vitest';
import type { RequestRecord } from '../../domain/run/record.ts';
import { stampErrors, timeFaults } from './selftest-stamps.ts';

/** Four events at 10 ms, the server late by these µs and the client by those. */
function run(late: readonly number[], delays: readonly number[]) {
  const written = late.map((each, i) => 5_000_000_000_000_000 + i * 10_000 + each);
  const stamped = written.map((at, i) => at + (delays[i] ?? 0));
  const record = {
    text: written.map((at) => `word ${at} `).join(''),
    firstToken: stamped[0],
    gaps: stamped.slice(1).map((at, i) => at - (stamped[i] as number)),
  } as unknown as RequestRecord;
  const errors = stampErrors({ records: [record], origin: 0 }, 10);
  if (!errors) throw new Error('There were moments in the text.');
  return errors;
}

test("a client is judged by the server's own lateness on the same machine", () => {
  const quiet = run([0, 100, 100, 100], [300, 300, 300, 300]);
  expect(quiet).toMatchObject({ n: 4, delayP50Ms: 0.3, lateP50Ms: 0.1, early: 0 });
  expect(timeFaults(quiet)).toEqual([]);
  const held = run([0, 100, 100, 100], [8000, 8000, 8000, 8000]);
  expect(timeFaults(held).join()).toContain('8.00 ms after they were written');
  // The same delay where the server was as late: the machine was busy.
  expect(timeFaults(run([0, 900, 900, 900], [8000, 8000, 8000, 8000]))).toEqual([]);
});

test('a stamp before its event was written is always wrong', () => {
  expect(timeFaults(run([0, 0, 0, 0], [0, -500, 0, 0]))).toEqual([
    '1 events were stamped before they were written',
  ]);
});
