import type { Command } from 'commander';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { KeyFault } from '../domain/errors/key-errors.ts';
import type { ErrorFacts } from '../domain/errors/table.ts';
import { Duration } from '../domain/units.ts';

/** What a key may do and take, as it is typed. */
export interface KeyOptions {
  readonly model: readonly string[];
  readonly endpoint: readonly string[];
  readonly control?: boolean;
  readonly expires?: string;
  readonly rpm?: string;
  readonly tpm?: string;
  readonly concurrent?: string;
  readonly priority?: string;
  readonly dayTokens?: string;
  readonly dayUsd?: string;
  readonly monthTokens?: string;
  readonly monthUsd?: string;
}

export function addKeyOptions(command: Command): Command {
  return command
    .option('--model <name>', 'it may ask for this route and its aliases alone; may be repeated', gather, [])
    .option(
      '--endpoint <path>',
      'it may use this path alone, such as /v1/embeddings; may be repeated',
      gather,
      [],
    )
    .option('--expires <when>', 'after so long (30d, 12h) or at a time (2030-01-31T00:00:00Z)')
    .option('--control', "it opens the gateway's control paths too")
    .option('--rpm <count>', 'requests per minute')
    .option('--tpm <count>', 'tokens per minute, prompts and answers together')
    .option('--concurrent <count>', 'requests under way at once')
    .option('--priority <band>', 'who goes first in the queue: high, normal or low')
    .option('--day-tokens <count>', 'tokens per day (UTC)')
    .option('--day-usd <amount>', 'money per day, by gateway.prices')
    .option('--month-tokens <count>', 'tokens per month (UTC)')
    .option('--month-usd <amount>', 'money per month');
}

function gather(word: string, before: string[]): string[] {
  return [...before, word];
}

/** What is asked for, in the form of a KeyWish; whoever makes the key checks it. Throws USAGE. */
export function wishOf(name: string, options: KeyOptions, now: Date): Record<string, unknown> {
  return {
    name,
    models: options.model.length > 0 ? options.model : null,
    endpoints: options.endpoint.length > 0 ? options.endpoint : null,
    control: options.control ?? false,
    expiresAt: options.expires === undefined ? null : timeOf(options.expires, now),
    limits: limitsOf(options),
  };
}

function limitsOf(options: KeyOptions): Record<string, unknown> | null {
  const budget = some({
    day: some({ tokens: count(options.dayTokens), usd: count(options.dayUsd) }),
    month: some({ tokens: count(options.monthTokens), usd: count(options.monthUsd) }),
  });
  const limits = some({
    rpm: count(options.rpm),
    tpm: count(options.tpm),
    concurrent: count(options.concurrent),
    priority: options.priority,
    budget,
  });
  return limits ?? null;
}

/** Without what is undefined; undefined when nothing is left. */
function some(values: Record<string, unknown>): Record<string, unknown> | undefined {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** What is no number is told as such by the check of the whole. */
function count(text: string | undefined): number | string | undefined {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

const counts = 'a whole number of at least 1 is wanted';
const amounts = 'a number above 0 is wanted';

/** Fields of a wish, the options that say them, and what these want, where the check of the field says it in words of programs. */
const typedAs: Readonly<Record<string, readonly [option: keyof KeyOptions, wanted?: string]>> = {
  models: ['model'],
  endpoints: ['endpoint'],
  expiresAt: ['expires'],
  'limits.rpm': ['rpm', counts],
  'limits.tpm': ['tpm', counts],
  'limits.concurrent': ['concurrent', counts],
  'limits.priority': ['priority', 'high, normal or low is wanted'],
  'limits.budget.day.tokens': ['dayTokens', counts],
  'limits.budget.day.usd': ['dayUsd', amounts],
  'limits.budget.month.tokens': ['monthTokens', counts],
  'limits.budget.month.usd': ['monthUsd', amounts],
};

/** Makes a key; faults of what it is to be name what was typed, beside the field. */
export async function byWhatWasTyped<Made>(given: KeyOptions, make: () => Promise<Made>): Promise<Made> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'KEY_WISH_INVALID') throw error;
    const { faults } = error.facts as ErrorFacts<'KEY_WISH_INVALID'>;
    throw new BerthError(
      'KEY_WISH_INVALID',
      { faults: faults.map((fault) => ({ ...fault, ...typedFor(fault.field, given) })) },
      { cause: error },
    );
  }
}

/** `limits.rpm` → `--rpm many`; nothing for what no option says. */
function typedFor(field: string, given: KeyOptions): Partial<KeyFault> {
  const [, base = field, index = '0'] = /^(.*)\.(\d+)$/.exec(field) ?? [];
  const [option, text] = typedAs[base] ?? [];
  if (!option) return {};
  const value = given[option];
  const flag = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const typed = `${flag} ${typeof value === 'object' ? value[Number(index)] : value}`;
  return { typed, ...(text === undefined ? {} : { text }) };
}

/** "30d" from now, or a time as it is. */
function timeOf(text: string, now: Date): string {
  const lasts = Duration.safeParse(text);
  if (lasts.success) return new Date(now.getTime() + lasts.data).toISOString();
  const at = new Date(text);
  if (Number.isNaN(at.getTime()))
    throw new BerthError('USAGE', {
      detail: `--expires ${text} is neither a length such as 30d nor a time`,
      command: 'keys add',
    });
  return at.toISOString();
}

/** How long an old secret stays good, in ms. Throws USAGE. */
export function graceOf(text: string): number {
  const grace = Duration.safeParse(text);
  if (grace.success) return grace.data;
  throw new BerthError('USAGE', {
    detail: `--grace ${text} is no length such as 10m`,
    command: 'keys rotate',
  });
}
