import { hasFlag } from '../domain/command-line/flags.ts';
import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** The server of mistral.rs; its options come before the kind of model, those of the model behind it. */
export const mistralRs = {
  kind: 'mistral.rs',
  title: 'mistral.rs',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'mistral.rs',
      argsOf,
      model: ['-m', '--model-id', '-f', '--quantized-filename'],
      host: ['--serve-ip', '--host'],
      port: ['--port', '-p'],
      key: [],
      options: { slots: ['--max-seqs'] },
    }),
} as const satisfies Engine<'mistral.rs'>;

function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  // With the first of them it talks in the terminal.
  if (program === 'mistralrs-server') return hasFlag(args, '-i', '--interactive-mode') ? null : args;
  return program === 'mistralrs' && args[0] === 'serve' ? args.slice(1) : null;
}
