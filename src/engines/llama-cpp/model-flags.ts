import type { FlagStyle } from '../../domain/command-line/flag-rows.ts';

/** It takes "--ctx_size", and forks of it "--port=8080", too. */
export const spelled: FlagStyle = { joined: true, underscores: true };

/** Flags that name the model, as a file or from elsewhere. */
export const modelFlags = [
  '-m',
  '--model',
  '-hf',
  '-hfr',
  '--hf-repo',
  '-mu',
  '--model-url',
  '-dr',
  '--docker-repo',
];

/** Those that name a model that is no file. */
export const modelVariables = ['LLAMA_ARG_HF_REPO', 'LLAMA_ARG_MODEL_URL', 'LLAMA_ARG_DOCKER_REPO'];
