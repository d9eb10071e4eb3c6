import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockFileName, sharedFolder } from '../lock.ts';
import { farLocks } from './locks.ts';
import { framed, readFrame } from './script.ts';

/** A machine whose folders for locks are these, as a shell there answers. */
function locksIn(folders: readonly [string, string], env = process.env): ReturnType<typeof farLocks> {
  function none(): never {
    throw new Error('this test takes no lock');
  }
  return farLocks(
    {
      where: 'ssh://box',
      hold: none,
      talk: none,
      run: (script) => {
        const ran = spawnSync('/bin/sh', ['-c', framed(script, 'n1')], { env });
        return Promise.resolve(readFrame(ran.stdout, ran.stderr.toString(), 'n1'));
      },
    },
    folders,
  );
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-locks-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Holds the lock of a file until the test ends, and leaves no name. */
async function hold(path: string): Promise<number> {
  const child = spawn('flock', ['-F', path, 'sh', '-c', 'echo; read -r _'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child.pid ?? 0;
}

test.each([
  ['where each may make files and take none of others away', 0o1777, true],
  ['of a group whose files stay its own', 0o3777, true],
  ['where each may take away what others made', 0o777, false],
  ['where few may make files', 0o1775, false],
])('a folder %s is judged by ssh as by who works there', async (_, mode, isTaken) => {
  const folder = makeFolder();
  const [real, linked, last] = [join(folder, 'real'), join(folder, "lo'cks"), join(folder, 'last')];
  for (const one of [real, last]) mkdirSync(one);
  chmodSync(real, mode);
  symlinkSync(real, linked);
  const name = randomBytes(8).toString('hex');
  const pid = await hold(join(real, lockFileName(name)));
  const user = userInfo().username;
  for (const first of [real, linked]) {
    expect(await sharedFolder([first, last])).toBe(isTaken ? first : last);
    expect(await locksIn([first, last]).holder(name)).toEqual(
      isTaken ? { text: `process ${pid} (sh) of user ${user}, which left no name`, lives: false } : null,
    );
  }
});

test('whoever left a name is told by it', async () => {
  const folder = makeFolder();
  chmodSync(folder, 0o1777);
  const name = randomBytes(8).toString('hex');
  const path = join(folder, lockFileName(name));
  await hold(path);
  writeFileSync(`${path}.1000`, 'berth apply of fleet lab');
  expect(await locksIn([folder, '/nowhere']).holder(name)).toEqual({
    text: 'berth apply of fleet lab',
    lives: true,
  });
});

/** Another process that holds the lock as a berth does that works there. */
async function workThere(name: string): Promise<number> {
  const code = `import { tryLock } from ${JSON.stringify(join(import.meta.dirname, '../lock.ts'))};
await tryLock(${JSON.stringify(name)}, 'berth apply of fleet lab (process 7)');
setInterval(() => {}, 1000);
console.log('held');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child.pid ?? 0;
}

/** Where a program lies itself, which for python3 may be behind a script that chooses one. */
function programAt(name: string): string {
  const [program, ...words] =
    name === 'python3'
      ? ['python3', '-c', 'import sys; print(sys.executable)']
      : ['sh', '-c', `command -v ${name}`];
  return execFileSync(program ?? '', words, { encoding: 'utf8' }).trim();
}

/** What a machine must have, and of what may ask a socket this alone. */
function pathWith(asker: string | null): string {
  const folder = makeFolder();
  const always = ['cat', 'find', 'flock', 'grep', 'head', 'ls', 'readlink', 'stat', 'tr'];
  for (const program of asker === null ? always : [...always, asker])
    symlinkSync(programAt(program), join(folder, program));
  return folder;
}

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

test.each(['curl', 'perl', 'python3'].filter(isThere))(
  'a berth that works there is asked by %s: it says who it is, or stands still',
  async (asker) => {
    const name = randomBytes(8).toString('hex');
    const locks = locksIn([makeFolder(), '/nowhere'], { PATH: pathWith(asker) });
    expect(await locks.holder(name)).toBeNull();
    const pid = await workThere(name);
    expect(await locks.holder(name)).toEqual({ text: 'berth apply of fleet lab (process 7)', lives: true });
    process.kill(pid, 'SIGSTOP');
    expect(await locks.holder(name)).toEqual({
      text: expect.stringMatching(
        new RegExp(`^process ${pid} \\(.+\\) of user ${userInfo().username}, which does not answer$`),
      ) as string,
      lives: false,
    });
  },
);

test('where nothing there can ask it, one that was stopped is told by its state', async () => {
  const name = randomBytes(8).toString('hex');
  const locks = locksIn([makeFolder(), '/nowhere'], { PATH: pathWith(null) });
  const pid = await workThere(name);
  expect(await locks.holder(name)).toEqual({ text: 'a berth that runs there', lives: true });
  process.kill(pid, 'SIGSTOP');
  expect(await locks.holder(name)).toEqual({
    text: expect.stringContaining(`process ${pid} (`) as string,
    lives: false,
  });
});
