import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';

test('a sleep may be longer than a timer can take', async () => {
  const over = new AbortController();
  const long = systemClock.sleep(30 * 86_400_000, over.signal).then(
    () => 'over',
    () => 'called off',
  );
  // A timer that is asked for too much goes off within a millisecond.
  expect(await Promise.race([long, systemClock.sleep(50).then(() => 'asleep')])).toBe('asleep');
  over.abort();
  expect(await long).toBe('called off');
});
