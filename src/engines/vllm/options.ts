import { z } from 'zod';
import { refuseOwnedFlags, refuseSecretEnv } from '../../domain/command-line/refuse-words.ts';
import { EngineEnv } from '../../domain/engine-env.ts';
import { Duration, PositiveDuration } from '../../domain/units.ts';
import { ownedFlags, secretFlags } from './flags.ts';
import { vllmDrift } from './versions.ts';

const count = z.int().positive();
const word = z.string().regex(/^[^\s-]\S*$/);
const json = z.record(z.string(), z.unknown());

/** Keys of `engine:` for vLLM's OpenAI server. `context` is per request, as `--max-model-len` is. */
export const VllmOptions = z.strictObject({
  kind: z.literal('vllm'),
  binary: z.string().min(1).default('vllm').describe('program: a name on PATH or a path'),
  version: z
    .string()
    .regex(/^\d+\.\d+(\.\d+)?$/)
    .optional()
    .describe('version of vLLM, such as 0.18.0: the tag of its image, and which flags it takes'),
  accelerator: z
    .enum(['cpu', 'cuda', 'rocm'])
    .optional()
    .describe('what it computes on; by default cuda with GPUs, else cpu'),
  servedModel: word.optional().describe('model name it answers to; by default the name of the deployment'),
  aliases: z.array(word).default([]).describe('further names it answers to'),
  context: count.optional().describe('tokens per request; by default what the model was made for'),
  maxSeqs: count.optional().describe('requests that are answered at once'),
  maxBatchedTokens: count.optional().describe('tokens that one step may compute'),
  tensorParallel: count
    .optional()
    .describe('GPUs that share each layer; by default all that no other way takes'),
  pipelineParallel: count.optional().describe('groups of GPUs that share the layers out'),
  dataParallel: count.optional().describe('copies of the model in one server'),
  expertParallel: z.boolean().optional().describe('share experts out in place of splitting them'),
  executor: z.enum(['mp', 'ray', 'uni', 'external_launcher']).optional().describe('how its workers are run'),
  gpuMemoryUtilization: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('share of the GPU memory it takes; by default 0.9 with GPUs'),
  quantization: word.optional().describe('how the weights are quantized, where the model does not tell'),
  dtype: z
    .enum(['auto', 'half', 'float16', 'bfloat16', 'float', 'float32'])
    .optional()
    .describe('type that it computes in'),
  kvCacheDtype: word.optional().describe('type of the KV cache, such as auto or fp8'),
  loadFormat: word.optional().describe('format of the weights'),
  chunkedPrefill: z.boolean().optional().describe('compute long prompts in pieces beside answers'),
  prefixCaching: z.boolean().optional().describe('keep the KV cache of prompts that begin alike'),
  enforceEager: z
    .boolean()
    .optional()
    .describe('no CUDA graphs: slower, with less memory and a faster start'),
  trustRemoteCode: z.boolean().optional().describe('run code that comes with the model'),
  cpuOffload: z.number().min(0).optional().describe('GiB of weights per GPU that lie in host memory'),
  swapSpace: z.number().min(0).optional().describe('GiB of host memory per GPU for what was pushed out'),
  blockSize: count.optional().describe('tokens per block of the KV cache'),
  seed: z.int().optional().describe('seed of its random numbers'),
  schedulingPolicy: z.enum(['fcfs', 'priority']).optional().describe('order in which requests are taken'),
  tokenizer: word.optional().describe('tokenizer in place of the one of the model'),
  tokenizerMode: word.optional().describe('such as auto or mistral'),
  revision: word.optional().describe('branch, tag or commit of the model'),
  chatTemplate: z
    .string()
    .min(1)
    .optional()
    .describe(
      'chat template: a file beside the fleet file ("./x.jinja"), one of the host ("/x.jinja"), or the template',
    ),
  autoToolChoice: z.boolean().optional().describe('let the model choose tools; needs toolCallParser'),
  toolCallParser: word.optional().describe('how tool calls are read, such as hermes or mistral'),
  reasoningParser: word.optional().describe('how thoughts are told apart'),
  lora: z
    .array(z.string().regex(/^[^=\s]+=\S+$/, { error: 'It must be NAME=PATH.' }))
    .min(1)
    .optional()
    .describe('LoRA adapters as NAME=PATH; each is a model name of its own'),
  maxLoras: count.optional().describe('adapters in one batch'),
  maxLoraRank: count.optional().describe('largest rank of an adapter'),
  speculative: json.optional().describe('speculative decoding, as --speculative-config takes it'),
  multimodalLimits: json.optional().describe('images and the like per prompt, such as {image: 4}'),
  overrides: json.optional().describe("keys of the model's own configuration"),
  generationConfig: word.optional().describe('auto, vllm, or a folder'),
  sleepMode: z.boolean().optional().describe('let it be put to sleep'),
  shutdownTimeout: Duration.optional().describe('time that open requests get when it ends (from 0.18.0)'),
  env: EngineEnv.default({})
    .superRefine(refuseSecretEnv)
    .describe('further environment variables; a secret as {secret: …}, in a cluster'),
  args: z
    .array(z.string())
    .default([])
    .superRefine(refuseOwnedFlags({ owned: ownedFlags, secret: secretFlags, style: vllmDrift.style }))
    .describe('further flags, passed as they are'),
  startTimeout: PositiveDuration.prefault('30m').describe('time until it must answer'),
});
export type VllmOptions = z.infer<typeof VllmOptions>;
