import { expect, test } from 'vitest';
import { verdictOfFailure } from './failure-verdict.ts';

test('an engine that was refused, too slow to connect or not trusted has not been connected to', () => {
  for (const kind of ['refused', 'connect-timeout', 'untrusted'] as const)
    expect(verdictOfFailure(kind)).toBe('connect-failed');
  expect(verdictOfFailure('reset')).toBe('broke');
});
