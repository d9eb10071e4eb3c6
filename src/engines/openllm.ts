import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** OpenLLM: it starts the server of a packed model, which is a process of its own. */
export const openllm = {
  kind: 'openllm',
  title: 'OpenLLM',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'openllm',
      argsOf,
      model: ['--model-id', '--model_id'],
      modelFirst: true,
      host: ['--host'],
      port: ['--port', '-p'],
      usualPort: 3000,
      key: [],
      options: {},
    }),
} as const satisfies Engine<'openllm'>;

/** `start` is what releases before 0.6 called it. */
function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  return program === 'openllm' && /^(serve|start)$/.test(args[0] ?? '') ? args.slice(1) : null;
}
