/**
 * How the words after a flag read as an option of ours. `list` takes all words up to the next flag, `csv` one word with commas,
 * `repeated` one word each time the flag stands there; `toggle` has a spelling that says no.
 */
export type FlagShape =
  | 'text'
  | 'number'
  | 'decimal'
  | 'number-or-text'
  | 'tokens'
  | 'switch'
  | 'toggle'
  | 'on-off-auto'
  | 'list'
  | 'csv'
  | 'csv-numbers'
  | 'repeated'
  | 'json';

/** One flag of a server: all its spellings (the first is written), the variable that means the same, our option. */
export interface FlagRow {
  readonly option: string;
  readonly shape: FlagShape;
  readonly names: readonly [string, ...string[]];
  /** Spellings of a toggle that say no. */
  readonly off?: readonly [string, ...string[]];
  readonly env?: string | null;
  /** Its value is a path of the host: the whole, what stands before the last colon, or what stands after the first "=". */
  readonly path?: 'whole' | 'before-colon' | 'after-equals';
  /** All that its option takes; with another word the flag stays raw, since a newer server may have more. */
  readonly words?: readonly string[];
  /** Given several times, its values are all meant, as if one word had them with commas. */
  readonly adds?: true;
  /** Words that stand for this option with a fixed value, as other versions of the server have them. */
  readonly alike?: Readonly<Record<string, unknown>>;
  /** The one of these values that the others do not take back. */
  readonly stays?: string;
}

export type FlagValues = Map<string, unknown>;

/** How a server spells its flags, beside their names. */
export interface FlagStyle {
  /** "--flag=value" is one word. */
  readonly joined: boolean;
  /** "--max_model_len" is "--max-model-len". */
  readonly underscores: boolean;
  /** "--max-model 8192" is "--max-model-len 8192": as much of a name as tells it from all others is enough. */
  readonly abbreviated?: true;
}

/** A flag begins with a dash and a letter; "-1" is a value. */
export function isFlagWord(word: string): boolean {
  return /^--?[A-Za-z]/.test(word);
}

/** The spelling that a table has, of a word that may have underscores or a value joined to it. */
export function flagName(word: string, style: FlagStyle): string {
  const name = style.joined ? (word.split('=')[0] ?? word) : word;
  return style.underscores && name.startsWith('--') ? name.replaceAll('_', '-') : name;
}

/** Known flags by option, the last one winning, as servers do; and every word that is left, in its order. */
export function readFlags(
  args: readonly string[],
  rows: readonly FlagRow[],
  style: FlagStyle,
): { values: FlagValues; rest: string[] } {
  const values: FlagValues = new Map();
  const rest: string[] = [];
  for (let at = 0; at < args.length;) {
    const taken = takeFlag(args.slice(at, nextFlag(args, at)), { rows, style, values });
    if (taken === 0) rest.push(args[at] as string);
    at += Math.max(1, taken);
  }
  return { values, rest };
}

/** Where the words end that may belong to this one: no flag takes more, and a line of a stranger may have any number of them. */
function nextFlag(args: readonly string[], at: number): number {
  if (!isFlagWord(args[at] ?? '')) return at + 1;
  let end = at + 2;
  while (end < args.length && !isFlagWord(args[end] as string) && !isFlagWord(args[at + 1] as string))
    end += 1;
  return end;
}

/** How many words the flag in front and its value are; 0 when it is none of ours, or when its value is none of its kind. */
function takeFlag(
  words: readonly string[],
  { rows, style, values }: { rows: readonly FlagRow[]; style: FlagStyle; values: FlagValues },
): number {
  const [word = '', ...after] = words;
  if (!isFlagWord(word)) return 0;
  const name = flagName(word, style);
  const row = rows.find((one) => isCalled(one, name));
  const whole = row || !style.abbreviated ? name : wholeName(name, rows);
  if (whole !== name) return takeFlag([word.replace(/^[^=]+/, whole), ...after], { rows, style, values });
  if (!row) return 0;
  if (row.alike && Object.hasOwn(row.alike, name)) {
    const before = values.get(row.option);
    const stronger = row.stays !== undefined && before === row.stays;
    if (!stronger) values.set(row.option, row.alike[name]);
    return 1;
  }
  const joined = style.joined && word.includes('=') ? word.slice(word.indexOf('=') + 1) : null;
  if (has(row.off, name)) {
    values.set(row.option, false);
    return 1;
  }
  const given = joined === null ? valueWords(row.shape, after) : [joined];
  const value = given === null ? null : valueOf(row, given);
  if (given === null || value === null) return 0;
  const before = values.get(row.option);
  if (row.shape === 'repeated') values.set(row.option, [...asList(before), value]);
  else
    values.set(row.option, row.adds && typeof before === 'string' ? `${before},${value as string}` : value);
  return joined === null ? 1 + given.length : 1;
}

function isCalled(row: FlagRow, name: string): boolean {
  return has(row.names, name) || has(row.off, name) || Object.hasOwn(row.alike ?? {}, name);
}

