import { expect, test } from 'vitest';
import { loadProgress } from './load-progress.ts';

test('the dots of a load are its percents, and the line after them its end', () => {
  expect(loadProgress('srv load_model: loading model\n')).toBe(null);
  expect(loadProgress(`load_tensors: CPU\n${'.'.repeat(40)}`)).toBe(0.4);
  expect(loadProgress(`${'.'.repeat(100)}\n`)).toBe(0.99);
  expect(loadProgress(`${'.'.repeat(100)}\nmain: model loaded\n`)).toBe(1);
});
