import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createKeyring } from './keys.ts';

function keyringOf(...tokens: string[]) {
  return createKeyring(
    tokens.map((token) => ({
      id: `id of ${token}`,
      sha256: createHash('sha256').update(token).digest('hex'),
    })),
  );
}

test('a connection that has shown a good key is asked for one with every request', () => {
  const keyring = keyringOf('first', 'other');
  const connection = {};
  expect(keyring.identify('Bearer first', connection)).toBe('id of first');
  expect(keyring.identify('Bearer first', connection)).toBe('id of first');
  expect(keyring.identify('Bearer other', connection)).toBe('id of other');
  for (const wrong of ['Bearer firsz', 'Bearer firs', 'Bearer first2', 'first', '', undefined])
    expect(() => keyring.identify(wrong, connection)).toThrow(/key/);
  expect(() => keyringOf('other').identify('Bearer first', connection)).toThrow(/not known/);
});

test('a connection that has shown nothing yet gets in with no header at all only where no key is wanted', () => {
  expect(() => keyringOf('first').identify(undefined, {})).toThrow(/wants an API key/);
  expect(keyringOf().identify(undefined, {})).toBe('anonymous');
});
