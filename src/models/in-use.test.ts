import { expect, test } from 'vitest';
import { foldersInUse } from './in-use.ts';

const proc: Record<string, string> = {
  '7/cmdline': 'llama-server\0-m\0/home/a/models/trees/hf--lab--tiny-0123456789/m.gguf\0',
  '8/cmdline': 'vllm\0serve\0/models\0',
  '8/mountinfo':
    '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 22 8:1 /home/a\\040b/models/trees/hf--lab--large-abcdefabcd /models ro - ext4 /dev/sda1 rw\n',
};

test('a model is in use by a command line, or mounted into a container, and otherwise not', () => {
  const found = foldersInUse(
    { text: (path) => proc[path] ?? null, link: () => null, names: () => ['7', '8', '9', 'meminfo'] },
    ['hf--lab--tiny-0123456789', 'hf--lab--large-abcdefabcd', 'hf--lab--other-0000000000'],
  );
  expect([...found]).toEqual(['hf--lab--tiny-0123456789', 'hf--lab--large-abcdefabcd']);
});
