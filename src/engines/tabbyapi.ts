import { hasFlag } from '../domain/command-line/flags.ts';
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

const ownFlags = ['max-seq-len', 'cache-mode', 'cache-size', 'disable-auth', 'gpu-split', 'draft-model-name'];

/** It takes each with dashes and with underscores. */
function spellings(names: readonly string[]): string[] {
  return names.flatMap((name) => [`--${name}`, `--${name.replaceAll('-', '_')}`]);
}

function recognize(facts: ProcessFacts): Recognized | null {
  return recognizeForeign(facts, {
    engine: 'tabbyapi',
    argsOf: ({ program, path, args }) => {
      // Its environment of Python lies in its folder as a rule.
      const folder = `${path.startsWith('/') ? path : `${facts.cwd ?? ''}/${path}`} ${facts.argv[0] ?? ''}`;
      if (!/^(main|start)\.py$/.test(program)) return null;
      const folderTells = /tabby-?api\//i.test(folder);
      const flagsTell = hasFlag(args, ...spellings(ownFlags)) && hasFlag(args, '--host', '--port');
      return folderTells || flagsTell ? args : null;
    },
    model: ['--model-name'],
    host: ['--host'],
    port: ['--port'],
    key: [],
    options: { context: ['--max-seq-len'] },
  });
}
