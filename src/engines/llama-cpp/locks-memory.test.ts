import { expect, test } from 'vitest';
import { rawUses } from '../../domain/command-line/flag-use.ts';
import { locksMemory } from './locks-memory.ts';

test.each([
  [rawUses(['--mlock'])],
  [rawUses(['-c', '1', '--load-mode', 'mlock'])],
  [rawUses(['-lm', 'mmap+mlock'])],
  [[{ flag: '--load-mode', values: ['mmap+mlock'] }]],
])('%j has the model held in memory', (uses) => {
  expect(locksMemory(uses)).toBe(true);
});

test.each([
  [rawUses(['--load-mode', 'mmap', '--alias', 'mlock'])],
  [rawUses(['--load-mode'])],
  [[{ flag: '--load-mode', values: ['dio'] }, { flag: 'mlock' }]],
])('%j leaves it to the kernel', (uses) => {
  expect(locksMemory(uses)).toBe(false);
});
