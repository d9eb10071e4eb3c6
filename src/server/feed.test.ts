import { expect, test, vi } from 'vitest';
import type { RunProgress } from '../domain/run-progress.ts';
import { systemClock } from '../io/clock.ts';
import { createFeed } from './feed.ts';
import { retell } from './run-story.ts';

const started: RunProgress = { type: 'run-started', id: 'r1', folder: '/r1', name: 'nightly' };
const ended: RunProgress = { type: 'run-ended', id: 'r1', interrupted: false };

function tick(done: number): RunProgress {
  return {
    type: 'tick',
    index: 0,
    phase: 'measured',
    elapsedSeconds: 1,
    inFlight: 1,
    done,
    failed: 0,
    eventsPerSecond: 10,
    ttftMs: 30,
    itlMs: null,
  };
}

test('who comes in the middle of a run is told its last tick only, and nothing once it is over', () => {
  const story = [started, tick(1), tick(2)].reduce<readonly RunProgress[]>(retell, []);
  expect(story).toEqual([started, tick(2)]);
  expect(retell(story, ended)).toEqual([]);
});

test('what comes before any run is kept for nobody', () => {
  expect(retell([], tick(1))).toEqual([]);
});

test('the list of runs is read again the moment a run ends, not at its next turn', async () => {
  let runs = 0;
  let tell: ((progress: RunProgress) => void) | undefined;
  const feed = createFeed(
    {
      status: () => Promise.resolve({} as never),
      load: () => Promise.resolve(null),
      runs: () => Promise.resolve(Array.from({ length: runs }, () => ({}) as never)),
      onProgress: (listener) => {
        tell = listener;
        return () => {};
      },
    },
    { clock: systemClock, periodMs: 1_000_000 },
  );
  const events: string[] = [];
  feed.subscribe((event, data) => void events.push(`${event} ${data}`));
  await vi.waitUntil(() => events.includes('runs []'));
  runs = 1;
  tell?.(ended);
  await vi.waitUntil(() => events.includes('runs [{}]'));
  feed.close();
  expect(events.at(-1)).toBe('end {}');
});
