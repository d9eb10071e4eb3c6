import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** Infinity: embeddings, and ranks of texts. */
export const infinity = {
  kind: 'infinity',
  title: 'Infinity',
  paths: ['/v1/models', '/v1/embeddings', '/rerank'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'infinity',
      argsOf,
      model: ['--model-id'],
      host: ['--host'],
      port: ['--port'],
      key: ['--api-key'],
      env: { model: 'INFINITY_MODEL_ID', host: 'INFINITY_HOST', port: 'INFINITY_PORT' },
      options: {},
    }),
} as const satisfies Engine<'infinity'>;

function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  return program === 'infinity_emb' && /^v[12]$/.test(args[0] ?? '') ? args.slice(1) : null;
}
