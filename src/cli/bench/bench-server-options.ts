import type { Command } from 'commander';
import { readPairs } from '../../bench/key-values.ts';
import type { Wanted } from '../../bench/run/make-spec.ts';
import { usage } from './bench-numbers.ts';

/** What is asked of whom. */
export interface ServerOptions {
  readonly model?: string;
  readonly keyEnv?: string;
  readonly tokenizer?: string;
  readonly metrics?: string;
  readonly gpuMetrics?: string;
  readonly endpoint?: string;
  readonly api?: string;
}

export function addServerOptions(command: Command): Command {
  return command
    .option('--model <name>', 'model to ask for (default: the first one that the server lists)')
    .option('--key-env <variable>', "environment variable that holds the server's key")
    .option(
      '--tokenizer <where>',
      'server that has /tokenize, or a tokenizer.json, if the measured one has no /tokenize',
    )
    .option(
      '--metrics <url>',
      "server whose /metrics holds the engine's counters, if the measured one has none",
    )
    .option(
      '--gpu-metrics <url>',
      "metrics of a DCGM exporter that sees the server's GPUs, if they are elsewhere",
    )
    .option(
      '--endpoint <what>',
      'API to ask: chat (default), completions, responses, embeddings, rerank, or kind=embeddings,inputs=8',
    )
    .option('--api <api>', 'older name of --endpoint');
}

/** --tokenizer is a server or a file. */
export function isServer(where: string | undefined): boolean {
  return where !== undefined && /^https?:\/\//.test(where);
}

/** What the registry of endpoints does not know it says itself. */
export function endpointWords({ endpoint, api }: ServerOptions): Wanted['endpoint'] {
  const text = endpoint ?? api;
  if (text === undefined) return undefined;
  if (!/[={]/.test(text)) return text;
  const options = readPairs(text, usage);
  if (typeof options['kind'] !== 'string') throw usage('--endpoint does not say kind=…');
  return { ...options, kind: options['kind'] };
}
