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

test('what together takes more than is left is warned of, with who has the memory', async () => {
  const claims = [
    { deployment: 'a', bytes: 6 * GiB },
    { deployment: 'b', bytes: 6 * GiB },
  ];
  function holders(): Promise<{ name: string; bytes: number }[]> {
    return Promise.resolve([{ name: 'java (process 7)', bytes: 20 * GiB }]);
  }
  const memory = { totalBytes: 32 * GiB, availableBytes: 10 * GiB };
  const [found, ...others] = await leavesTooLittle(claims, memory, holders);
  expect([found?.severity, found?.object, others]).toEqual(['warning', 'a, b', []]);
  expect(found?.message).toContain('12.0 GiB of memory, and 10.0 GiB are left here');
  expect(found?.evidence).toContain('java (process 7) has 20.0 GiB');
});

test('nobody is asked who has the memory where there is room, or where what is left is not known', async () => {
  const claims = [{ deployment: 'a', bytes: 6 * GiB }];
  function never(): never {
    throw new Error('asked');
  }
  for (const availableBytes of [6 * GiB, null])
    expect(await leavesTooLittle(claims, { totalBytes: 32 * GiB, availableBytes }, never)).toEqual([]);
});

test('what can never fit is not counted with what only lacks room now', async () => {
  const claims = [
    { deployment: 'a', bytes: 99 * GiB },
    { deployment: 'b', bytes: 1 * GiB },
  ];
  const memory = { totalBytes: 32 * GiB, availableBytes: 2 * GiB };
  expect(await leavesTooLittle(claims, memory, () => Promise.resolve([]))).toEqual([]);
});
