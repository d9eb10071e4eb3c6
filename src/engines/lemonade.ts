import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** Lemonade: one front that starts a llama-server, or an engine for an NPU, per model. Its API lies below /api. */
export const lemonade = {
  kind: 'lemonade',
  title: 'Lemonade',
  paths: [],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'lemonade',
      argsOf,
      model: [],
      modelFirst: true,
      host: ['--host'],
      port: ['--port'],
      key: [],
      env: { model: '', host: 'LEMONADE_HOST', port: 'LEMONADE_PORT' },
      options: { context: ['--ctx-size'] },
    }),
} as const satisfies Engine<'lemonade'>;

/** `run` starts the server where none runs, and stays. */
function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  if (/^(lemond|lemonade-router)$/.test(program)) return args;
  const own = /^lemonade(-server)?(-dev)?$/.test(program);
  return own && /^(serve|run)$/.test(args[0] ?? '') ? args.slice(1) : null;
}
