import { BerthError } from '../../domain/errors/berth-error.ts';
import { flagUses, rawUses } from '../../domain/command-line/flag-use.ts';
import type { FlagUse } from '../../domain/command-line/flag-use.ts';
import { fitToHelp } from '../../domain/command-line/help-page.ts';
import { secretsOf, textsOf } from '../../domain/engine-env.ts';
import type { EngineEnv } from '../../domain/engine-env.ts';
import type { Arg, LaunchSpec } from '../../domain/launch-spec.ts';
import { hubName } from '../../domain/model-source.ts';
import type { LaunchInput } from '../contract.ts';
import { buildOfImage, fitToBuild } from './builds.ts';
import { llamaDrift } from './drift.ts';
import { nameOf, statedFlags } from './flags.ts';
import { locksMemory } from './locks-memory.ts';
import { llamaImages } from './images.ts';
import type { LlamaCppOptions } from './options.ts';
import { vendorOf } from './vendor.ts';

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
  const hub = ownFetch(input, input.model);
  const given = secretsOf(hub === null ? options.env : { ...tokenVariable(input), ...options.env });
  const uses = fitToBuild(
    [...fixedFlags(input, hub), ...chosenFlags(input), ...rawUses(options.args)],
    input.help ? null : buildOf(input),
  );
  return {
    engine: options.kind,
    program: { binary: options.binary, ...llamaImages(options.build) },
    args: fitToHelp(uses, { program: options.binary, help: input.help ?? null, drift: llamaDrift }),
    env: textsOf(options.env),
    secrets: { ...(input.key ? { key: input.key } : {}), ...given.secrets },
    ...given.rest,
    model: hub === null ? input.model : null,
    mmproj: input.mmproj,
    writable: [],
    ...(locksMemory(uses) ? { lockedMemory: true as const } : {}),
    ...(hub === null ? {} : { caches: { hub: { env: 'LLAMA_CACHE' } } }),
    devices: {
      vendor: vendorOf(options, input.gpus),
      count: input.gpus,
      ...(uses.some((one) => namesDevice.has(one.flag)) ? { named: true as const } : {}),
    },
    readiness: { path: '/health', startTimeoutMs: options.startTimeout },
    metricsPath: '/metrics',
    stop: { signal: 'SIGTERM', graceMs: 30_000 },
    slots: options.slots,
    servedModel: null,
  };
}

const namesDevice: ReadonlySet<string> = new Set(
  (['devices', 'mainGpu', 'draftDevices'] as const).map(nameOf),
);

/** What the file says, else the tag of the image that it names; null: nobody says. */
function buildOf({ options, image }: Input): number | null {
  return options.build === undefined ? buildOfImage(image ?? '') : Number(options.build.slice(1));
}

/** It reads the token of the Hub from a variable alone: where none may hold one, berth fetches what wants it. */
function ownFetch({ modelKey, secretVariables }: Input, source: string): readonly FlagUse[] | null {
  return modelKey && !secretVariables ? null : repositoryFlags(source);
}

function tokenVariable({ modelKey }: Input): EngineEnv {
  return modelKey ? { HF_TOKEN: { secret: modelKey } } : {};
}

/** How it is told to fetch the model itself; null where it cannot be: a file of its own, or a revision, which it has no word for. */
function repositoryFlags(source: string): readonly FlagUse[] | null {
  const hub = hubName(source);
  if (hub === null || (hub.revision ?? 'main') !== 'main') return null;
  const { repo, path, quant } = hub;
  if (path === null) return [{ flag: '--hf-repo', values: [quant === null ? repo : `${repo}:${quant}`] }];
  // A folder is none that it takes.
  if (!/\.gguf$/i.test(path)) return null;
  return [
    { flag: '--hf-repo', values: [repo] },
    { flag: '--hf-file', values: [path] },
  ];
}

/** What every llama-server of ours is told. */
function fixedFlags(input: Input, hub: readonly FlagUse[] | null): FlagUse[] {
  const { options } = input;
  const layers = options.gpuLayers ?? (input.gpus > 0 ? 'all' : 0);
  return [
    ...(hub ?? [use('model', { hole: 'model' })]),
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
function chosenFlags({ options, cores }: Input): FlagUse[] {
  const threads = options.threads ?? (cores === null ? undefined : Math.max(1, cores - 1));
  return flagUses(statedFlags, { ...options, threads });
}

function use(option: string, value: Arg): FlagUse {
  return { flag: nameOf(option), values: [value] };
}
