import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** Xinference: which models it serves stands in no command line. */
export const xinference = {
  kind: 'xinference',
  title: 'Xinference',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions', '/v1/embeddings'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'xinference',
      argsOf,
      model: [],
      host: ['--host', '-H'],
      port: ['--port', '-p'],
      key: [],
      options: {},
    }),
} as const satisfies Engine<'xinference'>;

/** Its supervisor is the door; workers compute for it. */
function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  return /^xinference(-|\.deploy\.)(local|supervisor)$/.test(program) ? args : null;
}
