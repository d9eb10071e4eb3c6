import { basename } from 'node:path';
import { z } from 'zod';
import type { Arg, LaunchSpec } from '../domain/launch-spec.ts';
import type { ProcessFacts, Recognized } from '../domain/process-facts.ts';
import type { Engine, LaunchInput } from './contract.ts';

const Options = z.strictObject({
  kind: z.literal('embedded'),
  /** Requests generated side by side. */
  slots: z.int().min(1).max(256).default(4).describe('Requests that are generated side by side.'),
  /** Tokens of prompt and answer together, per request. */
  context: z
    .int()
    .min(64)
    .default(2048)
    .describe('Tokens that one request may take, prompt and answer together.'),
  threads: z
    .int()
    .min(1)
    .optional()
    .describe('Compute threads. Default: one less than the physical cores, within the CPU quota.'),
  batch: z.int().min(16).default(512).describe('Prompt tokens that are evaluated in one step.'),
  flashAttention: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe('Flash attention; off is slower with several streams.'),
  embeddings: z
    .boolean()
    .default(true)
    .describe('Answer /v1/embeddings too; its memory is taken at the first request.'),
  gpu: z
    .enum(['off', 'auto', 'cuda', 'vulkan'])
    .default('off')
    .describe('Which GPU build of the library to use; it has to be installed beside the engine.'),
  queue: z.int().min(0).default(256).describe('Requests that may wait for a slot.'),
});
type Options = z.infer<typeof Options>;

/** Runs the engine inside berth's own program: a child process with HTTP in the shapes of llama-server. */
export const embedded: Engine<'embedded', Options> = {
  kind: 'embedded',
  title: 'Embedded (llama.cpp inside a child process of berth)',
  paths: [
    '/v1/models',
    '/v1/completions',
    '/v1/chat/completions',
    '/v1/embeddings',
    '/v1/messages',
    '/v1/messages/count_tokens',
    '/tokenize',
    '/detokenize',
    '/apply-template',
  ],
  asItIs: { computing: [], oneModel: true },
  options: Options,
  needsModel: true,
  ownProgram: true,
  launch,
  memoryUse: (options) => ({
    context: options.context,
    slots: options.slots,
    ubatch: options.batch,
    typeK: 'f16',
    typeV: 'f16',
    gpuLayers: 0,
    gpus: 0,
    cacheBytes: 0,
  }),
  recognize,
};

function launch(input: LaunchInput<Options>): LaunchSpec {
  const { options } = input;
  const args: Arg[] = ['--model', { hole: 'model' }, '--host', { hole: 'host' }, '--port', { hole: 'port' }];
  args.push('--alias', input.deployment);
  args.push('--slots', String(options.slots), '--context', String(options.context));
  if (options.threads !== undefined) args.push('--threads', String(options.threads));
  args.push('--batch', String(options.batch), '--flash-attention', options.flashAttention);
  if (options.embeddings) args.push('--embeddings');
  if (options.gpu !== 'off') args.push('--gpu', options.gpu);
  args.push('--queue', String(options.queue));
  if (input.key) args.push('--api-key-file', { hole: 'secret', name: 'key' });
  return {
    engine: 'embedded',
    program: { entry: 'embedded' },
    args,
    env: {},
    secrets: input.key ? { key: input.key } : {},
    model: input.model,
    mmproj: null,
    writable: [],
    devices: { vendor: 'none', count: 0 },
    readiness: { path: '/health', startTimeoutMs: 300_000 },
    metricsPath: '/metrics',
    stop: { signal: 'SIGTERM', graceMs: 30_000 },
    slots: options.slots,
    servedModel: null,
  };
}

/** The inverse of `launch`: a Node process whose script is our own program. */
function recognize(process: ProcessFacts): Recognized | null {
  const script = process.argv.findIndex((word) => /(^|\/)programs\/embedded\.(ts|js)$/.test(word));
  if (script < 1 || !basename(process.argv[0] ?? '').startsWith('node')) return null;
  const flags = readFlags(process.argv.slice(script + 1));
  const port = Number(flags.get('--port'));
  return {
    engine: 'embedded',
    model: flags.get('--model') ?? null,
    host: flags.get('--host') ?? null,
    port: Number.isInteger(port) && port > 0 ? port : null,
    options: {
      ...numberOption(flags, 'slots'),
      ...numberOption(flags, 'context'),
      ...numberOption(flags, 'threads'),
      ...numberOption(flags, 'batch'),
      ...(flags.has('--flash-attention') ? { flashAttention: flags.get('--flash-attention') } : {}),
      embeddings: flags.has('--embeddings'),
      gpu: flags.get('--gpu') ?? 'off',
      ...numberOption(flags, 'queue'),
    },
    child: false,
  };
}

function numberOption(flags: ReadonlyMap<string, string>, name: string): Record<string, number> {
  const value = Number(flags.get(`--${name}`));
  return flags.has(`--${name}`) && Number.isInteger(value) ? { [name]: value } : {};
}

/** Both "--name value" and "--name=value"; a flag without a value maps to the empty text. */
function readFlags(words: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] as string;
    if (!word.startsWith('--')) continue;
    const split = word.indexOf('=');
    if (split > 0) {
      flags.set(word.slice(0, split), word.slice(split + 1));
      continue;
    }
    const next = words[i + 1];
    if (next !== undefined && !next.startsWith('--')) i += 1;
    flags.set(word, next !== undefined && !next.startsWith('--') ? next : '');
  }
  return flags;
}
