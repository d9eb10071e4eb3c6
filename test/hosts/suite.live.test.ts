import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { excuseFor, leastTargets } from './suite/missing.ts';
import { setStage } from './suite/stage.ts';
import { tellStory } from './suite/story.ts';
import { suiteTargets } from './suite/targets.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 120_000 });

/** One suite for every target, with real engines. What it could not run it says at its end. */

const verdicts = new Map<string, string>();

afterAll(() => {
  const lines = [...verdicts].map(([name, told]) => `  ${name.padEnd(12)} ${told}`);
  console.info(['The suite of targets:', ...lines].join('\n'));
});

describe.each(suiteTargets)('engines on $name', (target) => {
  const missing = target.missing();
  const why = missing === null ? '' : ` (skipped: ${missing})`;
  const note = target.note === undefined ? '' : `, ${target.note}`;
  verdicts.set(target.name, missing === null ? 'did not come to its end' : `not run: ${missing}`);

  test.skipIf(missing !== null)(
    `they serve, are changed under load, come back when killed, go back, and leave nothing${why}`,
    async () => {
      const stage = await setStage(target);
      onTestFinished(() => stage.close());
      const story = await tellStory(stage);
      for (const step of ['apply', 'change', 'kill', 'rollback'] as const) {
        verdicts.set(target.name, `ended at "${step}"`);
        await story[step]();
      }
      verdicts.set(target.name, 'ended at "down"');
      const { before, after } = await story.down();
      expect(after).toEqual(before);
      verdicts.set(target.name, `ran${note}`);
    },
  );
});

describe.each(leastTargets)('a run leaves out %s', (name) => {
  const excuse = excuseFor(name);
  const why = excuse === null ? '' : ` (skipped: ${excuse})`;
  test.skipIf(excuse !== null)(`only on a machine that cannot run it${why}`, () => {
    expect(`${name}: ${verdicts.get(name)}`).not.toContain('not run');
  });
});
