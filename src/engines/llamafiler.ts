import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** The server of llamafile that has flags of its own; the one of llama.cpp within a llamafile is told as llama.cpp. */
export const llamafiler = {
  kind: 'llamafiler',
  title: 'llamafiler',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions', '/v1/embeddings'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'llamafiler',
      argsOf,
      model: ['--model', '-m'],
      host: [],
      port: [],
      listen: ['--listen', '-l'],
      key: [],
      options: {
        context: ['--ctx-size', '-c'],
        slots: ['--slots', '-s'],
        gpuLayers: ['-ngl', '--gpu-layers'],
      },
    }),
} as const satisfies Engine<'llamafiler'>;

function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  return /^llamafiler(-v?\d[\d.]*)?$/.test(program) ? args : null;
}
