import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { fencesOf, pagePaths } from '../tools/docs/pages.ts';
import { pagesWith, runBlocks } from './docs-runner.ts';

/** Components that blocks tagged `sh live=NAME` may need, and whether they are there. */
const components: Readonly<Record<string, () => boolean>> = {
  embedded: () => {
    try {
      createRequire(import.meta.url).resolve('node-llama-cpp/package.json');
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
    }
  },
};

function componentOf(info: string): string | undefined {
  return /^sh live=(\S+)/.exec(info)?.[1];
}

test('every component that a block names is known here', () => {
  const names = pagePaths()
    .flatMap(fencesOf)
    .flatMap(({ info }) => componentOf(info) ?? []);
  expect(names.filter((name) => !components[name])).toEqual([]);
});

for (const name of Object.keys(components)) {
  const pages = pagesWith((info) => componentOf(info) === name);
  test.skipIf(!components[name]?.()).each(pages)(
    `with ${name} here, the blocks of %s do what they say`,
    { timeout: 600_000 },
    async (_, page) => {
      const fences = fencesOf(page).filter(
        ({ info }) => info === 'sh test' || info.startsWith('yaml fleet') || componentOf(info) === name,
      );
      expect(await runBlocks(fences)).toEqual([]);
    },
  );
}
