import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { lockHolder, tryLock } from './lock.ts';

test('a lock is given to one at a time, and the second is told who holds it', async () => {
  const name = randomBytes(8).toString('hex');
  const first = await tryLock(name, 'the first');
  expect(first).not.toBeNull();
  expect(await tryLock(name, 'the second')).toBeNull();
  expect(await lockHolder(name)).toBe('the first');
  first?.release();
  expect(await lockHolder(name)).toBeNull();
  const second = await tryLock(name, 'the second');
  expect(second).not.toBeNull();
  second?.release();
});
