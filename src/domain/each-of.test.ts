import { expect, test } from 'vitest';
import { eachOf } from './each-of.ts';

test('no more than the bound are under way, and what comes back is in order', async () => {
  let [now, most] = [0, 0];
  const made = await eachOf([5, 1, 4, 2, 3, 0, 6], 3, async (one) => {
    most = Math.max(most, (now += 1));
    await new Promise((done) => setTimeout(done, one));
    now -= 1;
    return one * 2;
  });
  expect(made).toEqual([10, 2, 8, 4, 6, 0, 12]);
  expect(most).toBe(3);
});

test('after a failure nothing more begins', async () => {
  const begun: number[] = [];
  const all = eachOf([1, 2, 3, 4], 1, async (one) => {
    begun.push(one);
    if (one === 2) throw new Error('two');
  });
  await expect(all).rejects.toThrow('two');
  expect(begun).toEqual([1, 2]);
});
