import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { processMachine } from '../crash/process-machine.ts';
import { countHit, momentsFrom } from '../crash/moments.ts';
import type { Hits } from '../crash/moments.ts';
import { effectsOf, tellStory } from '../crash/story.ts';
import type { Story } from '../crash/story.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 120_000 });

let folder: string;
let story: Story;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth crash '));
  story = await tellStory(processMachine(folder));
});

afterAll(async () => {
  await story.end();
  rmSync(folder, { recursive: true });
});

/** Ends an apply before each of its effects in turn, until it is through before that. */
async function everyBoundary(change: 'flip' | 'fail'): Promise<string[]> {
  const hit: string[] = [];
  for (let effect = 0; ; effect += 1) {
    const kind = await story.crash(change, { effect, when: 'before' });
    if (kind === null) return hit;
    hit.push(kind);
  }
}

test('apply is killed at every boundary of its effects, and the next one converges, doubles nothing and leaves strangers alone', async () => {
  const hit = await everyBoundary('flip');
  expect(hit).toEqual(expect.arrayContaining(['start a process', 'end a process', 'put what ran in place']));
});

test('the same for an apply whose new engine crashes, while the old one comes back', async () => {
  const hit = await everyBoundary('fail');
  expect(hit.filter((kind) => kind === 'start a process')).toHaveLength(2);
});

test('ten seeded moments more, some time after an effect as well', async () => {
  const effects = await effectsOf(story, ['flip', 'fail']);
  const draw = momentsFrom(effects, 7);
  const hits: Hits = new Map();
  let killed = 0;
  for (let turn = 0; turn < 10; turn += 1) {
    const { change, moment } = draw(hits);
    const met = await story.crash(change, moment);
    if (met === null) continue;
    countHit(hits, met, moment.when);
    killed += 1;
  }
  expect(killed).toBeGreaterThanOrEqual(8);
});
