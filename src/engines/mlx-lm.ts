import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** The servers of mlx-lm and mlx-vlm. */
export const mlxLm = {
  kind: 'mlx-lm',
  title: 'mlx-lm',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'mlx-lm',
      argsOf,
      model: ['--model'],
      host: ['--host'],
      port: ['--port'],
      key: [],
      options: {},
    }),
} as const satisfies Engine<'mlx-lm'>;

function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  if (/^mlx_v?lm\.server$/.test(program)) return args;
  return /^mlx_v?lm$/.test(program) && args[0] === 'server' ? args.slice(1) : null;
}
