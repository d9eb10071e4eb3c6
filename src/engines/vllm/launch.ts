import { BerthError } from '../../domain/errors/berth-error.ts';
import { flagUses, rawUses } from '../../domain/command-line/flag-use.ts';
import type { FlagUse } from '../../domain/command-line/flag-use.ts';
import { fitToHelp } from '../../domain/command-line/help-page.ts';
import { secretsOf, textsOf } from '../../domain/engine-env.ts';
import type { Arg, LaunchSpec } from '../../domain/launch-spec.ts';
import { hubName } from '../../domain/model-source.ts';
import type { HubName } from '../../domain/model-source.ts';
import type { LaunchInput } from '../contract.ts';
import { quietFlag, quietPaths, statedFlags } from './flags.ts';
import type { VllmOptions } from './options.ts';
import { fitToVersion, vllmDrift } from './versions.ts';

type Input = LaunchInput<VllmOptions>;

const GiB = 1024 ** 3;
const vendors = { cpu: 'none', cuda: 'nvidia', rocm: 'amd' } as const;

/** The command line of `vllm serve`. Its key goes into a configuration file, since the command line shows it. */
export function launch(input: Input): LaunchSpec {
  const { options } = input;
  if (input.model === null)
    throw new BerthError('ENGINE_NEEDS_MODEL', { deployment: input.deployment, engine: options.kind });
  const hub = wholeRepository(input.model);
  const accelerator = options.accelerator ?? (input.gpus > 0 ? 'cuda' : 'cpu');
  const modelKey = hub === null ? null : input.modelKey;
  const revision = options.revision ?? hub?.revision ?? undefined;
  const uses = fitToVersion(
    [
      ...fixedUses(input),
      ...statedUses({ ...input, options: { ...options, revision } }),
      ...rawUses(options.args),
    ],
    options.binary,
    versionOf(input),
  );
  const given = secretsOf(options.env);
  const model: Arg = hub?.repo ?? { hole: 'model' };
  return {
    engine: options.kind,
    program: { binary: options.binary, images: images(options.version), imageCommand: ['vllm'] },
    args: [
      'serve',
      model,
      ...fitToHelp(uses, { program: options.binary, help: input.help ?? null, drift: vllmDrift }),
    ],
    env: {
      ...textsOf(options.env),
      ...(modelKey ? { HF_TOKEN_PATH: { hole: 'secret' as const, name: 'hub' } } : {}),
    },
    secrets: {
      ...(input.key ? { key: input.key } : {}),
      ...(modelKey ? { hub: modelKey } : {}),
      ...given.secrets,
    },
    ...given.rest,
    ...(input.key ? { secretKeys: { key: 'api-key' } } : {}),
    model: hub === null ? input.model : null,
    mmproj: null,
    writable: [],
    // Triton, FlashInfer and torch compile into folders of the home, which a unit or a pod may lack or not write.
    caches: { hub: { env: 'HF_HOME' }, compiled: { env: 'VLLM_CACHE_ROOT' }, home: { env: 'HOME' } },
    sharedMemory: Math.max(8, input.gpus) * GiB,
    devices: {
      vendor: input.gpus > 0 || accelerator !== 'cpu' ? vendors[accelerator] : 'none',
      count: input.gpus,
    },
    readiness: { path: '/health', startTimeoutMs: options.startTimeout },
    metricsPath: '/metrics',
    stop: { signal: 'SIGTERM', graceMs: 120_000 },
    slots: options.maxSeqs ?? null,
    servedModel: options.servedModel ?? input.deployment,
  };
}

/** What the file says, else the tag of an image of its own project. */
function versionOf({ options, image }: Input): string | null {
  const tag = /(?:^|\/)vllm\/vllm-openai(?:-cpu|-rocm)?:v(\d+\.\d+(?:\.\d+)?)(?:@|$)/.exec(image ?? '');
  return options.version ?? tag?.[1] ?? null;
}

/** What it fetches itself; null where it cannot be told: a file, a folder or a quantization of a repository. */
function wholeRepository(source: string): HubName | null {
  const hub = hubName(source);
  return hub?.path === null && hub.quant === null ? hub : null;
}

function fixedUses({ key }: Input): FlagUse[] {
  return [
    { flag: '--host', values: [{ hole: 'host' }] },
    { flag: '--port', values: [{ hole: 'port' }] },
    { flag: quietFlag, values: [quietPaths], optional: true },
    ...(key ? [{ flag: '--config', values: [{ hole: 'secret', name: 'key' } as const] }] : []),
  ];
}

/** With several GPUs it would use one alone unless it is told to split. */
function statedUses({ deployment, options, gpus }: Input): FlagUse[] {
  const others = (options.pipelineParallel ?? 1) * (options.dataParallel ?? 1);
  const share = Math.floor(gpus / others);
  return flagUses(statedFlags, {
    ...options,
    servedModels: [options.servedModel ?? deployment, ...options.aliases],
    tensorParallel: options.tensorParallel ?? (share > 1 ? share : undefined),
    gpuMemoryUtilization: options.gpuMemoryUtilization ?? (gpus > 0 ? 0.9 : undefined),
    enableLora: options.lora ? true : undefined,
    shutdownTimeout:
      options.shutdownTimeout === undefined ? undefined : Math.ceil(options.shutdownTimeout / 1000),
  });
}

function images(version: string | undefined): NonNullable<LaunchSpec['program']['images']> {
  const tag = version === undefined ? 'latest' : `v${version}`;
  return { cpu: `vllm/vllm-openai-cpu:${tag}`, cuda: `vllm/vllm-openai:${tag}`, rocm: 'rocm/vllm:latest' };
}
