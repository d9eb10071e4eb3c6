import { z } from 'zod';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { EngineEnv, secretsOf, textsOf } from '../../domain/engine-env.ts';
import { PositiveDuration } from '../../domain/units.ts';
import type { Engine, LaunchInput } from '../contract.ts';
import { riskyFlags, secretFlags } from './flags.ts';
import { addFromEnv, readFlags } from '../../domain/command-line/flag-rows.ts';
import type { FlagRow } from '../../domain/command-line/flag-rows.ts';
import { flagUses, rawUses } from '../../domain/command-line/flag-use.ts';
import type { FlagUse } from '../../domain/command-line/flag-use.ts';
import { hasFlag } from '../../domain/command-line/flags.ts';
import { refuseSecretEnv } from '../../domain/command-line/refuse-words.ts';
import { fitToHelp } from '../../domain/command-line/help-page.ts';
import { redact } from '../../domain/command-line/redact.ts';
import { unwrap } from '../../domain/command-line/unwrap.ts';
import type { ProcessFacts, Recognized } from '../../domain/process-facts.ts';
import { llamaDrift } from './drift.ts';
import { identify } from './identify.ts';
import { llamaImages } from './images.ts';
import { isRouter } from './is-router.ts';
import { locksMemory } from './locks-memory.ts';
import { accelerator, build } from './options.ts';
import { llamaServerComputing } from './computing.ts';
import { llamaServerPaths } from './paths.ts';
import { vendorOf } from './vendor.ts';
import { spelled } from './model-flags.ts';
import { isLlamaServer, llamaServerArgs } from './recognize.ts';

/** The options of a router, in the order in which they are written. */
const statedFlags: readonly FlagRow[] = [
  { option: 'modelsDir', shape: 'text', names: ['--models-dir'], env: 'LLAMA_ARG_MODELS_DIR', path: 'whole' },
  {
    option: 'modelsPreset',
    shape: 'text',
    names: ['--models-preset'],
    env: 'LLAMA_ARG_MODELS_PRESET',
    path: 'whole',
  },
  { option: 'modelsMax', shape: 'number', names: ['--models-max'], env: 'LLAMA_ARG_MODELS_MAX' },
  {
    option: 'autoload',
    shape: 'toggle',
    names: ['--models-autoload'],
    off: ['--no-models-autoload'],
    env: 'LLAMA_ARG_MODELS_AUTOLOAD',
  },
  { option: 'sleepIdle', shape: 'number', names: ['--sleep-idle-seconds'] },
];

const fixedFlags: readonly FlagRow[] = [
  { option: 'host', shape: 'text', names: ['--host'], env: 'LLAMA_ARG_HOST' },
  { option: 'port', shape: 'number', names: ['--port'], env: 'LLAMA_ARG_PORT' },
  { option: 'metrics', shape: 'switch', names: ['--metrics'] },
  { option: 'ui', shape: 'toggle', names: ['--ui', '--webui'], off: ['--no-ui', '--no-webui'] },
  { option: 'keyFile', shape: 'text', names: ['--api-key-file'], env: 'LLAMA_ARG_API_KEY_FILE' },
];

/** Variables that are read as options. */
const optionVariables: ReadonlySet<string> = new Set(
  [...fixedFlags, ...statedFlags].flatMap(({ env }) => env ?? []),
);

/** What berth or an option of ours sets already. */
const owned = new Set([
  ...[...fixedFlags, ...statedFlags].flatMap((row) => [...row.names, ...(row.off ?? [])]),
  '--model',
  '-m',
]);

