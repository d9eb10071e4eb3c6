import { expect, test } from 'vitest';
import { readProcessTable } from '../../io/procfs.ts';
import { writeProcTree } from '../../../test/support/proc-tree.ts';
import type { FakeProcess } from '../../../test/support/proc-tree.ts';
import { processesByContainer, residentBytes } from './own-processes.ts';

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);

function heldBy(id: string, ...processes: readonly FakeProcess[]): number | null {
  using tree = writeProcTree(processes);
  return residentBytes(processesByContainer(readProcessTable(tree.path)).get(id) ?? []);
}

test('what the processes of a container hold is told by its id, whatever drives its control group', () => {
  const groups = [
    `/docker/${a}`,
    `/system.slice/docker-${a}.scope`,
    `/machine.slice/libpod-${a}.scope/container`,
    `12:memory:/docker/${a}\n1:name=systemd:/docker/${a}\n`,
  ];
  for (const cgroup of groups)
    expect(heldBy(a, { pid: 7, cgroup, rssKib: 2 }, { pid: 8, cgroup, rssKib: 3 }), cgroup).toBe(5 * 1024);
});

test('neither other containers nor the watcher that podman has beside one count', () => {
  const own = { pid: 7, cgroup: `/machine.slice/libpod-${a}.scope/container`, rssKib: 2 };
  const watcher = { pid: 8, cgroup: `/machine.slice/libpod-conmon-${a}.scope`, rssKib: 100 };
  const other = { pid: 9, cgroup: `/docker/${b}`, rssKib: 100 };
  expect(heldBy(a, own, watcher, other)).toBe(2 * 1024);
});

test('a container within another counts for both', () => {
  const inner = { pid: 7, cgroup: `/docker/${a}/docker/${b}`, rssKib: 4 };
  expect([heldBy(a, inner), heldBy(b, inner)]).toEqual([4096, 4096]);
});

test('one whose processes are not seen here is not known', () => {
  expect(heldBy(a, { pid: 7, cgroup: '/user.slice', rssKib: 4 })).toBeNull();
});
