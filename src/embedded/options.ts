import { parseArgs } from 'node:util';
import { BerthError } from '../domain/errors/berth-error.ts';

/** The command line of the embedded engine's program. */
export interface EmbeddedOptions {
  readonly model: string;
  readonly host: string;
  readonly port: number;
  /** The name in replies; the path of the model when null. */
  readonly alias: string | null;
  readonly slots: number;
  /** Tokens per request, prompt and answer together. */
  readonly context: number;
  /** Null: by the rule in threads.ts. */
  readonly threads: number | null;
  readonly batch: number;
  readonly flashAttention: 'auto' | 'on' | 'off';
  readonly embeddings: boolean;
  readonly queue: number;
  readonly apiKeyFile: string | null;
  /** `off`: processor only. The others need that build of the library, which the user installs. */
  readonly gpu: 'off' | 'auto' | 'cuda' | 'vulkan';
  /** A folder whose node_modules holds the library. */
  readonly library: string | null;
  /** `direct` and `library` force one way of decoding; `auto` tests the direct one first. */
  readonly decoder: 'auto' | 'direct' | 'library';
}

const flags = {
  model: { type: 'string' },
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '0' },
  alias: { type: 'string' },
  slots: { type: 'string', default: '4' },
  context: { type: 'string', default: '2048' },
  threads: { type: 'string' },
  batch: { type: 'string', default: '512' },
  'flash-attention': { type: 'string', default: 'auto' },
  embeddings: { type: 'boolean', default: false },
  queue: { type: 'string', default: '256' },
  'api-key-file': { type: 'string' },
  gpu: { type: 'string', default: 'off' },
  library: { type: 'string' },
  decoder: { type: 'string', default: 'auto' },
} as const;

/** Throws ENGINE_FLAGS for unknown flags and values out of range. */
export function parseOptions(argv: readonly string[]): EmbeddedOptions {
  const values = read(argv);
  if (!values.model) throw usage('--model FILE is required');
  const slots = whole('slots', values.slots, 1, 256);
  return {
    model: values.model,
    host: values.host,
    port: whole('port', values.port, 0, 65_535),
    alias: values.alias ?? null,
    slots,
    context: whole('context', values.context, 8, 16_777_216),
    threads: values.threads === undefined ? null : whole('threads', values.threads, 1, 1024),
    // Every running answer has one token in each step.
    batch: Math.max(whole('batch', values.batch, 1, 65_536), slots),
    flashAttention: oneOf('flash-attention', values['flash-attention'], ['auto', 'on', 'off']),
    embeddings: values.embeddings,
    queue: whole('queue', values.queue, 0, 1_000_000),
    apiKeyFile: values['api-key-file'] ?? null,
    gpu: oneOf('gpu', values.gpu, ['off', 'auto', 'cuda', 'vulkan']),
    library: values.library ?? null,
    decoder: oneOf('decoder', values.decoder, ['auto', 'direct', 'library']),
  };
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, strict: true }).values;
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
    throw usage(`--${name} is a whole number from ${least} to ${most}, not "${text}"`);
  return value;
}

function oneOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (!found) throw usage(`--${name} is one of ${choices.join(', ')}, not "${text}"`);
  return found;
}

function usage(detail: string): BerthError {
  return new BerthError('ENGINE_FLAGS', { detail });
}
