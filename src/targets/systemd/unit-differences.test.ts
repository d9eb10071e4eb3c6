import { expect, test } from 'vitest';
import { unitDifferences } from './unit-differences.ts';
import { readUnit } from './unit-text.ts';

const text = '[Container]\nImage=a\nVolume=/a:/a\nVolume=/b:/b\n[Service]\nRestart=no\n';

function differences(live: string): ReturnType<typeof unitDifferences> {
  return unitDifferences(readUnit(text), readUnit(live));
}

test('a change is told by its key, with what went and what came', () => {
  expect(differences(text)).toEqual([]);
  expect(differences(text.replace('Restart=no', 'Restart=always\nNice=5'))).toEqual([
    { field: 'Service.Restart', marked: 'no', live: 'always' },
    { field: 'Service.Nice', marked: null, live: '5' },
  ]);
  expect(differences(text.replace('Volume=/b:/b\n', ''))).toEqual([
    { field: 'Container.Volume', marked: '/b:/b', live: null },
  ]);
});

test('the same keys in another order, or with comments, differ in nothing', () => {
  const other = '# mine\n[Service]\nRestart=no\n[Container]\nVolume=/b:/b\nVolume=/a:/a\nImage=a\n';
  expect(differences(other)).toEqual([]);
});
