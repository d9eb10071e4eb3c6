/** How the value of a flag reads as an option of ours. */
export type FlagShape = 'text' | 'number' | 'layers' | 'switch' | 'on-off-auto';

/** One llama-server flag: all its spellings (the first is written), the variable that means the same, our option. */
export interface Flag {
  readonly names: readonly [string, ...string[]];
  readonly env: string | null;
  readonly option: string;
  readonly shape: FlagShape;
}

function flag(option: string, shape: FlagShape, env: string | null, ...names: [string, ...string[]]): Flag {
  return { option, shape, env, names };
}

/** The flags that berth writes and reads back. What is not here stays raw in `args`. */
export const flags: readonly Flag[] = [
  flag('model', 'text', 'LLAMA_ARG_MODEL', '--model', '-m'),
  flag('mmproj', 'text', 'LLAMA_ARG_MMPROJ', '--mmproj', '-mm'),
  flag('alias', 'text', 'LLAMA_ARG_ALIAS', '--alias', '-a'),
  flag('host', 'text', 'LLAMA_ARG_HOST', '--host'),
  flag('port', 'number', 'LLAMA_ARG_PORT', '--port'),
  flag('context', 'number', 'LLAMA_ARG_CTX_SIZE', '--ctx-size', '-c'),
  flag('slots', 'number', 'LLAMA_ARG_N_PARALLEL', '--parallel', '-np'),
  flag('gpuLayers', 'layers', 'LLAMA_ARG_N_GPU_LAYERS', '--n-gpu-layers', '-ngl', '--gpu-layers'),
  flag('cacheRam', 'number', 'LLAMA_ARG_CACHE_RAM', '--cache-ram', '-cram'),
  flag('batch', 'number', 'LLAMA_ARG_BATCH', '--batch-size', '-b'),
  flag('ubatch', 'number', 'LLAMA_ARG_UBATCH', '--ubatch-size', '-ub'),
  flag('threads', 'number', 'LLAMA_ARG_THREADS', '--threads', '-t'),
  flag('threadsBatch', 'number', null, '--threads-batch', '-tb'),
  flag('flashAttention', 'on-off-auto', 'LLAMA_ARG_FLASH_ATTN', '--flash-attn', '-fa'),
  flag('cacheTypeK', 'text', 'LLAMA_ARG_CACHE_TYPE_K', '--cache-type-k', '-ctk'),
  flag('cacheTypeV', 'text', 'LLAMA_ARG_CACHE_TYPE_V', '--cache-type-v', '-ctv'),
  flag('loadMode', 'text', 'LLAMA_ARG_LOAD_MODE', '--load-mode', '-lm'),
  flag('embeddings', 'switch', 'LLAMA_ARG_EMBEDDINGS', '--embeddings', '--embedding'),
  flag('metrics', 'switch', 'LLAMA_ARG_ENDPOINT_METRICS', '--metrics'),
  flag('keyFile', 'text', 'LLAMA_ARG_API_KEY_FILE', '--api-key-file'),
];

/** The spelling that berth writes for an option. */
export function nameOf(option: string): string {
  const found = flags.find((entry) => entry.option === option);
  if (!found) throw new Error(`llama.cpp has no flag for ${option}`);
  return found.names[0];
}

/** Flags whose value is a secret: never written, never shown. */
export const secretFlags: ReadonlySet<string> = new Set(['--api-key', '--hf-token', '-hft']);

/** Flags that give whoever reaches the port the files or the shell of the machine. */
export const riskyFlags = /^--(tools|agent|ui-mcp-proxy|webui-mcp-proxy|mcp-servers-.+)$/;

/** Variables that hold a secret. */
export const secretEnv = /(^|_)(API_KEY|TOKEN|SECRET|PASSWORD)$/;

/** Spelling of every flag that an option or berth itself sets, with the key of the fleet file that does. */
export const ownedFlags: ReadonlyMap<string, string> = new Map(
  flags.flatMap((entry) => entry.names.map((name) => [name, ownerOf(entry.option)] as const)),
);

function ownerOf(option: string): string {
  if (option === 'model' || option === 'mmproj')
    return `models.*.${option === 'model' ? 'source' : 'mmproj'}`;
  if (option === 'host' || option === 'port') return 'deployments.*.port';
  if (option === 'metrics' || option === 'keyFile') return 'berth';
  return `engine.${option}`;
}
