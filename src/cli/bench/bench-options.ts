import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseData } from '../../bench/data-shorthand.ts';
import { makeSpec } from '../../bench/run/make-spec.ts';
import type { Wanted } from '../../bench/run/make-spec.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { Threshold } from '../../domain/threshold.ts';
import { readPairs } from '../../bench/key-values.ts';
import { count, number, positive, usage } from './bench-numbers.ts';
import { addAgainstOptions, against } from './bench-against.ts';
import type { AgainstOptions } from './bench-against.ts';
import { addEndingOptions, endings } from './bench-endings.ts';
import type { EndingOptions } from './bench-endings.ts';
import { addLoadOptions, profileOf } from './bench-load.ts';
import type { LoadOptions } from './bench-load.ts';
import { addServerOptions, endpointWords, isServer } from './bench-server-options.ts';
import type { ServerOptions } from './bench-server-options.ts';
import { addOtherToolsOptions, inOwnWords, warmupOfPairs } from './bench-other-tools.ts';
import type { OtherToolsOptions } from './bench-other-tools.ts';

/** Options of `berth bench`. Those of the load change a benchmark of the fleet file too, for this one run. */
export interface BenchOptions
  extends OtherToolsOptions, EndingOptions, LoadOptions, ServerOptions, AgainstOptions {
  readonly file: readonly string[];
  readonly again?: string;
  readonly resume?: string;
  readonly name?: string;
  readonly data?: string;
  readonly columns?: string;
  readonly promptTokens?: string;
  readonly outputTokens?: string;
  readonly maxSeconds?: string;
  readonly maxRequests?: string;
  readonly warmup?: string;
  readonly cache?: string;
  readonly slo?: string;
  readonly threshold?: readonly string[];
  readonly maxErrors?: string;
  readonly maxErrorRate?: string;
  readonly temperature?: string;
  readonly seed?: string;
  readonly keepOutputs?: boolean;
  readonly records?: string;
  readonly stream: boolean;
  readonly calibrate: boolean;
}

export function addBenchOptions(command: Command): Command {
  const first = addServerOptions(command)
    .option('--resume <run>', 'go on with a run that was interrupted or killed, at the stage it was at')
    .option('--again <run>', 'measure again what a run measured, from its own report')
    .option('--name <name>', "name of the run's folder");
  const own = addLoadOptions(first)
    .option(
      '--data <what>',
      'file of prompts (.jsonl, .csv, .parquet, .json of ShareGPT), or prompt_tokens=256,prompt_tokens_stdev=32,output_tokens=128,prefix_tokens=64',
    )
    .option('--columns <list>', 'which columns of the file hold what: prompt=question,output=max_new_tokens')
    .option('--prompt-tokens <count>', 'tokens of each prompt')
    .option('--output-tokens <count>', 'tokens to ask for')
    .option('--max-seconds <seconds>', 'length of a stage (default 30)')
    .option('--max-requests <count>', 'requests of a stage')
    .option(
      '--warmup <count>',
      'requests before the measured ones, seconds as "5s", or a share of the stage as 0.1 (default one a stream)',
    )
    .option(
      '--cache <state>',
      "the server's prefix cache: cold (default), warm, or shared:0.5 of each prompt",
    )
    .option('--slo <list>', 'what one request must keep, in ms: ttft=500,tpot=50,e2e=10000')
    .option(
      '--threshold <figure...>',
      'what each stage must keep, else exit code 3: "ttft.p95 < 500" "goodput >= 0.99"',
    )
    .option('--max-errors <count>', 'end the run after more failures than this')
    .option('--max-error-rate <share>', 'end the run when more than this share fails (0 to 1)')
    .option('--temperature <number>', 'temperature of each request')
    .option('--seed <number>', 'the same seed sends the same prompts (default 1)')
    .option('--keep-outputs', 'keep the text of the answers in the records')
    .option(
      '--records <form>',
      'lines, or columns for very many requests (default: columns from 100,000 a stage on)',
    )
    .option('--no-stream', 'ask for whole answers; there is no TTFT then')
    .option('--no-calibrate', "leave out the measurement of the client's own error");
  return addOtherToolsOptions(addAgainstOptions(addEndingOptions(own)));
}

/** A run of the server at a URL, from the command line alone. */
export function specOfUrl(url: string, options: BenchOptions, cwd: string): RunSpec {
  const base = url.replace(/\/+$/, '').replace(/\/v1$/, '');
  return makeSpec(
    options.name ?? new URL(base).hostname,
    overlaid({ profile: { kind: 'synchronous' } }, options, cwd),
    {
      url: base,
      api: 'chat',
      model: options.model ?? null,
      key: options.keyEnv === undefined ? null : { env: options.keyEnv },
      tokenizer: isServer(options.tokenizer) ? (options.tokenizer ?? null) : null,
      metrics: options.metrics ?? base,
      gpuMetrics: options.gpuMetrics ?? null,
      deployment: null,
      engine: null,
    },
  );
}

