import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** FastChat: one server speaks to clients, its workers have the models. */
export const fastchat = {
  kind: 'fastchat',
  title: 'FastChat',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions', '/v1/embeddings'],
  options: null,
  recognize,
} as const satisfies Engine<'fastchat'>;

const server = /(^|\/)fastchat[./]serve[./]openai_api_server(\.py)?$/;
const worker = /(^|\/)fastchat[./]serve[./](multi_)?(\w+_)?(model_)?worker(\.py)?$/;

function recognize(facts: ProcessFacts): Recognized | null {
  const shared = { engine: 'fastchat', host: ['--host'], port: ['--port'], options: {} };
  return (
    recognizeForeign(facts, {
      ...shared,
      argsOf: ({ path, args }) => (server.test(path) ? args : null),
      model: [],
      usualPort: 8000,
      key: ['--api-keys'],
    }) ??
    recognizeForeign(facts, {
      ...shared,
      argsOf: ({ path, args }) => (worker.test(path) ? args : null),
      model: ['--model-path', '--model'],
      key: [],
      child: true,
    })
  );
}
