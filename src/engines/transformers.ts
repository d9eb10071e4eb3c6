import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** The server of Hugging Face Transformers: it loads what it is asked for. */
export const transformers = {
  kind: 'transformers',
  title: 'Transformers',
  paths: ['/v1/models', '/v1/chat/completions', '/v1/responses'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'transformers',
      argsOf,
      model: ['--force-model', '--force_model'],
      modelFirst: true,
      host: ['--host'],
      port: ['--port'],
      key: [],
      options: {},
    }),
} as const satisfies Engine<'transformers'>;

function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  return /^transformers(-cli)?$/.test(program) && args[0] === 'serve' ? args.slice(1) : null;
}