/** What the command line says lies over what the benchmark says. */
export function overlaid(base: Wanted, said: BenchOptions, cwd: string): Wanted {
  const options = inOwnWords(said);
  const wanted: Wanted = { ...base };
  const { profile, warmup } = profileOf(options) ?? {};
  if (profile) wanted.profile = profile;
  const endpoint = endpointWords(options);
  if (endpoint !== undefined) wanted.endpoint = endpoint;
  if (options.data !== undefined) wanted.data = parseData(options.data);
  if (options.columns !== undefined) wanted.data = withColumns(wanted.data, options.columns);
  const lengths = {
    ...(options.promptTokens && { prompt: count(options.promptTokens, '--prompt-tokens') }),
    ...(options.outputTokens && { output: count(options.outputTokens, '--output-tokens') }),
  };
  if (wanted.data !== undefined || Object.keys(lengths).length > 0)
    wanted.data = { ...inPlace(wanted.data ?? { kind: 'synthetic' }, cwd), ...lengths };
  wanted.profile = inPlace(wanted.profile, cwd);
  limit(wanted, options);
  const warming = options.warmup ?? warmup;
  if (warming !== undefined) wanted.warmup = warmupOf(warming, wanted);
  if (options.tokenizer !== undefined && !isServer(options.tokenizer)) wanted.tokenizer = options.tokenizer;
  if (wanted.tokenizer !== undefined) wanted.tokenizer = resolve(cwd, wanted.tokenizer);
  if (options.cache !== undefined) wanted.cache = cacheOf(options.cache);
  objectives(wanted, options);
  endings(wanted, options);
  against(wanted, options);
  if (options.temperature !== undefined) wanted.temperature = number(options.temperature, '--temperature');
  if (options.seed !== undefined) wanted.seed = Math.trunc(number(options.seed, '--seed'));
  if (options.keepOutputs) wanted.keepOutputs = true;
  if (options.records !== undefined) wanted.records = formOf(options.records);
  if (!options.stream) wanted.stream = false;
  if (!options.calibrate) wanted.calibrate = false;
  return wanted;
}

function withColumns(data: Wanted['data'], text: string): NonNullable<Wanted['data']> {
  if (data === undefined) throw usage('--columns belongs to a file of prompts: name one with --data.');
  return { ...data, columns: readPairs(text, (reason) => usage(`--columns: ${reason}.`)) } as typeof data;
}

/** Files are named from where the command runs. */
function inPlace<Options extends { kind: string }>(options: Options, cwd: string): Options {
  const found: Record<string, unknown> = { ...options };
  for (const key of ['file', 'source'])
    if (typeof found[key] === 'string') found[key] = resolve(cwd, found[key]);
  return found as Options;
}

/** A limit on the command line replaces both of the benchmark's. */
function limit(wanted: Wanted, options: BenchOptions): void {
  if (options.maxSeconds === undefined && options.maxRequests === undefined) return;
  delete wanted.seconds;
  delete wanted.requests;
  if (options.maxSeconds !== undefined) wanted.seconds = positive(options.maxSeconds, '--max-seconds');
  if (options.maxRequests !== undefined) wanted.requests = count(options.maxRequests, '--max-requests');
}

function objectives(wanted: Wanted, options: BenchOptions): void {
  if (options.slo !== undefined) wanted.slo = sloOf(options.slo);
  if (options.threshold !== undefined) wanted.thresholds = options.threshold.map(thresholdOf);
  if (options.maxErrors !== undefined)
    wanted.maxErrors = Math.trunc(number(options.maxErrors, '--max-errors'));
  if (options.maxErrorRate !== undefined)
    wanted.maxErrorRate = Math.min(1, number(options.maxErrorRate, '--max-error-rate'));
}

/** Both "ttft=500,tpot=50" and the "ttft:500 tpot:50 e2el:9000" of other tools. */
function sloOf(text: string): NonNullable<Wanted['slo']> {
  const slo: NonNullable<Wanted['slo']> = {};
  for (const part of text.split(/[\s,]+/)) {
    const [, name, ms] = /^(ttft|tpot|e2el?)[=:](.+)$/.exec(part) ?? [];
    if (name === undefined || ms === undefined)
      throw usage(`--slo wants ttft, tpot and e2e with milliseconds, such as ttft=500; not "${part}".`);
    slo[name === 'e2el' ? 'e2e' : (name as 'ttft' | 'tpot' | 'e2e')] = positive(ms, '--slo');
  }
  return slo;
}

function thresholdOf(text: string): string {
  const parsed = Threshold.safeParse(text);
  if (parsed.success) return parsed.data;
  throw usage(`--threshold "${text}": ${parsed.error.issues.map(({ message }) => message).join('; ')}.`);
}

function warmupOf(said: unknown, wanted: Wanted): Exclude<Wanted['warmup'], undefined> {
  const { seconds, requests } = wanted;
  if (typeof said !== 'string') return warmupOfPairs(said, { seconds, requests });
  if (said.endsWith('s')) return { seconds: positive(said.slice(0, -1), '--warmup') };
  if (/[={]/.test(said)) return warmupOfPairs(readPairs(said, usage), { seconds, requests });
  const value = number(said, '--warmup');
  if (value < 1) return warmupOfPairs(value, { seconds, requests });
  return count(said, '--warmup');
}

function cacheOf(text: string): Exclude<Wanted['cache'], undefined> {
  if (text === 'cold' || text === 'warm') return text;
  const share = Number(/^shared[:=(]([\d.]+)\)?$/.exec(text)?.[1]);
  if (share > 0 && share < 1) return { shared: share };
  throw usage(`--cache is cold, warm or shared:0.5 (a share between 0 and 1), not "${text}".`);
}

function formOf(text: string): 'lines' | 'columns' {
  if (text === 'lines' || text === 'columns') return text;
  throw usage(`--records is lines or columns, not ${text}.`);
}
