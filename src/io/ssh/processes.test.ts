import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { readProcess, readProcessTable } from '../procfs.ts';
import { readListeners } from '../procfs/listeners.ts';
import type { ProcSnapshot } from '../procfs/read.ts';
import { processesScript, readProcesses } from './processes.ts';

function ask(only?: readonly number[]): ProcSnapshot {
  const script = processesScript('nonce1', only);
  const text = execFileSync('sh', ['-c', script], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return readProcesses(text, 'nonce1');
}

test('what one question brings of all processes is what /proc says itself', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const own = readProcess('/proc', process.pid);
  const seen = ask();
  const table = readProcessTable(seen);
  const entry = table.processes.get(process.pid);
  expect({ ...entry, rssBytes: 0, rssFileBytes: 0 }).toEqual({ ...own, rssBytes: 0, rssFileBytes: 0 });
  const listener = readListeners(seen, table).find((one) => one.port === port);
  expect(listener).toMatchObject({ address: '127.0.0.1', pids: [process.pid] });
});

test('what a process writes of itself does not pass for that of another', async () => {
  const spoof = `x\nN=nonce1\0processes 1`;
  const child = spawn('sleep', ['60'], { env: { SPOOF: `${spoof.replaceAll('\0', '')}\n1/exe -> /evil` } });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.once('spawn', resolve));
  const seen = ask([child.pid as number]);
  expect(seen.names('')).toEqual([String(child.pid)]);
  expect(seen.link('1/exe')).toBeNull();
  expect(readProcess(seen, child.pid as number)?.argv).toEqual(['sleep', '60']);
});

test('a process that is gone is not there', () => {
  const gone = ask([4_194_303]);
  expect(readProcess(gone, 4_194_303)).toBeNull();
  expect(readProcessTable(gone).processes.size).toBe(0);
});
