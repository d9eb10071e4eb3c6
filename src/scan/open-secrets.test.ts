import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeProcTree } from '../../test/support/proc-tree.ts';
import { localWorld } from '../io/local-world.ts';
import { openSecrets } from './open-secrets.ts';

test('a file of keys that all can read is told; that of a tokenizer and one that only its user reads are not', async () => {
  const names = ['key', 'token', 'tokenizer.json', 'closed'];
  using tree = writeProcTree([], Object.fromEntries(names.map((name) => [`10/root/srv/${name}`, 'x'])));
  for (const name of names)
    chmodSync(join(tree.path, `10/root/srv/${name}`), name === 'closed' ? 0o600 : 0o644);
  const argv = [
    'x',
    '--api-key-file',
    '/srv/key',
    '--hf-token-path=token',
    '--tokenizer-path',
    '/srv/tokenizer.json',
    '--admin-key-file',
    '/srv/closed',
  ];
  const found = await openSecrets(
    { ...localWorld(), proc: tree.path },
    { pid: 10, argv, env: {}, cwd: '/srv' },
  );
  expect(found).toEqual(['/srv/key', '/srv/token']);
});
