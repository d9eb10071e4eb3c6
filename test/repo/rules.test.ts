import { expect, test } from 'vitest';
import { filesWithRule } from '../../tools/mutations/rule-tests.ts';
import { mutations } from '../../tools/mutations/rules.ts';
import { root, textOf } from './source-tree.ts';

const rules = Array.from({ length: 25 }, (_, i) => i + 1);

test('each of the 25 rules of a good gateway has a test that is named after it', () => {
  expect(rules.filter((rule) => filesWithRule(root, rule).length === 0)).toEqual([]);
});

test('each rule has mutations that break it, each at a place that is there and there once', () => {
  expect([...new Set(mutations.map(({ rule }) => rule))]).toEqual(rules);
  const astray = mutations.filter(({ file, search }) => textOf(file).split(search).length !== 2);
  expect(astray).toEqual([]);
});
