import { expect, test } from 'vitest';
import { localFiles } from './files.ts';
import { rememberStats } from './remembered-stats.ts';

test('a file is looked at once, however many ask for it at once or later, and one that is not there too', async () => {
  const asked: string[] = [];
  const files = rememberStats({
    ...localFiles,
    stat: (path) => {
      asked.push(path);
      return localFiles.stat(path);
    },
  });
  const here = import.meta.filename;
  const [one, two] = await Promise.all([files.stat(here), files.stat(here)]);
  expect(one).toMatchObject({ isFile: true });
  expect(two).toBe(one);
  expect(await files.stat(`${here}.gone`)).toBeNull();
  expect(await files.stat(`${here}.gone`)).toBeNull();
  expect(asked).toEqual([here, `${here}.gone`]);
});
