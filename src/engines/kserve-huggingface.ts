import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Engine } from './contract.ts';

/** KServe's runtime for models of Hugging Face; vLLM within it, where that knows the model. */
export const kserveHuggingface = {
  kind: 'kserve-huggingface',
  title: "KServe's Hugging Face server",
  // Below /openai, beside KServe's own protocol: none where clients look.
  paths: [],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'kserve-huggingface',
      argsOf: ({ program, args }) => (program === 'huggingfaceserver' ? args : null),
      model: ['--model_id', '--model_dir', '--model-id', '--model-dir', '--model_name'],
      host: [],
      port: ['--http_port', '--http-port'],
      usualPort: 8080,
      key: [],
      env: { model: 'MODEL_ID', host: '', port: '' },
      options: {
        context: ['--max_model_len', '--max-model-len'],
        tensorParallel: ['--tensor-parallel-size'],
      },
    }),
} as const satisfies Engine<'kserve-huggingface'>;
