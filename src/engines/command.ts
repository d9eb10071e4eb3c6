import { z } from 'zod';
import { secretsOf, textsOf, EngineEnv } from '../domain/engine-env.ts';
import { refuseSecretEnv } from '../domain/command-line/refuse-words.ts';
import { EndpointPaths } from '../domain/endpoints.ts';
import { Duration, PositiveDuration } from '../domain/units.ts';
import type { Arg, Hole, LaunchSpec } from '../domain/launch-spec.ts';
import type { Engine, LaunchInput } from './contract.ts';

/** Keys of `engine:` for any other program. `{port}`, `{host}`, `{model}`, `{mmproj}`, `{key-file}` and `{cache}` are filled in. */
export const CommandOptions = z.strictObject({
  kind: z.literal('command'),
  command: z
    .array(z.string())
    .min(1)
    .describe('program and its arguments; {port}, {host} and {model} are filled in'),
  env: EngineEnv.default({})
    .superRefine(refuseSecretEnv)
    .describe('environment variables, holes allowed; a secret as {secret: …}, in a cluster'),
  workdir: z.string().startsWith('/').optional().describe('folder to start in'),
  healthPath: z
    .string()
    .startsWith('/')
    .default('/health')
    .describe('path that answers 2xx when it is ready'),
  metricsPath: z.string().startsWith('/').optional().describe('path of its Prometheus metrics'),
  servedModel: z.string().min(1).optional().describe('model name that requests to it must carry'),
  slots: z.int().positive().optional().describe('requests sent to it at once; by default no limit'),
  endpoints: EndpointPaths.optional(),
  stopSignal: z
    .enum(['SIGTERM', 'SIGINT', 'SIGKILL'])
    .default('SIGTERM')
    .describe('signal that asks it to end'),
  stopGrace: Duration.prefault('30s').describe('time between the signal and the kill'),
  startTimeout: PositiveDuration.prefault('10m').describe('time until it must answer'),
});
export type CommandOptions = z.infer<typeof CommandOptions>;

const holes: Readonly<Record<string, Hole>> = {
  port: { hole: 'port' },
  host: { hole: 'host' },
  model: { hole: 'model' },
  mmproj: { hole: 'mmproj' },
  'key-file': { hole: 'secret', name: 'key' },
  cache: { hole: 'cache', name: 'cache' },
};

/** `http://{host}:{port}` becomes text and holes; braces around any other word stay as they are. */
export function toArg(text: string): Arg {
  const parts = text
    .split(/(\{[a-z-]+\})/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('{') && holes[part.slice(1, -1)]) || part);
  const [first] = parts;
  if (parts.length <= 1) return first ?? '';
  return parts.every((part) => typeof part === 'string') ? text : { parts };
}

function launch(input: LaunchInput<CommandOptions>): LaunchSpec {
  const { options } = input;
  const [program = '', ...args] = options.command;
  const env = textsOf(options.env);
  const given = secretsOf(options.env);
  const usesCache = [...options.command, ...Object.values(env)].some((text) => text.includes('{cache}'));
  return {
    engine: options.kind,
    program: { binary: program },
    args: args.map(toArg),
    env: Object.fromEntries(Object.entries(env).map(([name, text]) => [name, toArg(text)])),
    ...(options.workdir === undefined ? {} : { workdir: options.workdir }),
    secrets: { ...(input.key ? { key: input.key } : {}), ...given.secrets },
    ...given.rest,
    model: input.model,
    mmproj: input.mmproj,
    writable: usesCache ? ['cache'] : [],
    devices: { vendor: input.gpus > 0 ? 'any' : 'none', count: input.gpus },
    readiness: { path: options.healthPath, startTimeoutMs: options.startTimeout },
    metricsPath: options.metricsPath ?? null,
    stop: { signal: options.stopSignal, graceMs: options.stopGrace },
    slots: options.slots ?? null,
    servedModel: options.servedModel ?? null,
  };
}

/** Any program that listens on a port and has a path that tells its health. */
export const command = {
  kind: 'command',
  title: 'Any program',
  paths: [],
  statedPaths: ({ endpoints }: CommandOptions) => endpoints,
  options: CommandOptions,
  launch,
} as const satisfies Engine<'command', CommandOptions>;
