import { hasFlag } from '../domain/command-line/flags.ts';
import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine } from './contract.ts';

/** text-generation-webui: its program is called server.py, so that its folder, or flags that no other server has, must tell. */
export const textGenerationWebui = {
  kind: 'text-generation-webui',
  title: 'text-generation-webui',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions', '/v1/embeddings'],
  options: null,
  recognize,
} as const satisfies Engine<'text-generation-webui'>;

const ownFlags = ['--api-port', '--listen-port', '--loader', '--extensions', '--public-api', '--model-menu'];

function recognize(facts: ProcessFacts): Recognized | null {
  return recognizeForeign(facts, {
    engine: 'text-generation-webui',
    argsOf: ({ program, path, args }) => {
      if (!/^(server|one_click)\.py$/.test(program)) return null;
      const folder = `${path.startsWith('/') ? path : `${facts.cwd ?? ''}/${path}`} ${facts.argv[0] ?? ''}`;
      const own = /(text-generation-webui|oobabooga|textgen)[^/]*\//i.test(folder);
      return own || (hasFlag(args, '--api') && hasFlag(args, ...ownFlags)) ? args : null;
    },
    model: ['--model'],
    host: ['--listen-host'],
    port: ['--api-port'],
    usualPort: 5000,
    key: ['--api-key'],
    options: { context: ['--ctx-size', '--n_ctx'], gpuLayers: ['--gpu-layers', '--n-gpu-layers'] },
  });
}
