import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** NVIDIA's Triton. What it answers depends on its models; by its own frontend it speaks the OpenAI API, too. */
export const triton = {
  kind: 'triton',
  title: 'Triton Inference Server',
  paths: [],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'triton',
      argsOf,
      model: ['--model-repository', '--model-store', '--model_repo'],
      host: ['--http-address', '--host'],
      port: ['--http-port', '--openai-port'],
      usualPort: 8000,
      key: [],
      options: {},
    }),
} as const satisfies Engine<'triton'>;

function argsOf({ program, path, args }: Unwrapped): readonly string[] | null {
  // The script of TensorRT-LLM's backend that starts it.
  if (program === 'launch_triton_server.py') return args;
  return program === 'tritonserver' || /(^|\/)openai_frontend\/main\.py$/.test(path) ? args : null;
}
