import { z } from 'zod';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { PositiveDuration } from '../../domain/units.ts';
import type { Engine, LaunchInput } from '../contract.ts';
import { secretFlags } from './flags.ts';
import type { FlagUse } from './flag-use.ts';
import { fitToHelp } from './help.ts';
import { llamaServerPaths } from './paths.ts';

/** What berth or an option of ours sets already. */
const owned = new Set([
  '--host',
  '--port',
  '--models-dir',
  '--models-preset',
  '--models-max',
  '--models-autoload',
  '--no-models-autoload',
  '--api-key-file',
  '--model',
  '-m',
]);

export const LlamaRouterOptions = z
  .strictObject({
    kind: z.literal('llama-router'),
    binary: z.string().min(1).default('llama-server').describe('program: a name on PATH or a path'),
    modelsDir: z.string().startsWith('/').optional().describe('folder of GGUF files; each is a model'),
    modelsPreset: z.string().startsWith('/').optional().describe('INI file with the models and their flags'),
    modelsMax: z.int().min(0).default(4).describe('models that are loaded at once; 0: no limit'),
    autoload: z.boolean().default(true).describe('load a model when it is asked for'),
    sleepIdle: PositiveDuration.optional().describe(
      'a model is put to sleep after so long without a request',
    ),
    slots: z.int().positive().optional().describe('requests sent to it at once; by default no limit'),
    args: z
      .array(z.string())
      .default([])
      .refine((words) => !words.some((word) => owned.has(word) || secretFlags.has(word)), {
        error: 'A flag among them is set by berth or holds a secret.',
        params: { cure: 'Leave it out; the keys of this engine set the rest.' },
      })
      .describe('further flags, for all models'),
    startTimeout: PositiveDuration.prefault('1m').describe('time until it must answer'),
  })
  .refine((options) => options.modelsDir !== undefined || options.modelsPreset !== undefined, {
    error: 'It names no models.',
    params: { cure: 'Set modelsDir or modelsPreset.' },
  });
export type LlamaRouterOptions = z.infer<typeof LlamaRouterOptions>;

function launch({ options, key, help }: LaunchInput<LlamaRouterOptions>): LaunchSpec {
  const uses: FlagUse[] = [
    { flag: '--host', value: { hole: 'host' } },
    { flag: '--port', value: { hole: 'port' } },
    ...(options.modelsDir === undefined ? [] : [{ flag: '--models-dir', value: options.modelsDir }]),
    ...(options.modelsPreset === undefined ? [] : [{ flag: '--models-preset', value: options.modelsPreset }]),
    { flag: '--models-max', value: String(options.modelsMax) },
    ...(options.autoload ? [] : [{ flag: '--no-models-autoload' }]),
    ...(options.sleepIdle === undefined
      ? []
      : [{ flag: '--sleep-idle-seconds', value: String(Math.ceil(options.sleepIdle / 1000)) }]),
    { flag: '--metrics' },
    { flag: '--no-ui', optional: true },
    ...(key ? [{ flag: '--api-key-file', value: { hole: 'secret', name: 'key' } as const }] : []),
    ...options.args.map((word) => ({ flag: word, raw: true })),
  ];
  return {
    engine: options.kind,
    program: { binary: options.binary },
    args: fitToHelp(uses, { program: options.binary, help: help ?? null }),
    env: {},
    secrets: key ? { key } : {},
    model: null,
    mmproj: null,
    writable: [],
    devices: { vendor: 'none', count: 0 },
    readiness: { path: '/health', startTimeoutMs: options.startTimeout },
    // It has metrics for each model, by a parameter, and none without.
    metricsPath: null,
    stop: { signal: 'SIGTERM', graceMs: 30_000 },
    slots: options.slots ?? null,
    servedModel: null,
  };
}

/** llama-server as a router: it loads and unloads the models of a folder or a preset itself, and each becomes a route. */
export const llamaRouter = {
  kind: 'llama-router',
  title: 'llama.cpp as a router over several models',
  paths: llamaServerPaths,
  options: LlamaRouterOptions,
  modelsPath: '/v1/models',
  launch,
  help: (options) => [options.binary, '--help'],
} as const satisfies Engine<'llama-router', LlamaRouterOptions>;