export const LlamaRouterOptions = z
  .strictObject({
    kind: z.literal('llama-router'),
    binary: z.string().min(1).default('llama-server').describe('program: a name on PATH or a path'),
    accelerator,
    build,
    modelsDir: z.string().startsWith('/').optional().describe('folder of GGUF files; each is a model'),
    modelsPreset: z
      .string()
      .min(1)
      .optional()
      .describe('INI file with the models and their flags, beside the fleet file or with "/" of the host'),
    modelsMax: z.int().min(0).default(4).describe('models that are loaded at once; 0: no limit'),
    autoload: z.boolean().default(true).describe('load a model when it is asked for'),
    sleepIdle: PositiveDuration.optional().describe(
      'a model is put to sleep after so long without a request',
    ),
    slots: z.int().positive().optional().describe('requests sent to it at once; by default no limit'),
    env: EngineEnv.default({})
      .superRefine(refuseSecretEnv)
      .describe('further environment variables, for all models; a secret as {secret: …}, in a cluster'),
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

function launch({ options, key, help, gpus }: LaunchInput<LlamaRouterOptions>): LaunchSpec {
  const stated = {
    ...options,
    sleepIdle: options.sleepIdle === undefined ? undefined : Math.ceil(options.sleepIdle / 1000),
  };
  const given = secretsOf(options.env);
  const uses: FlagUse[] = [
    { flag: '--host', values: [{ hole: 'host' }] },
    { flag: '--port', values: [{ hole: 'port' }] },
    ...flagUses(statedFlags, stated),
    { flag: '--metrics' },
    { flag: '--no-ui', optional: true },
    ...(key ? [{ flag: '--api-key-file', values: [{ hole: 'secret', name: 'key' } as const] }] : []),
    ...rawUses(options.args),
  ];
  return {
    engine: options.kind,
    program: { binary: options.binary, ...llamaImages(options.build) },
    args: fitToHelp(uses, { program: options.binary, help: help ?? null, drift: llamaDrift }),
    env: textsOf(options.env),
    secrets: { ...(key ? { key } : {}), ...given.secrets },
    ...given.rest,
    model: null,
    mmproj: null,
    writable: [],
    ...(locksMemory(uses) ? { lockedMemory: true as const } : {}),
    devices: { vendor: vendorOf(options, gpus), count: gpus },
    readiness: { path: '/health', startTimeoutMs: options.startTimeout },
    // It has metrics for each model, by a parameter, and none without.
    metricsPath: null,
    stop: { signal: 'SIGTERM', graceMs: 30_000 },
    slots: options.slots ?? null,
    servedModel: null,
  };
}

/** The inverse of `launch`: a llama-server that has models to choose from. */
function recognize(facts: ProcessFacts): Recognized | null {
  const found = unwrap(facts.argv).find((command) => isLlamaServer(command, facts.env));
  if (!found || !isRouter(found, facts)) return null;
  const env = { ...facts.env, ...found.env };
  const rows = [...fixedFlags, ...statedFlags];
  const { values, rest } = readFlags(llamaServerArgs(found), rows, spelled);
  addFromEnv(values, rows, env);
  const { host, port, metrics: _m, ui: _u, keyFile, sleepIdle, ...options } = Object.fromEntries(values);
  return {
    engine: 'llama-router',
    model: null,
    host: (host as string | undefined) ?? null,
    port: (port as number | undefined) ?? null,
    options: {
      binary: found.path,
      ...options,
      ...(typeof sleepIdle === 'number' && sleepIdle > 0 ? { sleepIdle: `${sleepIdle}s` } : {}),
      args: redact(rest),
    },
    child: false,
    keyed: keyFile !== undefined || hasFlag(rest, '--api-key') || Boolean(env['LLAMA_API_KEY']),
    exposes: rest.filter((word) => riskyFlags.test(word)),
  };
}

/** llama-server as a router: it loads and unloads the models of a folder or a preset itself, and each becomes a route. */
export const llamaRouter = {
  kind: 'llama-router',
  title: 'llama.cpp as a router over several models',
  paths: llamaServerPaths,
  asItIs: { computing: llamaServerComputing, oneModel: false },
  options: LlamaRouterOptions,
  modelsPath: '/v1/models',
  launch,
  recognize,
  readsOptionsFrom: optionVariables,
  identify: { paths: ['/props'], read: identify },
  help: (options) => [options.binary, '--help'],
} as const satisfies Engine<'llama-router', LlamaRouterOptions>;
