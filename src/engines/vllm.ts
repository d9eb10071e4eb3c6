import { answerAt, modelOwner, ModelList, VersionAnswer } from '../domain/server-answers.ts';
import type { Answers, Identity } from '../domain/server-answers.ts';
import type { Engine } from './contract.ts';
import { launch } from './vllm/launch.ts';
import { VllmOptions } from './vllm/options.ts';
import { recognize } from './vllm/recognize.ts';
import { meantVariable } from './vllm/variables.ts';
import { successorOf } from './vllm/versions.ts';

/** vLLM's OpenAI server: `vllm serve MODEL`, or its module run by Python. */
export const vllm = {
  kind: 'vllm',
  title: 'vLLM',
  paths: [
    '/v1/models',
    '/v1/completions',
    '/v1/chat/completions',
    '/v1/embeddings',
    '/v1/responses',
    '/v1/messages',
    '/v1/messages/count_tokens',
    '/v1/rerank',
    '/rerank',
    '/v2/rerank',
    '/v1/score',
    '/score',
    '/classify',
    '/pooling',
    '/tokenize',
    '/detokenize',
    '/v1/audio/transcriptions',
    '/v1/audio/translations',
  ],
  asItIs: {
    computing: [
      '/v1/classify',
      '/v1/pooling',
      '/v1/chat/completions/render',
      '/v1/completions/render',
      '/v2/embed',
      '/invocations',
    ],
    // An adapter (LoRA) is a part of it.
    oneModel: true,
  },
  options: VllmOptions,
  needsModel: true,
  launch,
  recognize,
  help: (options) => [options.binary, 'serve', '--help=all'],
  identify: {
    paths: ['/version'],
    read: identify,
    readBehindKey: versionAlone,
    counters: { path: '/metrics', tokens: ['vllm:prompt_tokens_total', 'vllm:generation_tokens_total'] },
  },
  gpuDivision: {
    options: ['tensorParallel', 'pipelineParallel', 'dataParallel'],
    beyond: {
      executor: /^(ray|external_launcher)$/,
      args: /^--(nnodes|node-rank|headless|data-parallel-(address|backend|rank|size-local|start-rank))/,
    },
  },
  takesAnyHubName: true,
  imagePin: { option: 'version', example: '0.18.0' },
  successorOf,
  meantVariable,
} as const satisfies Engine<'vllm', VllmOptions>;

function identify(answers: Answers): Identity | null {
  if (modelOwner(answers) !== 'vllm') return null;
  const version = answerAt(answers, '/version', VersionAnswer)?.version ?? null;
  const [model] = answerAt(answers, '/v1/models', ModelList)?.data ?? [];
  return { version, modelPath: null, served: null, context: model?.max_model_len ?? null };
}

function versionAlone(answers: Answers): Identity | null {
  const version = answerAt(answers, '/version', VersionAnswer)?.version;
  return version === undefined ? null : { version, modelPath: null, served: null };
}
