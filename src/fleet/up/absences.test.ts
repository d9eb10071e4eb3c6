import { expect, test } from 'vitest';
import { Absences } from './absences.ts';

test('who is left by the last one is told once, and who has somebody again, too; what was not acted on is told again', () => {
  const absences = new Absences();
  function look(...names: string[]): [string[], string[]] {
    const { left, back, taken } = absences.look(new Set(names));
    taken();
    return [left, back];
  }
  expect(look('a', 'b')).toEqual([[], []]);
  expect(absences.look(new Set(['b'])).left).toEqual(['a']);
  expect(look('b')).toEqual([['a'], []]);
  expect(look('b')).toEqual([[], []]);
  expect(absences.look(new Set(['a', 'b'])).back).toEqual(['a']);
  expect(look('a', 'b')).toEqual([[], ['a']]);
  expect(look('a', 'b')).toEqual([[], []]);
});
