import { expect, test } from 'vitest';
import { tcpRow, writeProcTree } from '../../test/support/proc-tree.ts';
import { readListeners } from './procfs/listeners.ts';
import { readOwnNetns, readProcess, readProcessTable } from './procfs.ts';

test('a process is read with its words, variables, memory and start', () => {
  using tree = writeProcTree([
    {
      pid: 7,
      ppid: 3,
      argv: ['llama-server', '-m', 'my model.gguf', ''],
      env: { A: 'b=c', EMPTY: '' },
      uid: 998,
      cgroup: '/system.slice/llama.service',
      rssKib: 4096,
      rssFileKib: 1024,
      name: 'odd) (name',
    },
  ]);
  const entry = readProcess(tree.path, 7);
  expect(entry).toMatchObject({
    pid: 7,
    ppid: 3,
    argv: ['llama-server', '-m', 'my model.gguf'],
    env: { A: 'b=c', EMPTY: '' },
    uid: 998,
    startTicks: 700,
    startedAt: 1_700_000_007_000,
    rssBytes: 4096 * 1024,
    rssFileBytes: 1024 * 1024,
    netns: '4026531840',
  });
  expect(entry?.cgroup).toContain('llama.service');
  expect(readProcess(tree.path, 8)).toBeNull();
});

test('kernel threads and zombies are left out, and what rights hide is counted', () => {
  using tree = writeProcTree([
    { pid: 1, argv: ['init'] },
    { pid: 2, argv: [], kernelThread: true },
    { pid: 3, argv: [], state: 'Z' },
    { pid: 4, argv: null, env: null, netns: null },
    { pid: 5, argv: ['other'], env: null, netns: null },
  ]);
  const table = readProcessTable(tree.path);
  expect([...table.processes.keys()]).toEqual([1, 4, 5]);
  expect(table.hidden).toEqual({ commandLines: 1, details: 2, others: false });
  expect(table.processes.get(4)?.argv).toEqual([]);
  expect(table.processes.get(5)?.env).toBeNull();
  expect(table.bootId).toBe('11111111-2222-3333-4444-555555555555');
});

test('a system that hides the processes of others is known by how /proc is mounted', () => {
  const row = '22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw,hidepid=';
  for (const [mode, hides] of [
    ['2', true],
    ['invisible', true],
    ['0', false],
  ] as const) {
    using tree = writeProcTree([{ pid: 1 }], { '1/mountinfo': `${row}${mode}\n` });
    expect(readProcessTable(tree.path).hidden.others).toBe(hides);
  }
});

test('the same port in two network namespaces is two listeners, each with its holder', () => {
  using tree = writeProcTree([
    { pid: 1, netns: '1', tcp: [tcpRow('0100007F', 8081, 50), tcpRow('0100007F', 9999, 51, '01')] },
    { pid: 10, netns: '1', sockets: [49, 50] },
    { pid: 11, netns: '1', sockets: [50] },
    { pid: 20, netns: '2', sockets: [60], tcp: [tcpRow('0100007F', 8081, 60)] },
  ]);
  const listeners = readListeners(tree.path, readProcessTable(tree.path));
  expect(listeners).toEqual([
    { address: '127.0.0.1', port: 8081, uid: 1000, netns: '1', pids: [10, 11] },
    { address: '127.0.0.1', port: 8081, uid: 1000, netns: '2', pids: [20] },
  ]);
  expect(readOwnNetns(tree.path)).toBe('1');
});

test('addresses of both families are read, and a socket whose holder is hidden has none', () => {
  const v6 = {
    '::': '0'.repeat(32),
    '::1': '00000000000000000000000001000000',
    '127.0.0.1': '0000000000000000FFFF00000100007F',
  };
  using tree = writeProcTree([
    {
      pid: 1,
      netns: '1',
      tcp: [tcpRow('00000000', 80, 1), tcpRow('0501A8C0', 443, 2)],
      tcp6: [v6['::'], v6['::1'], v6['127.0.0.1']].map((hex, i) => tcpRow(hex, 1000 + i, 10 + i)),
    },
  ]);
  const listeners = readListeners(tree.path, readProcessTable(tree.path));
  expect(listeners.map(({ address, port }) => `${address} ${port}`)).toEqual([
    '0.0.0.0 80',
    '192.168.1.5 443',
    ':: 1000',
    '::1 1001',
    '127.0.0.1 1002',
  ]);
  expect(listeners.every((listener) => listener.pids.length === 0)).toBe(true);
});

test('the real table has this very process', () => {
  const entry = readProcessTable('/proc').processes.get(process.pid);
  expect(entry?.argv.length).toBeGreaterThan(0);
  expect(entry?.rssBytes).toBeGreaterThan(1_000_000);
  expect(Math.abs((entry?.startedAt ?? 0) - performance.timeOrigin)).toBeLessThan(60_000);
});
