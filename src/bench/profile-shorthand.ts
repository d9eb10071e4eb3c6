import { BerthError } from '../domain/errors/berth-error.ts';

type Options = { kind: string } & Record<string, unknown>;

/** What a list of rates is called by each kind of profile. */
const rateKeys: Readonly<Record<string, string>> = {
  concurrent: 'streams',
  constant: 'rates',
  poisson: 'rates',
  gamma: 'rates',
};
/** Other tools' names of the same loads. */
const otherNames: Readonly<Record<string, string>> = { async: 'constant' };

/**
 * A profile from the command line: a kind ("poisson"), or "kind=gamma,shape=0.5,rates=[1,5]", the way GuideLLM takes it.
 * `rates` fills the list that the kind has. Throws USAGE when the text is no such list, or the kind has no rates.
 */
export function parseProfile(text: string, rates: readonly number[] | null): Options {
  const options: Options = text.includes('=') ? pairs(text) : { kind: text };
  options.kind = otherNames[options.kind] ?? options.kind;
  if ('rate' in options) {
    options[rateKeys[options.kind] ?? 'rates'] = [options['rate']].flat();
    delete options['rate'];
  }
  if (rates === null) return options;
  const key = rateKeys[options.kind];
  if (key === undefined) throw usage(`the profile ${options.kind} has no rates`);
  return { ...options, [key]: [...rates] };
}

function pairs(text: string): Options {
  // Commas inside brackets belong to a value.
  const parts = text.match(/[^,[]*(?:\[[^\]]*\])?[^,]*/g)?.filter((part) => part !== '') ?? [];
  const options: Record<string, unknown> = {};
  for (const part of parts) {
    const [, key, value] = /^\s*(\w+)=(.*)$/s.exec(part) ?? [];
    if (key === undefined || value === undefined) throw usage(`"${part}" is no key=value`);
    options[key] = valueOf(value.trim());
  }
  if (typeof options['kind'] !== 'string') throw usage('it does not say kind=…');
  return options as Options;
}

function valueOf(text: string): unknown {
  if (!/^[[\d.-]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`"${text}" is no number and no list of numbers`);
  }
}

function usage(reason: string): BerthError {
  return new BerthError('USAGE', {
    detail: `--profile is a kind, or kind=poisson,rates=[1,5]: ${reason}.`,
    command: 'bench',
  });
}
