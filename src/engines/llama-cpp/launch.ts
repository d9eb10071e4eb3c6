import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Arg, LaunchSpec } from '../../domain/launch-spec.ts';
import type { LaunchInput } from '../contract.ts';
import { nameOf } from './flags.ts';
import { fitToHelp } from './help.ts';
import type { FlagUse } from './flag-use.ts';
import type { LlamaCppOptions } from './options.ts';

type Input = LaunchInput<LlamaCppOptions>;

/**
 * The command line of llama-server. Context, slots, GPU layers and the prompt cache are always written: left
 * out, the server picks them by what is free at that moment, and may take 8 GiB of host memory for the cache.
 */
export function launch(input: Input): LaunchSpec {
  const { options } = input;
  if (input.model === null) {
    throw new BerthError('ENGINE_NEEDS_MODEL', { deployment: input.deployment, engine: options.kind });
  }
  const accelerator = options.accelerator ?? (input.gpus > 0 ? 'cuda' : 'cpu');
  const uses = [...fixedFlags(input), ...chosenFlags(input), ...extraFlags(options.args)];
  return {
    engine: options.kind,
    program: { binary: options.binary },
    args: fitToHelp(uses, { program: options.binary, help: input.help ?? null }),
    env: { ...options.env },
    secrets: input.key ? { key: input.key } : {},
    model: input.model,
    mmproj: input.mmproj,
    writable: [],
    devices: { vendor: input.gpus > 0 ? vendors[accelerator] : 'none', count: input.gpus },
    readiness: { path: '/health', startTimeoutMs: options.startTimeout },
    metricsPath: '/metrics',
    stop: { signal: 'SIGTERM', graceMs: 30_000 },
    slots: options.slots,
    servedModel: null,
  };
}

const vendors = { cpu: 'none', cuda: 'nvidia', rocm: 'amd', vulkan: 'any' } as const;

/** What every llama-server of ours is told. */
function fixedFlags(input: Input): FlagUse[] {
  const { options } = input;
  const layers = options.gpuLayers ?? (input.gpus > 0 ? 'all' : 0);
  return [
    use('model', { hole: 'model' }),
    ...(input.mmproj === null ? [] : [use('mmproj', { hole: 'mmproj' })]),
    use('alias', options.alias ?? input.deployment),
    use('host', { hole: 'host' }),
    use('port', { hole: 'port' }),
    // The server's own count is the total over all slots.
    use('context', String(options.context * options.slots)),
    use('slots', String(options.slots)),
    use('gpuLayers', String(layers)),
    use('cacheRam', String(options.cacheRam)),
    { flag: nameOf('metrics') },
    { flag: '--no-ui', optional: true },
    ...(input.key ? [use('keyFile', { hole: 'secret', name: 'key' })] : []),
  ];
}

/** What only the deployment or the host decides. */
function chosenFlags(input: Input): FlagUse[] {
  const { options } = input;
  const threads = options.threads ?? (input.cores === null ? undefined : Math.max(1, input.cores - 1));
  const chosen = {
    batch: options.batch,
    ubatch: options.ubatch,
    threads,
    threadsBatch: options.threadsBatch,
    flashAttention: options.flashAttention,
    cacheTypeK: options.cacheTypeK,
    cacheTypeV: options.cacheTypeV,
    loadMode: options.loadMode,
  };
  const uses = Object.entries(chosen).flatMap(([option, value]) =>
    value === undefined ? [] : [use(option, String(value))],
  );
  return options.embeddings ? [...uses, { flag: nameOf('embeddings') }] : uses;
}

function use(option: string, value: Arg): FlagUse {
  return { flag: nameOf(option), value };
}

/** A word that starts with a dash and is no number begins a flag; `--flag=value` stays one word. */
function extraFlags(args: readonly string[]): FlagUse[] {
  return args.map((word) => ({ flag: word, raw: true }));
}
