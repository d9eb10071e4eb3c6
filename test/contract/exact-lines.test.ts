import { expect, test } from 'vitest';
import { recognize } from '../../src/engines/registry.ts';
import { exactHandedLines } from './exact-lines-handed.ts';
import { exactLlamaLines } from './exact-lines-llama.ts';
import { exactOtherLines } from './exact-lines-others.ts';
import { exactShellLines } from './exact-lines-shells.ts';
import { exactUsualLines } from './exact-lines-usual.ts';
import { exactVllmLines } from './exact-lines-vllm.ts';
import { wordsOf } from './words-of.ts';

const lines = [
  ...exactVllmLines,
  ...exactLlamaLines,
  ...exactOtherLines,
  ...exactUsualLines,
  ...exactShellLines,
  ...exactHandedLines,
].map(([line, is, options = {}, env = {}]) => ({ line, is, options, env }));

test.each(lines)('$line: $is', ({ line, is, options, env }) => {
  const found = recognize({ pid: 100, ppid: 1, argv: wordsOf(line), exe: null, env, cwd: '/' });
  const { engine, model, host, port, keyed } = found ?? {};
  const read =
    found && [engine, model ?? '-', host ?? '-', port ?? '-', ...(keyed ? ['keyed'] : [])].join(' ');
  expect(read).toBe(is);
  expect(found?.options ?? {}).toEqual(options);
});
