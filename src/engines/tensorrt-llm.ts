import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** The server of TensorRT-LLM. */
export const tensorrtLlm = {
  kind: 'tensorrt-llm',
  title: 'TensorRT-LLM',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'tensorrt-llm',
      argsOf,
      model: ['--model'],
      modelFirst: true,
      host: ['--host'],
      port: ['--port'],
      key: [],
      options: { context: ['--max_seq_len'], tensorParallel: ['--tp_size', '--tp'] },
    }),
} as const satisfies Engine<'tensorrt-llm'>;

/** Its other commands are servers, too: one without a model of its own in front of others, and one of embeddings. */
function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  if (program !== 'trtllm-serve' && program !== 'tensorrt_llm.commands.serve') return null;
  if (args[0]?.endsWith('worker')) return null;
  return /^(serve|disaggregated|\w+_serve)$/.test(args[0] ?? '') ? args.slice(1) : args;
}
