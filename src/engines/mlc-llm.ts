import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** The server of MLC LLM. */
export const mlcLlm = {
  kind: 'mlc-llm',
  title: 'MLC LLM',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'mlc-llm',
      argsOf,
      model: ['--model'],
      modelFirst: true,
      host: ['--host'],
      port: ['--port'],
      key: ['--api-key'],
      options: {},
    }),
} as const satisfies Engine<'mlc-llm'>;

function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  if (program === 'mlc_llm.serve.server') return args;
  return program === 'mlc_llm' && args[0] === 'serve' ? args.slice(1) : null;
}
