import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** The server of llama-cpp-python, by itself or as an app of what runs apps of Python. */
export const llamaCppPython = {
  kind: 'llama-cpp-python',
  title: 'llama-cpp-python',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions', '/v1/embeddings'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'llama-cpp-python',
      argsOf,
      model: ['--model', '--hf_model_repo_id'],
      host: ['--host'],
      port: ['--port'],
      // Of gunicorn and hypercorn.
      listen: ['--bind', '-b'],
      key: ['--api_key'],
      env: { model: 'MODEL', host: 'HOST', port: 'PORT' },
      options: { context: ['--n_ctx'], gpuLayers: ['--n_gpu_layers'], threads: ['--n_threads'] },
    }),
} as const satisfies Engine<'llama-cpp-python'>;

function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  const isApp =
    /^(uvicorn|gunicorn|hypercorn)$/.test(program) &&
    args.some((word) => word.startsWith('llama_cpp.server.app:'));
  return isApp || program === 'llama_cpp.server' ? args : null;
}
