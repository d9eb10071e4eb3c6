import { expect, onTestFinished, test } from 'vitest';
import { fencesOf, pagePaths } from '../tools/docs/pages.ts';
import { components } from './docs-components.ts';
import { pagesWith, runBlocks } from './docs-runner.ts';

function componentsOf(info: string): string[] {
  return /^sh live=(\S+)/.exec(info)?.[1]?.split(',') ?? [];
}

test('every component that a block names is known here', () => {
  const names = pagePaths()
    .flatMap(fencesOf)
    .flatMap(({ info }) => componentsOf(info));
  expect(names.filter((name) => !components[name])).toEqual([]);
});

for (const name of Object.keys(components)) {
  const pages = pagesWith((info) => componentsOf(info).includes(name));
  test.skipIf(!components[name]?.there()).each(pages)(
    `with ${name} here, the blocks of %s do what they say`,
    { timeout: 600_000 },
    async (_, page) => {
      const fences = fencesOf(page).filter(
        ({ info }) =>
          info === 'sh test' || info.startsWith('yaml fleet') || componentsOf(info).includes(name),
      );
      const started = await components[name]?.start?.();
      onTestFinished(() => started?.stop());
      expect(await runBlocks(fences, started)).toEqual([]);
    },
  );
}
