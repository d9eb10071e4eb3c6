import { expect, test } from 'vitest';
import { fencesOf } from '../tools/docs/pages.ts';
import { pagesWith, runBlocks } from './docs-runner.ts';

function runsAnywhere(info: string): boolean {
  return info === 'sh test' || info.startsWith('yaml fleet');
}

// A page's blocks run in order in one folder: what a reader typed before a command was typed before it here, too.
test.each(pagesWith(runsAnywhere))(
  'the blocks of %s do what they say',
  { timeout: 300_000 },
  async (_, page) => {
    const faults = await runBlocks(fencesOf(page).filter((fence) => runsAnywhere(fence.info)));
    expect(faults).toEqual([]);
  },
);
