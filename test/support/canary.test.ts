import { expect, test } from 'vitest';
import { canaries } from './canary.ts';

test('a secret is found in every form, wherever in an encoded text it begins', () => {
  const found = canaries();
  const secret = found.make('key');
  for (const text of [
    `Bearer ${secret}`,
    encodeURIComponent(`u:${secret}`),
    JSON.stringify({ secret: `"${secret}"` }),
    ...['', 'a', 'ab', 'user:'].map((before) => Buffer.from(`${before}${secret}tail`).toString('base64')),
    ...['', 'a', 'ab', 'user:'].map((before) => Buffer.from(`${before}${secret}`).toString('base64url')),
    Buffer.from(secret).toString('hex'),
  ])
    expect([text, found.in(text).length]).toEqual([text, expect.toSatisfy((n: number) => n > 0)]);
  expect(found.in(`Bearer ${secret.slice(0, -4)}`)).toEqual([]);
});