/** The one long name that begins so; the word itself where none or several do. */
function wholeName(begin: string, rows: readonly FlagRow[]): string {
  if (!/^--[a-z][a-z-]{2}/.test(begin)) return begin;
  const names = rows.flatMap((row) => [...row.names, ...(row.off ?? [])]);
  const [one, ...others] = names.filter((name) => name.startsWith(begin));
  return one !== undefined && others.length === 0 ? one : begin;
}

/** Null when the words are no value of this flag. */
function valueOf(row: FlagRow, words: readonly string[]): unknown {
  const value = toValue(row.shape, words);
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  return row.words === undefined || parts.every((one) => has(row.words, String(one))) ? value : null;
}

function has(names: readonly string[] | undefined, name: string): boolean {
  return names?.includes(name) ?? false;
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The words that are the value of a flag; null when it lacks one. */
function valueWords(shape: FlagShape, after: readonly string[]): readonly string[] | null {
  const [next] = after;
  switch (shape) {
    case 'switch':
      return [];
    case 'toggle':
      return /^(true|false)$/i.test(next ?? '') ? [next as string] : [];
    case 'on-off-auto':
      return onOffAuto(next) === null ? [] : [next as string];
    case 'list': {
      const end = after.findIndex(isFlagWord);
      return end === 0 || after.length === 0 ? null : after.slice(0, end < 0 ? undefined : end);
    }
    case 'text':
    case 'number':
    case 'decimal':
    case 'number-or-text':
    case 'tokens':
    case 'csv':
    case 'csv-numbers':
    case 'repeated':
    case 'json':
      return next === undefined ? null : [next];
  }
}

/** Null when the words are no value of this shape. */
export function toValue(shape: FlagShape, words: readonly string[]): unknown {
  const [text = ''] = words;
  switch (shape) {
    case 'switch':
      return words.length === 0 || /^(true|1|on|enabled)$/i.test(text) ? true : null;
    case 'toggle':
      return !/^(false|0|off|disabled)$/i.test(text);
    case 'on-off-auto':
      return words.length === 0 ? 'on' : (onOffAuto(text) ?? text);
    case 'number':
      return /^-?\d+$/.test(text) ? Number(text) : null;
    case 'decimal':
      return isNumber(text) ? Number(text) : null;
    case 'number-or-text':
      return /^-?\d+$/.test(text) ? Number(text) : text;
    case 'tokens':
      return tokens(text);
    case 'list':
      return [...words];
    case 'csv':
      return text.split(',').filter((part) => part !== '');
    case 'csv-numbers':
      return numbers(text);
    case 'json':
      return json(text);
    case 'text':
    case 'repeated':
      return text;
  }
}

function onOffAuto(text: string | undefined): string | null {
  if (/^(on|true|enabled|1)$/.test(text ?? '')) return 'on';
  if (/^(off|false|disabled|0)$/.test(text ?? '')) return 'off';
  return /^(auto|-1)$/.test(text ?? '') ? 'auto' : null;
}

/** "3,1", and "3/1" as shares are written. */
function numbers(text: string): number[] | null {
  const parts = text.split(/[,/]/);
  return parts.every(isNumber) ? parts.map(Number) : null;
}

function isNumber(text: string): boolean {
  return /^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(text);
}

/** "16384", "16k" (thousands), "16K" (times 1024). */
function tokens(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)([kKmM]?)$/.exec(text);
  if (!match) return null;
  const factor = { '': 1, k: 1e3, K: 1024, m: 1e6, M: 1024 ** 2 }[match[2] ?? ''] ?? 1;
  return Math.floor(Number(match[1]) * factor);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Options that stand in variables, where the command line is silent; and flags for what options of the file cannot say. */
export function addFromEnv(
  values: FlagValues,
  rows: readonly FlagRow[],
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  return rows.flatMap((row) => {
    const text = row.env ? env[row.env] : undefined;
    if (text === undefined || values.has(row.option)) return [];
    const value = valueOf(row, [text]);
    if (value === null) return row.words === undefined ? [] : [row.names[0], text];
    values.set(row.option, row.shape === 'repeated' ? [value] : value);
    return [];
  });
}

/** The words of an option on the command line. */
export function writeFlag(row: FlagRow, value: unknown): { flag: string; values: readonly string[] }[] {
  const [flag] = row.names;
  switch (row.shape) {
    case 'switch':
      return value === true ? [{ flag, values: [] }] : [];
    case 'toggle':
      return [{ flag: value === true ? flag : (row.off?.[0] ?? flag), values: [] }];
    case 'list':
      return [{ flag, values: asList(value).map(String) }];
    case 'csv':
    case 'csv-numbers':
      return [{ flag, values: [asList(value).join(',')] }];
    case 'repeated':
      return asList(value).map((one) => ({ flag, values: [String(one)] }));
    case 'json':
      return [{ flag, values: [JSON.stringify(value)] }];
    case 'text':
    case 'number':
    case 'decimal':
    case 'number-or-text':
    case 'tokens':
    case 'on-off-auto':
      return [{ flag, values: [String(value)] }];
  }
}
