import { expect, test } from 'vitest';
import { leavesTooLittle, tooLarge } from './room-for.ts';

const GiB = 1024 ** 3;

test('an engine that takes more than the machine has is critical, once for all its replicas', () => {
  const claims = [
    { deployment: 'a', bytes: 33 * GiB },
    { deployment: 'a', bytes: 33 * GiB },
    { deployment: 'b', bytes: 32 * GiB },
  ];
  expect(tooLarge(claims, 32 * GiB)).toEqual([
    expect.objectContaining({
      rule: 'does-not-fit',
      severity: 'critical',
      object: 'a',
      message: expect.stringContaining('33.0 GiB'),
    }),
  ]);
});

test('one that takes no more than what runs in its place is warned of, and is critical where another replica is new', () => {
  const runs = { deployment: 'a', bytes: 33 * GiB, today: 33 * GiB };
  expect(tooLarge([runs], 32 * GiB)).toEqual([
    expect.objectContaining({
      severity: 'warning',
      object: 'a',
      message: expect.stringContaining('What runs in its place takes no less.'),
    }),
  ]);
  for (const worse of [
    [runs, { deployment: 'a', bytes: 33 * GiB, today: null }],
    [{ deployment: 'a', bytes: 33 * GiB }, runs],
    [{ ...runs, bytes: 34 * GiB }],
  ])
    expect(tooLarge(worse, 32 * GiB).map(({ severity }) => severity)).toEqual(['critical']);
});

test('what together takes more than is left is warned of, with who has the memory', async () => {
  const claims = [
    { deployment: 'a', bytes: 6 * GiB },
    { deployment: 'b', bytes: 6 * GiB },
  ];
  function holders(): Promise<{ name: string; bytes: number }[]> {
    return Promise.resolve([{ name: 'java (process 7)', bytes: 20 * GiB }]);
  }
  const memory = { totalBytes: 32 * GiB, availableBytes: 10 * GiB, givenBackBytes: 0 };
  const [found, ...others] = await leavesTooLittle(claims, memory, holders);
  expect([found?.severity, found?.object, others]).toEqual(['warning', 'a, b', []]);
  expect(found?.message).toContain('12.0 GiB of memory, and 10.0 GiB are left here');
  expect(found?.evidence).toContain('java (process 7) has 20.0 GiB');
});

test('room that comes free before is counted, and named where it is not enough', async () => {
  const claims = [{ deployment: 'a', bytes: 6 * GiB }];
  const room = { totalBytes: 32 * GiB, availableBytes: 2 * GiB, givenBackBytes: 3 * GiB };
  const [found] = await leavesTooLittle(claims, room, () => Promise.resolve([]));
  expect(found?.message).toContain(
    '2.0 GiB are left here, with 3.0 GiB at most that what ends before gives back',
  );
});

test('nobody is asked who has the memory where there is room, or where what is left is not known', async () => {
  const claims = [{ deployment: 'a', bytes: 6 * GiB }];
  function never(): never {
    throw new Error('asked');
  }
  for (const room of [
    { availableBytes: 6 * GiB, givenBackBytes: 0 },
    { availableBytes: 2 * GiB, givenBackBytes: 4 * GiB },
    { availableBytes: null, givenBackBytes: 0 },
    { availableBytes: 1, givenBackBytes: null },
  ])
    expect(await leavesTooLittle(claims, { totalBytes: 32 * GiB, ...room }, never)).toEqual([]);
});

test('what can never fit is not counted with what only lacks room now', async () => {
  const claims = [
    { deployment: 'a', bytes: 99 * GiB },
    { deployment: 'b', bytes: 1 * GiB },
  ];
  const memory = { totalBytes: 32 * GiB, availableBytes: 2 * GiB, givenBackBytes: 0 };
  expect(await leavesTooLittle(claims, memory, () => Promise.resolve([]))).toEqual([]);
});
