import type { FlagRow, FlagShape } from '../../domain/command-line/flag-rows.ts';

function flag(option: string, shape: FlagShape, ...names: [string, ...string[]]): FlagRow {
  return { option, shape, names };
}

/** Argparse's own way of saying no. */
function toggle(option: string, name: string): FlagRow {
  return { option, shape: 'toggle', names: [`--${name}`], off: [`--no-${name}`] };
}

/** The gateway asks these every few seconds; its questions would bury the log. */
export const quietPaths = '/health,/metrics';
export const quietFlag = '--disable-access-log-for-endpoints';

/** What berth itself or another part of the fleet file says. */
const fixed: readonly FlagRow[] = [
  { ...flag('model', 'text', '--model'), path: 'whole' },
  flag('host', 'text', '--host'),
  flag('port', 'number', '--port'),
  flag('config', 'text', '--config'),
  flag('quietPaths', 'text', quietFlag),
];

/** Written where the file states them, in this order. */
export const statedFlags: readonly FlagRow[] = [
  flag('servedModels', 'list', '--served-model-name'),
  flag('context', 'tokens', '--max-model-len'),
  flag('maxSeqs', 'number', '--max-num-seqs'),
  flag('maxBatchedTokens', 'tokens', '--max-num-batched-tokens'),
  flag('tensorParallel', 'number', '--tensor-parallel-size', '-tp'),
  flag('pipelineParallel', 'number', '--pipeline-parallel-size', '-pp'),
  flag('dataParallel', 'number', '--data-parallel-size', '-dp'),
  toggle('expertParallel', 'enable-expert-parallel'),
  flag('executor', 'text', '--distributed-executor-backend'),
  flag('gpuMemoryUtilization', 'decimal', '--gpu-memory-utilization'),
  flag('quantization', 'text', '--quantization', '-q'),
  flag('dtype', 'text', '--dtype'),
  flag('kvCacheDtype', 'text', '--kv-cache-dtype'),
  flag('loadFormat', 'text', '--load-format'),
  toggle('chunkedPrefill', 'enable-chunked-prefill'),
  toggle('prefixCaching', 'enable-prefix-caching'),
  toggle('enforceEager', 'enforce-eager'),
  toggle('trustRemoteCode', 'trust-remote-code'),
  flag('cpuOffload', 'decimal', '--cpu-offload-gb'),
  flag('swapSpace', 'decimal', '--swap-space'),
  flag('blockSize', 'number', '--block-size'),
  flag('seed', 'number', '--seed'),
  flag('schedulingPolicy', 'text', '--scheduling-policy'),
  flag('tokenizer', 'text', '--tokenizer'),
  flag('tokenizerMode', 'text', '--tokenizer-mode'),
  flag('revision', 'text', '--revision'),
  { ...flag('chatTemplate', 'text', '--chat-template'), path: 'whole' },
  toggle('autoToolChoice', 'enable-auto-tool-choice'),
  flag('toolCallParser', 'text', '--tool-call-parser'),
  flag('reasoningParser', 'text', '--reasoning-parser'),
  toggle('enableLora', 'enable-lora'),
  { ...flag('lora', 'list', '--lora-modules'), path: 'after-equals' },
  flag('maxLoras', 'number', '--max-loras'),
  flag('maxLoraRank', 'number', '--max-lora-rank'),
  flag('speculative', 'json', '--speculative-config'),
  flag('multimodalLimits', 'json', '--limit-mm-per-prompt'),
  flag('overrides', 'json', '--hf-overrides'),
  flag('generationConfig', 'text', '--generation-config'),
  toggle('sleepMode', 'enable-sleep-mode'),
  flag('shutdownTimeout', 'number', '--shutdown-timeout'),
];

/** The flags that berth writes and reads back. What is not here stays raw in `args`. */
export const flags: readonly FlagRow[] = [...fixed, ...statedFlags];

/** Flags whose value is a secret: never written, never shown. */
export const secretFlags: ReadonlySet<string> = new Set(['--api-key', '--hf-token']);

/** Switches that berth has no option for: the word after them is no value of theirs. */
export const otherSwitches: readonly string[] = [
  '--disable-log-requests',
  '--enable-log-requests',
  '--disable-log-stats',
  '--disable-custom-all-reduce',
  '--disable-uvicorn-access-log',
  '--headless',
  '--skip-tokenizer-init',
  '--calculate-kv-scales',
  '--async-scheduling',
];

/** Spelling of every flag that an option or berth itself sets, with the key of the fleet file that does. */
export const ownedFlags: ReadonlyMap<string, string> = new Map(
  flags.flatMap((row) =>
    [...row.names, ...(row.off ?? [])].map((name) => [name, ownerOf(row.option)] as const),
  ),
);

function ownerOf(option: string): string {
  if (option === 'model') return 'models.*.source';
  if (option === 'host' || option === 'port') return 'deployments.*.port';
  if (option === 'servedModels') return 'engine.servedModel';
  if (option === 'enableLora') return 'engine.lora';
  return fixed.some((row) => row.option === option) ? 'berth' : `engine.${option}`;
}
