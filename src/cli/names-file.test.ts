import { expect, test } from 'vitest';
import { namesFile } from './names-file.ts';

const path = '/etc/tls/a key.pem';

function named(argv: readonly string[], env: Readonly<Record<string, string>> | null = null): boolean {
  return namesFile({ argv: [...argv], env, cwd: '/etc/tls' }, path);
}

test.each([
  ['a word of its own', [path]],
  ['a path from where it runs', ['serve', 'a key.pem']],
  ['a path that is written otherwise', ['/etc/../etc/tls//a key.pem']],
  ['the value of a flag', [`--key=${path}`]],
  ['a flag that is one letter', [`-k${path}`]],
  ['an option that is no flag', [`cert=${path}`]],
  ['one of several in a word', [`openssl-listen:443,cert=${path},verify=0`]],
  ['one of several from where it runs', ['cert=a key.pem']],
  ['an address', [`file://${path}`]],
  ['a word of a script', ['sh', '-c', `exec serve --key "${path}"`]],
])('%s names a file', (_what, argv) => {
  expect(named(argv)).toBe(true);
});

test('a variable names a file, however long it is', () => {
  expect(named([], { TLS: `x:${path}` })).toBe(true);
  expect(named([], { TLS: `${'x '.repeat(4000)}${path}` })).toBe(true);
});

test('a path that is longer, or another, names it not', () => {
  expect(named([`/srv${path}`, `${path}.old`, '/etc/tls', 'a', 'key.pem', '--', '-k', ''])).toBe(false);
  expect(named(['cert=/etc/tls/a', 'b=key.pem'], { TLS: '/etc/tls/b key.pem' })).toBe(false);
});
