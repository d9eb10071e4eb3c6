import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** Aphrodite Engine, a fork of vLLM. */
export const aphrodite = {
  kind: 'aphrodite',
  title: 'Aphrodite',
  paths: [
    '/v1/models',
    '/v1/completions',
    '/v1/chat/completions',
    '/v1/embeddings',
    '/tokenize',
    '/detokenize',
  ],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'aphrodite',
      argsOf,
      model: ['--model'],
      modelFirst: true,
      host: ['--host'],
      port: ['--port'],
      key: ['--api-keys', '--api-key'],
      options: {
        context: ['--max-model-len'],
        tensorParallel: ['--tensor-parallel-size', '-tp'],
        maxSeqs: ['--max-num-seqs'],
      },
    }),
} as const satisfies Engine<'aphrodite'>;

function argsOf({ program, path, args }: Unwrapped): readonly string[] | null {
  if (/(^|\/)aphrodite[./]endpoints[./]openai[./]api_server(\.py)?$/.test(path)) return args;
  return program === 'aphrodite' && /^(run|serve)$/.test(args[0] ?? '') ? args.slice(1) : null;
}
