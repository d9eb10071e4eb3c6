import type { Command } from 'commander';
import { readPairs } from '../../bench/key-values.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';

/** Options as other tools call them; each says the same as one of berth's own. */
export interface OtherToolsOptions {
  readonly target?: string;
  readonly rateType?: string;
  readonly constraint?: readonly string[];
  readonly randomSeed?: string;
  readonly rampup?: string;
}

interface Own {
  readonly profile?: string;
  readonly maxSeconds?: string;
  readonly maxRequests?: string;
  readonly maxErrors?: string;
  readonly maxErrorRate?: string;
  readonly stopOverSaturated?: string | true;
  readonly seed?: string;
  readonly rampUp?: string;
}

export function addOtherToolsOptions(command: Command): Command {
  return command
    .option('--target <url>', 'the URL, as GuideLLM takes it')
    .option('--rate-type <what>', 'the same as --profile')
    .option(
      '--constraint <what...>',
      'limits as GuideLLM takes them: kind=max_duration,seconds=120 kind=max_requests,count=100',
    )
    .option('--random-seed <number>', 'the same as --seed')
    .option('--rampup <seconds>', 'the same as --ramp-up');
}

/** The options with what was said in another tool's words said in berth's. Throws USAGE when one is said twice. */
export function inOwnWords<Options extends OtherToolsOptions & Own>(options: Options): Options {
  const own: Record<string, string> = {};
  if (options.rateType !== undefined) own['profile'] = options.rateType;
  if (options.randomSeed !== undefined) own['seed'] = options.randomSeed;
  if (options.rampup !== undefined) own['rampUp'] = options.rampup;
  for (const text of options.constraint ?? []) Object.assign(own, limitOf(text));
  const twice = Object.keys(own).find((key) => options[key as keyof Own] !== undefined);
  if (twice !== undefined) throw usage(`${twice} is said twice, in two words for it.`);
  const seed = own['seed'] ?? options.seed;
  if (seed?.includes('=')) own['seed'] = String(readPairs(seed, usage)['value']);
  return { ...options, ...own };
}

function limitOf(text: string): Record<string, string> {
  const said = readPairs(text, (reason) => usage(`--constraint: ${reason}.`));
  switch (said['kind']) {
    case 'max_duration':
      return { maxSeconds: String(said['seconds']) };
    case 'max_requests':
      return { maxRequests: String(said['count']) };
    case 'max_errors':
      return { maxErrors: String(said['count']) };
    case 'max_error_rate':
    case 'max_global_error_rate':
      return { maxErrorRate: String(said['rate']) };
    case 'over_saturation':
      return { stopOverSaturated: '30' };
    default:
      throw usage(
        `--constraint knows max_duration, max_requests, max_errors, max_error_rate, max_global_error_rate and over_saturation, not "${String(said['kind'])}".`,
      );
  }
}

/** What GuideLLM's warm-up says, in berth's: below 1 a fraction of the stage, else requests, or seconds by its mode. */
export function warmupOfPairs(
  said: unknown,
  limits: { seconds: number | undefined; requests: number | undefined },
): { seconds: number } | { requests: number } | number {
  const { value, mode } =
    typeof said === 'object' && said !== null ? partsOf(said) : { value: Number(said), mode: '' };
  if (!Number.isFinite(value) || value < 0)
    throw usage(`a warm-up is a number, not ${JSON.stringify(said)}.`);
  if (value === 0) return 0;
  if (value < 1) {
    if (limits.seconds !== undefined) return { seconds: value * limits.seconds };
    if (limits.requests !== undefined) return { requests: Math.ceil(value * limits.requests) };
    throw usage('a warm-up below 1 is a fraction of a stage: say --max-seconds or --max-requests.');
  }
  return /duration|seconds/.test(mode) ? { seconds: value } : { requests: Math.round(value) };
}

function partsOf(said: object): { value: number; mode: string } {
  const { value, percent, mode } = said as Record<string, unknown>;
  return { value: Number(value ?? percent), mode: typeof mode === 'string' ? mode : '' };
}

function usage(detail: string): BerthError {
  return new BerthError('USAGE', { detail, command: 'bench' });
}
