import { execFileSync, spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandFor, environment, framed, isWhole, quote, readFrame, workerScript } from './script.ts';

const awkward = `it's "$HOME" \`x\` \\ *\n; two`;

test('a word comes to the other side as it is, whatever is in it', () => {
  expect(execFileSync('sh', ['-c', `printf %s ${quote(awkward)}`], { encoding: 'utf8' })).toBe(awkward);
});

test('a script and its input come by standard input, and no byte of the one is taken for the other', () => {
  const script = `printf '<%s>' "$(cat)"; exit 3`;
  const ran = spawnSync('sh', ['-c', commandFor(script)], { input: `${script}in\nput`, encoding: 'utf8' });
  expect([ran.stdout, ran.status]).toEqual(['<in\nput>', 3]);
});

test('what a login says is told apart from what the script says, and its end from that of ssh', () => {
  const script = framed('echo out; echo err >&2; exit 255', 'n1');
  const whole = spawnSync('sh', ['-c', `echo welcome; echo motd >&2; ${script}`]);
  const frame = readFrame(whole.stdout, whole.stderr.toString(), 'n1');
  expect(frame && { ...frame, stdout: frame.stdout.toString() }).toEqual({
    code: 255,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  const cut = spawnSync('sh', ['-c', framed('kill -9 $$', 'n1')]);
  expect(readFrame(cut.stdout, cut.stderr.toString(), 'n1')).toBeNull();
});

test('the end of an output is seen however it is cut into pieces', () => {
  const parts = 'text\nn1\nmore\n\nn1\n'.split('').map((letter) => Buffer.from(letter));
  const stderr = 'n1\n\nn1 0\n';
  expect(isWhole(parts, stderr, 'n1')).toBe(true);
  expect(isWhole(parts.slice(0, -1), stderr, 'n1')).toBe(false);
  expect(isWhole(parts, 'n1\n', 'n1')).toBe(false);
});

test('one shell runs script after script, also after one that leaves its input unread', () => {
  function task(body: string, input: string): string {
    return `${Buffer.byteLength(body)} ${Buffer.byteLength(input)}\n${body}${input}`;
  }
  const long = 'x'.repeat(100_000);
  const input = task('echo one', '') + task('(exit 1)', long) + task('cat; echo', 'three') + task('cat', '');
  const ran = spawnSync('sh', ['-c', workerScript], { input, encoding: 'utf8' });
  expect(ran.stdout).toBe('one\nthree\n');
});

test('a program has exactly the environment that it is to have', () => {
  const before = { PATH: process.env['PATH'], OLD: 'x', 'NOT-A-NAME': 'y' };
  const script = environment({ PATH: process.env['PATH'] ?? '', NEW: awkward }, before);
  const ran = spawnSync('sh', ['-c', `${script}\nexec env -0`], { env: before, encoding: 'utf8' });
  const names = ran.stdout.split('\0').map((line) => line.split('=')[0]);
  expect(ran.stdout).toContain(`NEW=${awkward}\0`);
  expect(names).not.toContain('OLD');
});
