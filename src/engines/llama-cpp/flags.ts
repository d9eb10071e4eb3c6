import type { FlagRow, FlagShape } from '../../domain/command-line/flag-rows.ts';
import { cacheTypes, draftingWays } from './words.ts';

function flag(
  option: string,
  shape: FlagShape,
  env: string | null,
  ...names: [string, ...string[]]
): FlagRow {
  return { option, shape, env, names };
}

function toggle(option: string, env: string | null, names: string, off: string): FlagRow {
  const [on, no] = [names.split(' '), off.split(' ')] as [[string], [string]];
  return { option, shape: 'toggle', env, names: on, off: no };
}

/** What berth itself or another part of the fleet file says. */
const fixed: readonly FlagRow[] = [
  { ...flag('model', 'text', 'LLAMA_ARG_MODEL', '--model', '-m'), path: 'whole' },
  { ...flag('mmproj', 'text', 'LLAMA_ARG_MMPROJ', '--mmproj', '-mm'), path: 'whole' },
  flag('host', 'text', 'LLAMA_ARG_HOST', '--host'),
  flag('port', 'number', 'LLAMA_ARG_PORT', '--port'),
  flag('metrics', 'switch', 'LLAMA_ARG_ENDPOINT_METRICS', '--metrics'),
  flag('keyFile', 'text', 'LLAMA_ARG_API_KEY_FILE', '--api-key-file'),
  toggle('ui', 'LLAMA_ARG_UI', '--ui --webui', '--no-ui --no-webui'),
];

/** Always written, whether the file states them or not. */
const always: readonly FlagRow[] = [
  flag('alias', 'text', 'LLAMA_ARG_ALIAS', '--alias', '-a'),
  flag('context', 'number', 'LLAMA_ARG_CTX_SIZE', '--ctx-size', '-c'),
  flag('slots', 'number', 'LLAMA_ARG_N_PARALLEL', '--parallel', '-np'),
  flag('gpuLayers', 'number-or-text', 'LLAMA_ARG_N_GPU_LAYERS', '--n-gpu-layers', '-ngl', '--gpu-layers'),
  flag('cacheRam', 'number', 'LLAMA_ARG_CACHE_RAM', '--cache-ram', '-cram'),
];

