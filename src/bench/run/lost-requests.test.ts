import { expect, test } from 'vitest';
import type { RunProgress } from '../../domain/run-progress.ts';
import { lostAtBreak } from './lost-requests.ts';

function records(...ids: number[]): never {
  return ids.map((id) => ({ id })) as never;
}

function tick(index: number, inFlight: number): RunProgress[] {
  return [{ type: 'tick', index, inFlight } as RunProgress];
}

test('as many are lost as the run last said were in flight at that stage', () => {
  expect(lostAtBreak(1, records(40, 41, 42), tick(1, 3))).toBe(3);
  expect(lostAtBreak(1, records(40, 41, 42), tick(0, 3))).toBe(0);
});

test('a request that was sent before others with a record is lost, whatever was said', () => {
  expect(lostAtBreak(0, records(0, 1, 4, 5), null)).toBe(2);
  expect(lostAtBreak(0, records(0, 1, 4, 5), tick(0, 1))).toBe(2);
});

test('a run that was interrupted in good order has lost nothing', () => {
  expect(lostAtBreak(0, records(0, 1, 2), null)).toBe(0);
  expect(lostAtBreak(0, records(), null)).toBe(0);
});
