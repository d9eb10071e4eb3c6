import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** Infinity: embeddings, and ranks of texts. */
export const infinity = {
  kind: 'infinity',
  title: 'Infinity',
  paths: ['/v1/models', '/v1/embeddings', '/rerank'],
  options: null,
  recognize,
} as const satisfies Engine<'infinity'>;

function recognize(facts: ProcessFacts): Recognized | null {
  const found = recognizeForeign(facts, {
    engine: 'infinity',
    argsOf: (command) => firstModelLast(argsOf(command)),
    model: ['--model-id'],
    host: ['--host'],
    port: ['--port'],
    key: ['--api-key'],
    env: {
      model: 'INFINITY_MODEL_ID',
      host: 'INFINITY_HOST',
      port: 'INFINITY_PORT',
      key: 'INFINITY_API_KEY',
    },
    options: {},
  });
  // A variable lists several, each with ";" behind it.
  return found && { ...found, model: found.model?.split(';')[0] ?? null };
}

/** Each "--model-id" is one more model that it serves: the first stands for it. */
function firstModelLast(args: readonly string[] | null): readonly string[] | null {
  const [first] =
    args?.flatMap((word, at) => {
      if (word === '--model-id') return [args.slice(at, at + 2)];
      return word.startsWith('--model-id=') ? [[word]] : [];
    }) ?? [];
  return args && [...args, ...(first ?? [])];
}

function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  return program === 'infinity_emb' && /^v[12]$/.test(args[0] ?? '') ? args.slice(1) : null;
}