/** Written where the file states them, in this order. */
export const statedFlags: readonly FlagRow[] = [
  flag('batch', 'number', 'LLAMA_ARG_BATCH', '--batch-size', '-b'),
  flag('ubatch', 'number', 'LLAMA_ARG_UBATCH', '--ubatch-size', '-ub'),
  flag('threads', 'number', 'LLAMA_ARG_THREADS', '--threads', '-t'),
  flag('threadsBatch', 'number', null, '--threads-batch', '-tb'),
  flag('threadsHttp', 'number', 'LLAMA_ARG_THREADS_HTTP', '--threads-http'),
  flag('flashAttention', 'on-off-auto', 'LLAMA_ARG_FLASH_ATTN', '--flash-attn', '-fa'),
  {
    ...flag('cacheTypeK', 'text', 'LLAMA_ARG_CACHE_TYPE_K', '--cache-type-k', '-ctk'),
    words: cacheTypes,
  },
  {
    ...flag('cacheTypeV', 'text', 'LLAMA_ARG_CACHE_TYPE_V', '--cache-type-v', '-ctv'),
    words: cacheTypes,
  },
  {
    ...flag('loadMode', 'text', 'LLAMA_ARG_LOAD_MODE', '--load-mode', '-lm'),
    alike: { '--mlock': 'mlock', '--no-mmap': 'none', '--direct-io': 'dio' },
    stays: 'mlock',
  },
  toggle('kvOffload', 'LLAMA_ARG_KV_OFFLOAD', '--kv-offload -kvo', '--no-kv-offload -nkvo'),
  toggle('kvUnified', 'LLAMA_ARG_KV_UNIFIED', '--kv-unified -kvu', '--no-kv-unified -no-kvu'),
  flag('swaFull', 'switch', 'LLAMA_ARG_SWA_FULL', '--swa-full'),
  flag('cacheReuse', 'number', 'LLAMA_ARG_CACHE_REUSE', '--cache-reuse'),
  toggle('contextShift', 'LLAMA_ARG_CONTEXT_SHIFT', '--context-shift', '--no-context-shift'),
  flag('devices', 'csv', 'LLAMA_ARG_DEVICE', '--device', '-dev'),
  flag('splitMode', 'text', 'LLAMA_ARG_SPLIT_MODE', '--split-mode', '-sm'),
  flag('tensorSplit', 'csv-numbers', 'LLAMA_ARG_TENSOR_SPLIT', '--tensor-split', '-ts'),
  flag('mainGpu', 'number', 'LLAMA_ARG_MAIN_GPU', '--main-gpu', '-mg'),
  flag('fit', 'on-off-auto', 'LLAMA_ARG_FIT', '--fit', '-fit'),
  flag('cpuMoe', 'switch', 'LLAMA_ARG_CPU_MOE', '--cpu-moe', '-cmoe'),
  flag('cpuMoeLayers', 'number', 'LLAMA_ARG_N_CPU_MOE', '--n-cpu-moe', '-ncmoe'),
  { ...flag('overrideTensor', 'text', 'LLAMA_ARG_OVERRIDE_TENSOR', '--override-tensor', '-ot'), adds: true },
  flag('numa', 'text', 'LLAMA_ARG_NUMA', '--numa'),
  toggle('mmprojOffload', 'LLAMA_ARG_MMPROJ_OFFLOAD', '--mmproj-offload', '--no-mmproj-offload'),
  flag('imageMinTokens', 'number', 'LLAMA_ARG_IMAGE_MIN_TOKENS', '--image-min-tokens'),
  flag('imageMaxTokens', 'number', 'LLAMA_ARG_IMAGE_MAX_TOKENS', '--image-max-tokens'),
  { ...flag('lora', 'repeated', null, '--lora'), path: 'whole' },
  { ...flag('loraScaled', 'repeated', null, '--lora-scaled'), path: 'before-colon' },
  flag('loraUnapplied', 'switch', null, '--lora-init-without-apply'),
  {
    ...flag('draftModel', 'text', 'LLAMA_ARG_SPEC_DRAFT_MODEL', '--model-draft', '-md', '--spec-draft-model'),
    path: 'whole',
  },
  flag(
    'draftGpuLayers',
    'number-or-text',
    'LLAMA_ARG_N_GPU_LAYERS_DRAFT',
    '--gpu-layers-draft',
    '-ngld',
    '--n-gpu-layers-draft',
    '--spec-draft-ngl',
  ),
  flag('draftDevices', 'csv', null, '--device-draft', '-devd', '--spec-draft-device'),
  flag(
    'draftMax',
    'number',
    'LLAMA_ARG_SPEC_DRAFT_N_MAX',
    '--spec-draft-n-max',
    '--draft-max',
    '--draft',
    '--draft-n',
  ),
  flag(
    'draftMin',
    'number',
    'LLAMA_ARG_SPEC_DRAFT_N_MIN',
    '--spec-draft-n-min',
    '--draft-min',
    '--draft-n-min',
  ),
  flag('draftProbability', 'decimal', 'LLAMA_ARG_SPEC_DRAFT_P_MIN', '--draft-p-min', '--spec-draft-p-min'),
  { ...flag('speculative', 'csv', 'LLAMA_ARG_SPEC_TYPE', '--spec-type'), words: draftingWays },
  flag('embeddings', 'switch', 'LLAMA_ARG_EMBEDDINGS', '--embeddings', '--embedding'),
  flag('rerank', 'switch', 'LLAMA_ARG_RERANKING', '--reranking', '--rerank'),
  flag('pooling', 'text', 'LLAMA_ARG_POOLING', '--pooling'),
  toggle('jinja', 'LLAMA_ARG_JINJA', '--jinja', '--no-jinja'),
  flag('chatTemplate', 'text', 'LLAMA_ARG_CHAT_TEMPLATE', '--chat-template'),
  {
    ...flag('chatTemplateFile', 'text', 'LLAMA_ARG_CHAT_TEMPLATE_FILE', '--chat-template-file'),
    path: 'whole',
  },
  flag('reasoningFormat', 'text', 'LLAMA_ARG_THINK', '--reasoning-format'),
  flag('reasoningBudget', 'number', 'LLAMA_ARG_THINK_BUDGET', '--reasoning-budget'),
  toggle('warmup', 'LLAMA_ARG_WARMUP', '--warmup', '--no-warmup'),
];

/** The flags that berth writes and reads back. What is not here stays raw in `args`. */
export const flags: readonly FlagRow[] = [...fixed, ...always, ...statedFlags];

/** The spelling that berth writes for an option. */
export function nameOf(option: string): string {
  const found = flags.find((entry) => entry.option === option);
  if (!found) throw new Error(`llama.cpp has no flag for ${option}`);
  return found.names[0];
}

/** The only words that the key of a flag takes, where it takes some alone: with others the flag may stand in `args`. */
export function wordsOf(flag: string): readonly string[] | undefined {
  return flags.find(({ names }) => names.includes(flag))?.words;
}

/** Flags whose value is a secret: never written, never shown. */
export const secretFlags: ReadonlySet<string> = new Set(['--api-key', '--hf-token', '-hft']);

/** Flags that give whoever reaches the port the files or the shell of the machine. */
export const riskyFlags = /^--(tools|agent|ui-mcp-proxy|webui-mcp-proxy|mcp-servers-.+)$/;

/** Spelling of every flag that an option or berth itself sets, with the key of the fleet file that does. */
export const ownedFlags: ReadonlyMap<string, string> = new Map(
  flags.flatMap((entry) =>
    [...entry.names, ...(entry.off ?? []), ...Object.keys(entry.alike ?? {})].map(
      (name) => [name, ownerOf(entry.option)] as const,
    ),
  ),
);

function ownerOf(option: string): string {
  if (option === 'model') return 'models.*.source';
  if (option === 'mmproj') return 'models.*.mmproj';
  if (option === 'host' || option === 'port') return 'deployments.*.port';
  return fixed.some((entry) => entry.option === option) ? 'berth' : `engine.${option}`;
}
