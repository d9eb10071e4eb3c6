import { expect, test } from 'vitest';
import { unwrap } from './unwrap.ts';

const server = ['llama-server', '-m', 'x.gguf'];

const execing: readonly (readonly [string, readonly string[]])[] = [
  ['nothing', server],
  ['a path', ['/opt/llama.cpp/build/bin/llama-server', '-m', 'x.gguf']],
  ['env with a variable', ['env', 'CUDA_VISIBLE_DEVICES=0', ...server]],
  ['env -i', ['/usr/bin/env', '-i', '-u', 'HOME', 'A=b', ...server]],
  ['env -S', ['env', '-S', 'A=b llama-server', '-m', 'x.gguf']],
  ['env -iS', ['env', '-iS', 'A=b llama-server -m x.gguf']],
  ['nix run', ['nix', 'run', '--impure', 'nixpkgs#llama-server', '--', '-m', 'x.gguf']],
  ['nice', ['nice', '-n', '10', ...server]],
  ['nice in one word', ['nice', '-10', ...server]],
  ['ionice', ['ionice', '-c2', '-n', '4', ...server]],
  ['numactl with equals signs', ['numactl', '--cpunodebind=0', '--membind=0', ...server]],
  ['numactl with words', ['numactl', '-N', '0', '-m', '0', '--', ...server]],
  ['taskset with a mask', ['taskset', '0xff', ...server]],
  ['taskset with a list', ['taskset', '-c', '0-7', ...server]],
  ['stdbuf', ['stdbuf', '-oL', '-e', 'L', ...server]],
  ['nohup', ['nohup', ...server]],
  ['chrt', ['chrt', '--batch', '0', ...server]],
  [
    'the loader',
    ['/lib64/ld-linux-x86-64.so.2', '--library-path', '/a:/b', '/x/llama-server', '-m', 'x.gguf'],
  ],
  ['the loader of arm', ['/x/ld-linux-aarch64.so.1', '--argv0', 'srv', '/x/llama-server', '-m', 'x.gguf']],
  ['several', ['env', 'A=b', 'nice', 'numactl', '-l', 'taskset', '-c', '1', 'stdbuf', '-o0', ...server]],
];

test.each(execing)('%s in front of a program is taken off', (_, argv) => {
  const [found, ...more] = unwrap(argv);
  expect(more).toEqual([]);
  expect(found).toMatchObject({ program: 'llama-server', args: ['-m', 'x.gguf'], waits: false });
});

const waiting: readonly (readonly [string, readonly string[]])[] = [
  ['sg', ['sg', 'video', '-c', 'llama-server -m x.gguf']],
  ['a group whose last command it is', ['sh', '-c', '(cd /srv && llama-server -m x.gguf) | tee log']],
  ['sh -c', ['sh', '-c', 'llama-server -m x.gguf']],
  ['bash -lc with exec', ['bash', '-lc', 'exec llama-server -m x.gguf']],
  ['a login shell', ['-bash', '-c', 'llama-server -m "x.gguf"']],
  ['a shell with a folder change first', ['/bin/sh', '-c', 'cd /opt && exec ./llama-server -m x.gguf']],
  ['a shell with variables first', ['sh', '-c', 'A=b B="c d" exec llama-server -m x.gguf']],
  ['a shell with redirections', ['sh', '-c', 'llama-server -m x.gguf >/tmp/log 2>&1 < /dev/null']],
  ['a shell that forwards its words', ['sh', '-c', 'exec "$@"', 'sh', ...server]],
  ['a shell with line breaks', ['bash', '-c', 'set -e\nllama-server \\\n  -m x.gguf\n']],
  ['timeout', ['timeout', '-k', '5', '3600', ...server]],
  ['setsid, which forks where it must', ['setsid', '--fork', ...server]],
  ['sudo', ['sudo', '-u', 'llm', ...server]],
  ['tini', ['/sbin/tini', '--', ...server]],
  ['uv run', ['uv', 'run', '--python', '3.12', ...server]],
  ['a wrapper around a shell', ['timeout', '9', 'nice', 'sh', '-c', 'env A=b llama-server -m x.gguf']],
];

test.each(waiting)('%s is taken off, and said to wait for a child', (_, argv) => {
  const found = unwrap(argv).find((one) => one.program === 'llama-server');
  expect(found).toMatchObject({ args: ['-m', 'x.gguf'], waits: true });
});

test('a pipeline and a background job give each of their commands', () => {
  const programs = unwrap(['sh', '-c', 'llama-server -m x | tee log & sleep 3; true || false']).map(
    (one) => one.program,
  );
  expect(programs).toEqual(['llama-server', 'tee', 'sleep', 'true', 'false']);
});

test('a module or a script run by an interpreter is the program', () => {
  expect(unwrap(['python3', '-u', '-m', 'vllm.entrypoints.openai.api_server', '--port', '1'])).toMatchObject([
    { program: 'vllm.entrypoints.openai.api_server', args: ['--port', '1'] },
  ]);
  expect(unwrap(['/srv/venv/bin/python3.12', '/srv/venv/bin/vllm', 'serve', 'm'])).toMatchObject([
    { program: 'vllm', path: '/srv/venv/bin/vllm', args: ['serve', 'm'] },
  ]);
  expect(unwrap(['uv', 'run', 'python', '-m', 'sglang.launch_server'])).toMatchObject([
    { program: 'sglang.launch_server', waits: true },
  ]);
});

test('code given to an interpreter is not taken for a program', () => {
  expect(unwrap(['python3', '-c', 'import vllm'])).toMatchObject([{ program: 'python3' }]);
});

test('variables of the command line are gathered over all wrappers', () => {
  const [found] = unwrap(['env', 'A=1', 'sh', '-c', 'B=2 env C=3 llama-server']);
  expect(found?.env).toEqual({ A: '1', B: '2', C: '3' });
});

test('nothing, blanks and endless nesting end in nothing', () => {
  expect(unwrap([])).toEqual([]);
  expect(unwrap([''])).toEqual([]);
  expect(unwrap(['env'])).toEqual([]);
  expect(unwrap(Array.from({ length: 50 }, () => 'nice'))).toEqual([]);
});

test.each(['valueOf', 'toString', 'constructor', '__proto__'])(
  'a process that is called %s is a process like any other',
  (name) => {
    expect(unwrap([name, '--port', '1']).map((one) => one.program)).toContain(name);
  },
);

test('a login shell is told once', () => {
  expect(unwrap(['-bash']).map(({ program }) => program)).toEqual(['bash']);
});

test('options of MPI with two words are taken off, and words of the same names behind the program stay', () => {
  const own = ['-env', 'A', 'B', '-mca', 'x', 'y'];
  for (const pairs of [[], ['--mca', 'btl', '^openib'], ['-genv', 'A', '1', '--']]) {
    const [found] = unwrap(['mpirun', '-np', '1', ...pairs, ...server, ...own]);
    expect(found).toMatchObject({ program: 'llama-server', args: ['-m', 'x.gguf', ...own] });
  }
});
