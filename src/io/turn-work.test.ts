import { expect, test } from 'vitest';
import { soon, workDone } from './turn-work.ts';

/** Work that keeps the processor as long as a burst of requests would. */
function working(ms: number, done: () => void): { inItsTurn: () => void } {
  return {
    inItsTurn: () => {
      const until = performance.now() + ms;
      while (performance.now() < until);
      done();
    },
  };
}

test('what does not fit into a turn is done in the next ones, in order, and others come between', async () => {
  const order: (number | string)[] = [];
  for (let i = 0; i < 6; i += 1) soon(working(0.7, () => order.push(i)));
  // The second begins within the millisecond and passes it.
  expect(order.length).toBeGreaterThanOrEqual(1);
  expect(order.length).toBeLessThanOrEqual(2);
  const between = setInterval(() => order.push('between'), 0);
  await workDone();
  clearInterval(between);
  expect(order.filter((one) => one !== 'between')).toEqual([0, 1, 2, 3, 4, 5]);
  expect(order).toContain('between');
});

test('nothing overtakes what waits, even when its turn has time again', async () => {
  const order: string[] = [];
  soon(working(2, () => order.push('long')));
  soon(
    working(0, () => {
      order.push('late');
      soon(working(0, () => order.push('of the late one')));
    }),
  );
  soon(working(0, () => order.push('last')));
  expect(order).toEqual(['long']);
  await workDone();
  expect(order).toEqual(['long', 'late', 'last', 'of the late one']);
});

test('a turn that has done nothing yet does at once what it is given', () => {
  let done = false;
  soon(working(0, () => (done = true)));
  expect(done).toBe(true);
});
