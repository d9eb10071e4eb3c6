import { expect, test } from 'vitest';
import { escapeText, quoteWord, readUnit, valuesOf, writeUnit } from './unit-text.ts';

test('what is written is read back, keys that stand twice included', () => {
  const unit = [
    ['Unit', [['Description', 'a b']]],
    [
      'Service',
      [
        ['Environment', '"A=1"'],
        ['Environment', '"B=2"'],
      ],
    ],
  ] as const;
  const text = writeUnit(unit, 'by berth');
  expect(text.startsWith('# by berth\n[Unit]\n')).toBe(true);
  expect(readUnit(text)).toEqual(unit);
  expect(valuesOf(readUnit(text), 'Service', 'Environment')).toEqual(['"A=1"', '"B=2"']);
});

test('continued lines are one, and comments within them are left out', () => {
  expect(
    valuesOf(readUnit('[Service]\nExecStart=/bin/a \\\n# why\n  -b\n;x\n'), 'Service', 'ExecStart'),
  ).toEqual(['/bin/a    -b']);
});

test('specifiers, variables, quotes and line ends reach the program as they are', () => {
  expect(quoteWord('100% of $HOME "x" \\')).toBe(String.raw`"100%% of $$HOME \"x\" \\"`);
  expect(escapeText('a\nb')).toBe(String.raw`a\nb`);
});
