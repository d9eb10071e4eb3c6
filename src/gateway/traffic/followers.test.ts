import { expect, test } from 'vitest';
import { Followers } from './followers.ts';

/** Time that is over when the test says so. */
function timers(): {
  after: (ms: number, task: () => void) => () => void;
  over: () => void;
  open: Set<() => void>;
} {
  const open = new Set<() => void>();
  return {
    open,
    after: (_ms, task) => {
      open.add(task);
      return () => void open.delete(task);
    },
    over: () => {
      for (const task of open) task();
    },
  };
}

test('a control process that never answers is waited for as long as the wish lasts, and nothing is left of it', async () => {
  const { after, over } = timers();
  const asked: string[] = [];
  const followers = new Followers({ tell: (wish) => void asked.push(wish), after });
  const answer = followers.follow('1/a', { to: null, leftMs: 30_000 });
  expect([asked, followers.waiting]).toEqual([['1/a'], 1]);
  over();
  expect(await answer).toEqual({ left: 0, fault: 'its control process does not answer' });
  expect(followers.waiting).toBe(0);
});

test('what the control process answers is told, and a later answer to the same is no fault', async () => {
  const { after, open } = timers();
  const followers = new Followers({ tell: () => {}, after });
  const good = followers.follow('1/a', { to: null, leftMs: 30_000 });
  const bad = followers.follow('2/a', { to: null, leftMs: 30_000 });
  followers.answer({ wish: '1/a', fault: null });
  followers.answer({ wish: '2/a', fault: 'the file is not valid' });
  followers.answer({ wish: '2/a', fault: null });
  expect([await good, await bad]).toEqual([{ left: 0 }, { left: 0, fault: 'the file is not valid' }]);
  expect([followers.waiting, open.size]).toEqual([0, 0]);
});
