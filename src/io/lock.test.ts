import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localLocks, lockFileName, lockHolder, socketName, tryLock } from './lock.ts';
import { unnamedHolder } from './unnamed-holder.ts';

test('a lock is given to one at a time, and the second is told who holds it', async () => {
  const name = randomBytes(8).toString('hex');
  const first = await tryLock(name, 'the first');
  expect(first).not.toBeNull();
  expect(await tryLock(name, 'the second')).toBeNull();
  expect(await lockHolder(name)).toBe('the first');
  first?.release();
  expect(await lockHolder(name)).toBeNull();
  const second = await tryLock(name, 'the second');
  expect(second).not.toBeNull();
  second?.release();
});

test('whoever holds a lock and talks without end is heard for a moment, and moves no cursor', async () => {
  const name = randomBytes(8).toString('hex');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('\u001b[2Jroot\nWaiting for nobody ');
    const timer = setInterval(() => socket.write('x'), 50);
    socket.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(socketName(name), resolve));
  onTestFinished(() => void server.close());
  expect(await lockHolder(name)).toMatch(/^ \[2Jroot Waiting for nobody x+$/);
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Somebody who has the lock of a file until the test ends. */
async function hold(path: string, ...how: readonly [string, ...string[]]): Promise<number> {
  const [program, ...words] = how;
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  expect(
    execFileSync('sh', ['-c', 'exec 9<"$1"; flock -n 9 || echo held', 'sh', path], { encoding: 'utf8' }),
  ).toBe('held\n');
  return child.pid ?? 0;
}

test('whoever holds the lock of a file and left no name is told by his process and user', async () => {
  const [folder, name] = [makeFolder(), randomBytes(8).toString('hex')];
  const locks = localLocks(folder);
  const path = join(folder, lockFileName(name));
  writeFileSync(path, '');
  expect(await locks.holder(name)).toBeNull();
  // The program that took it has ended: /proc/locks still names that one, if anybody.
  const pid = await hold(path, 'bash', '-c', 'exec 9<"$0"; flock 9; echo; read -r _', path);
  expect(await locks.take(name, 'me')).toBeNull();
  expect(await locks.holder(name)).toEqual({
    text: `process ${pid} (bash) of user ${userInfo().username}, which left no name`,
    lives: false,
  });
  writeFileSync(`${path}.1`, 'berth apply of fleet lab');
  expect(await locks.holder(name)).toEqual({ text: 'berth apply of fleet lab', lives: true });
});

test('where a process hides its files the list of locks is believed, and where nothing shows the owner of the file is told', async () => {
  const folder = makeFolder();
  const path = join(folder, 'a.lock');
  writeFileSync(path, '');
  const pid = await hold(path, 'flock', '-F', path, 'sh', '-c', 'echo; read -r _');
  const proc = join(folder, 'proc');
  function told(): string {
    return execFileSync('sh', ['-c', `file=$1\n${unnamedHolder(proc)}`, 'sh', path], { encoding: 'utf8' });
  }
  mkdirSync(join(proc, String(pid)), { recursive: true });
  writeFileSync(join(proc, String(pid), 'comm'), 'flock\n');
  const user = userInfo().username;
  expect(told()).toBe(`somebody who left no name, by the file ${path} of user ${user}`);
  writeFileSync(join(proc, 'locks'), execFileSync('cat', ['/proc/locks']));
  expect(told()).toBe(`process ${pid} (flock) of user ${user}, which left no name`);
  // A process that shows its files, and this one not among them, has only got the number of one who has ended.
  mkdirSync(join(proc, String(pid), 'fd'));
  expect(told()).toBe(`somebody who left no name, by the file ${path} of user ${user}`);
});
