import { expect, test } from 'vitest';
import { hideSecret } from './secret.ts';

test('a secret is taken out of what a server repeats: whole, as JSON has it, in a URL, and cut off at the end', () => {
  const secret = 'sk-"quoted"/4711';
  for (const text of [secret, JSON.stringify({ secret }), encodeURIComponent(secret)])
    expect(hideSecret(`Bearer ${text} is unknown`, secret)).toMatch(
      /^Bearer (\{"secret":")?\[secret\]("\})? is unknown$/,
    );
  expect(hideSecret(`unknown: ${secret.slice(0, 9)}`, secret)).toBe('unknown: [secret]');
  expect(hideSecret('all is well', secret)).toBe('all is well');
  expect(hideSecret('all is well', null)).toBe('all is well');
});
