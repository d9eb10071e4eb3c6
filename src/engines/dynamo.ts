import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** NVIDIA Dynamo: a front for clients, and workers that are engines of others, each a process of its own, often elsewhere. */
export const dynamo = {
  kind: 'dynamo',
  title: 'NVIDIA Dynamo',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions', '/v1/embeddings'],
  options: null,
  recognize,
} as const satisfies Engine<'dynamo'>;

const workers = /^dynamo\.(vllm|sglang|trtllm|llama_?cpp|mocker)(\.main|\.worker)?$/;

function recognize(facts: ProcessFacts): Recognized | null {
  const shared = {
    engine: 'dynamo',
    key: [],
    options: { tensorParallel: ['--tensor-parallel-size', '--tp'] },
  };
  return (
    recognizeForeign(facts, {
      ...shared,
      argsOf: ({ program, args }) => {
        if (/^dynamo\.frontend(\.main)?$/.test(program)) return args;
        return program === 'dynamo-run' && args.some((word) => word === 'in=http') ? args : null;
      },
      model: ['--model-path', '--model-name'],
      host: ['--http-host'],
      port: ['--http-port'],
      usualPort: 8000,
      env: { model: '', host: 'DYN_HTTP_HOST', port: 'DYN_HTTP_PORT' },
    }) ??
    recognizeForeign(facts, {
      ...shared,
      argsOf: ({ program, args }) => (workers.test(program) ? args : null),
      model: ['--model', '--model-path'],
      host: [],
      port: [],
      child: true,
    })
  );
}
