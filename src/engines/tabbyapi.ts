import { flagValue, hasFlag } from '../domain/command-line/flags.ts';
import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** TabbyAPI, the server of ExLlama: its program is called main.py, so that its folder, or flags that no other server has, must tell. */
export const tabbyapi = {
  kind: 'tabbyapi',
  title: 'TabbyAPI',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions', '/v1/embeddings'],
  options: null,
  recognize,
} as const satisfies Engine<'tabbyapi'>;

/** Flags that no program of another kind has. */
const ownFlags = [
  'gpu-split',
  'gpu-split-auto',
  'autosplit-reserve',
  'cache-mode',
  'disable-auth',
  'draft-model-name',
  'draft-model-dir',
];
/** Programs of other kinds have these, too, as those that train models. */
const commonFlags = [
  'max-seq-len',
  'cache-size',
  'model-dir',
  'model-name',
  'chunk-size',
  'prompt-template',
  'config',
];
const doorFlags = ['--host', '--port'];

/** It takes each with dashes and with underscores. */
function spellings(names: readonly string[]): string[] {
  return names.flatMap((name) => [`--${name}`, `--${name.replaceAll('-', '_')}`]);
}

function recognize(facts: ProcessFacts): Recognized | null {
  const found = recognizeForeign(facts, {
    engine: 'tabbyapi',
    argsOf: ({ program, path, args }) => {
      // Its environment of Python lies in its folder as a rule.
      const folder = `${path.startsWith('/') ? path : `${facts.cwd ?? ''}/${path}`} ${facts.argv[0] ?? ''}`;
      if (!/^(main|start)\.py$/.test(program)) return null;
      const folderTells = /tabby-?api\//i.test(folder);
      const isDoor = hasFlag(args, ...doorFlags);
      const own = ownFlags.filter((name) => hasFlag(args, ...spellings([name])));
      const common = hasFlag(args, ...spellings(commonFlags));
      const flagsTell =
        own.length > 1 ||
        (own.length > 0 && (common || isDoor)) ||
        (isDoor && hasFlag(args, ...spellings(['max-seq-len', 'cache-size'])));
      return folderTells || flagsTell ? args : null;
    },
    model: ['--model-name'],
    host: ['--host'],
    port: ['--port'],
    key: [],
    options: { context: ['--max-seq-len'] },
  });
  if (!found) return null;
  // It makes keys for itself unless it is told not to, be it by its file.
  const { keyed: _, ...server } = found;
  const open = ['--disable-auth', '--disable_auth'].some((flag) =>
    /^(true|1)$/i.test(flagValue(facts.argv, flag) ?? ''),
  );
  return open ? { ...server, keyed: false } : server;
}
