import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** NVIDIA's NIM: a launcher that picks an engine (vLLM, TensorRT-LLM, SGLang) and starts it. */
export const nim = {
  kind: 'nim',
  title: 'NVIDIA NIM',
  paths: ['/v1/models', '/v1/completions', '/v1/chat/completions'],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'nim',
      argsOf,
      model: ['--model', '--served-model-name'],
      host: ['--host'],
      port: ['--port'],
      usualPort: 8000,
      key: ['--api-key'],
      env: { model: 'NIM_MODEL_NAME', host: 'NIM_SERVER_HOST', port: 'NIM_SERVER_PORT' },
      options: {},
    }),
} as const satisfies Engine<'nim'>;

function argsOf({ program, path, args }: Unwrapped): readonly string[] | null {
  const launches =
    /(^|\/)nim\/start[-_]server\.sh$/.test(path) ||
    /(^|\/)nim_llm(_sdk)?[./]entrypoints?[./](launch|openai[./]api_server)(\.py)?$/.test(path) ||
    /^(nim-llm-launch|nim-serve)$/.test(program);
  return launches ? args : null;
}
