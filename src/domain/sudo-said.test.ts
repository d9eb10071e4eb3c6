import { expect, test } from 'vitest';
import { withoutHostWarning } from './sudo-said.ts';

const warning = 'sudo: unable to resolve host box: Temporary failure in name resolution\n';

test('that a machine does not know its own name is no refusal of sudo', () => {
  expect(withoutHostWarning(warning)).toBe('');
  expect(withoutHostWarning(`${warning}Failed to connect to bus.\n`)).toBe('Failed to connect to bus.\n');
});

test('what sudo refuses stays', () => {
  const refusal = 'sudo: a password is required\n';
  expect(withoutHostWarning(warning + refusal)).toBe(refusal);
});
