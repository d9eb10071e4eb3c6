import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** Text Embeddings Inference: embeddings, and ranks of texts. */
export const textEmbeddingsInference = {
  kind: 'text-embeddings-inference',
  title: 'Text Embeddings Inference',
  paths: ['/v1/embeddings', '/rerank', '/tokenize'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'text-embeddings-inference',
      argsOf,
      model: ['--model-id'],
      host: ['--hostname'],
      port: ['--port', '-p'],
      key: ['--api-key'],
      env: { model: 'MODEL_ID', host: 'HOSTNAME', port: 'PORT', key: 'API_KEY' },
      options: {},
    }),
} as const satisfies Engine<'text-embeddings-inference'>;

function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  return program === 'text-embeddings-router' ? args : null;
}
