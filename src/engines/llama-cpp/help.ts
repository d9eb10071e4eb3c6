import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Arg } from '../../domain/launch-spec.ts';
import { nearest } from '../../domain/nearest.ts';
import { olderForm, renamed } from './drift.ts';
import type { FlagHelp, FlagUse, KnownFlags } from './flag-use.ts';

/** Fewer flags than this is no help page of a server, but an error text. */
const fewestFlags = 10;

/**
 * The flags of a `--help` page: a row begins with a dash, has spellings separated by commas, then the value's
 * name, and after at least two blanks the description, which goes on in indented rows. Flags that are listed
 * only to say that they were removed are left out.
 */
export function parseHelp(text: string): KnownFlags {
  const known = new Map<string, FlagHelp>();
  for (const entry of text.split(/\n(?=\s{0,4}-[-A-Za-z])/)) {
    const row = /^\s{0,4}(-.*?[^,\s])(?:\s{2,}|\n|$)/.exec(entry)?.[1];
    if (row === undefined || /has been removed/.test(entry)) continue;
    const spellings = [...row.matchAll(/(?:^|[\s,])(--?[A-Za-z][\w-]*)/g)].map((match) => match[1] as string);
    const last = spellings.at(-1) ?? '';
    const value = row.slice(row.lastIndexOf(last) + last.length).trim();
    const description = entry
      .slice(entry.indexOf(row) + row.length)
      .replace(/\s+/g, ' ')
      .trim();
    for (const spelling of spellings) known.set(spelling, { value, text: description });
  }
  return known;
}

/**
 * Arguments that this very build takes: newer flags are said in its older words where it has them, and what it
 * does not know at all is refused before anything is started. Without a help page nothing is checked.
 */
export function fitToHelp(uses: readonly FlagUse[], about: { program: string; help: string | null }): Arg[] {
  const known = parseHelp(about.help ?? '');
  if (known.size < fewestFlags) return uses.filter((use) => !use.optional).flatMap(toArgs);
  const fitted = uses.flatMap((use) => (use.raw ? [use] : olderForm(use, known)));
  const unknown = fitted.filter((use) => isFlag(use) && !known.has(use.flag));
  const refused = unknown.filter((use) => !use.optional);
  if (refused.length > 0) {
    throw new BerthError('ENGINE_FLAGS_UNKNOWN', {
      program: about.program,
      unknown: refused.map(({ flag }) => ({ flag, nearest: nearestFlag(flag, known) })),
    });
  }
  return fitted.filter((use) => !unknown.includes(use)).flatMap(toArgs);
}

/** Raw words are flags or values of flags; negative numbers are values. */
function isFlag(use: FlagUse): boolean {
  return !use.raw || /^--?[A-Za-z]/.test(use.flag);
}

function nearestFlag(flag: string, known: KnownFlags): string | null {
  const modern = renamed.get(flag);
  if (modern !== undefined && known.has(modern.split(' ')[0] ?? '')) return modern;
  const long = [...known.keys()].filter((name) => name.startsWith('--') === flag.startsWith('--'));
  return nearest(flag.split('=')[0] ?? flag, long);
}

function toArgs(use: FlagUse): Arg[] {
  return use.value === undefined ? [use.flag] : [use.flag, use.value];
}
