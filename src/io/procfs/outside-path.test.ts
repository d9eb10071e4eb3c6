import { expect, test } from 'vitest';
import { outsidePath } from './outside-path.ts';

const mounts: Record<string, string> = {
  'self/mountinfo': [
    '20 1 8:1 / / rw - ext4 /dev/sda1 rw',
    '21 20 8:2 / /srv/big\\040disk rw - ext4 /dev/sdb1 rw',
    '22 20 0:5 / /proc rw - proc proc rw',
  ].join('\n'),
  '7/mountinfo': [
    '90 1 0:77 / / rw - overlay overlay rw',
    '91 90 8:1 /srv/models /models ro - ext4 /dev/sda1 rw',
    '92 90 8:2 /weights /models/large ro - ext4 /dev/sdb1 rw',
  ].join('\n'),
};
const proc = { text: (path: string) => mounts[path] ?? null, link: () => null, names: () => [] };

test.each([
  ['/models/kimi.gguf', '/srv/models/kimi.gguf'],
  ['/models/large/m.gguf', '/srv/big disk/weights/m.gguf'],
  ['/app/m.gguf', null],
])('%s of a container lies here at %s', (inside, here) => {
  expect(outsidePath(proc, 7, inside)).toBe(here);
});

test('a process that has gone lies nowhere', () => {
  expect(outsidePath(proc, 8, '/models/kimi.gguf')).toBeNull();
});
