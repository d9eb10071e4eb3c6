import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** TabbyAPI, the server of ExLlama: its program is called main.py, so that its folder has to tell. */
export const tabbyapi = {
  kind: 'tabbyapi',
  title: 'TabbyAPI',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions', '/v1/embeddings'],
  options: null,
  recognize,
} as const satisfies Engine<'tabbyapi'>;

function recognize(facts: ProcessFacts): Recognized | null {
  return recognizeForeign(facts, {
    engine: 'tabbyapi',
    argsOf: ({ program, path, args }) => {
      // Its environment of Python lies in its folder as a rule.
      const folder = `${path.startsWith('/') ? path : `${facts.cwd ?? ''}/${path}`} ${facts.argv[0] ?? ''}`;
      return /^(main|start)\.py$/.test(program) && /tabby-?api\//i.test(folder) ? args : null;
    },
    model: ['--model-name'],
    host: ['--host'],
    port: ['--port'],
    key: [],
    options: { context: ['--max-seq-len'] },
  });
}
