import { BerthError } from '../errors/berth-error.ts';
import type { Arg } from '../launch-spec.ts';
import { nearest } from '../nearest.ts';
import { flagName, isFlagWord } from './flag-rows.ts';
import type { FlagStyle } from './flag-rows.ts';
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

/** How flags of one server changed over its versions. */
export interface FlagDrift {
  readonly style: FlagStyle;
  /** One of our flags in the words of the build at hand; none where it has no word and none is needed. */
  readonly olderForm: (use: FlagUse, known: KnownFlags) => FlagUse[];
  /** What says the same now as a flag that was dropped. */
  readonly renamed: ReadonlyMap<string, string>;
}

/**
 * Arguments that this very build takes: newer flags are said in its older words where it has them, and what it
 * does not know at all is refused before anything is started. Without a help page nothing is checked.
 */
export function fitToHelp(
  uses: readonly FlagUse[],
  about: { program: string; help: string | null; drift: FlagDrift },
): Arg[] {
  const known = parseHelp(about.help ?? '');
  if (known.size < fewestFlags) return uses.filter((use) => !use.optional).flatMap(toArgs);
  const { drift } = about;
  const fitted = uses.flatMap((use) => (use.raw ? [use] : drift.olderForm(use, known)));
  const unknown = fitted.filter((use) => isFlag(use) && !knows(known, use.flag, drift.style));
  const refused = unknown.filter((use) => !use.optional);
  if (refused.length > 0) {
    throw new BerthError('ENGINE_FLAGS_UNKNOWN', {
      program: about.program,
      unknown: refused.map(({ flag }) => ({ flag, nearest: nearestFlag(flag, known, drift) })),
    });
  }
  return fitted.filter((use) => !unknown.includes(use)).flatMap(toArgs);
}

/** Raw words are flags or values of flags; negative numbers are values. */
function isFlag(use: FlagUse): boolean {
  return !use.raw || isFlagWord(use.flag);
}

/** "--rope-scaling.factor 2" sets one part of a flag's value; "-O3" is "-O 3". */
function knows(known: KnownFlags, word: string, style: FlagStyle): boolean {
  const name = flagName(word, style);
  if (known.has(name)) return true;
  if (!style.joined) return false;
  return (
    known.has(name.split('.')[0] ?? name) || (/^-[A-Za-z]\d+$/.test(name) && known.has(name.slice(0, 2)))
  );
}

function nearestFlag(flag: string, known: KnownFlags, drift: FlagDrift): string | null {
  const modern = drift.renamed.get(flagName(flag, drift.style));
  if (modern !== undefined && known.has(modern.split(' ')[0] ?? '')) return modern;
  const long = [...known.keys()].filter((name) => name.startsWith('--') === flag.startsWith('--'));
  return nearest(flag.split('=')[0] ?? flag, long);
}

function toArgs(use: FlagUse): Arg[] {
  return [use.flag, ...(use.values ?? [])];
}
