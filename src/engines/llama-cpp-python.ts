import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Engine } from './contract.ts';

/** The server of llama-cpp-python. */
export const llamaCppPython = {
  kind: 'llama-cpp-python',
  title: 'llama-cpp-python',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions', '/v1/embeddings'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'llama-cpp-python',
      argsOf: ({ program, args }) => {
        const app = program === 'uvicorn' && args.some((word) => word.startsWith('llama_cpp.server.app:'));
        return app || program === 'llama_cpp.server' ? args : null;
      },
      model: ['--model', '--hf_model_repo_id'],
      host: ['--host'],
      port: ['--port'],
      key: ['--api_key'],
      env: { model: 'MODEL', host: 'HOST', port: 'PORT' },
      options: { context: ['--n_ctx'], gpuLayers: ['--n_gpu_layers'], threads: ['--n_threads'] },
    }),
} as const satisfies Engine<'llama-cpp-python'>;
