import { secretVariable } from '../audit/secret-variable.ts';
import { takes } from './room.ts';
import type { Room } from './room.ts';
import { arrayWords, shellCommands } from './shell-words.ts';
import { leadingAssignments } from './wrappers.ts';

type Variables = Readonly<Record<string, string>>;

/** What a text knows at one place of it. */
interface Known {
  readonly given: Variables;
  readonly set: Map<string, string>;
  readonly lists: Map<string, string[]>;
  readonly exported: Set<string>;
  readonly room: Room;
}

/**
 * The commands of a shell text with its variables put in, as far as they are known: those of the process, those that the text sets
 * before, and what "${NAME:-default}" says itself. All others stay as written, and so does every secret, and all for which there
 * is no room.
 */
export function fillVariables(
  commands: readonly (readonly string[])[],
  given: Variables,
  room: Room,
): string[][] {
  const known: Known = { given, set: new Map(), lists: new Map(), exported: new Set(), room };
  let exportsAll = false;
  return commands.flatMap((command) => {
    const exporting = exporter(command);
    const assigned = takeArrays(exporting ? command.slice(exporting) : command, known);
    if (exporting) {
      for (const word of assigned) exportWord(word, known);
      return [];
    }
    if (command.length === 2 && command[0] === 'set' && /^-[a-z]+$/i.test(command[1] ?? ''))
      exportsAll ||= command[1]?.includes('a') === true;
    const { env, words: rest } = leadingAssignments(assigned.map((word) => whole(word, known)));
    if (rest.length > 0) return [[...exports(known), ...command.flatMap((word) => wordsOf(word, known))]];
    for (const [name, value] of Object.entries(env)) {
      known.set.set(name, filled(value, known).join(' '));
      if (exportsAll) known.exported.add(name);
    }
    return [];
  });
}

/** `export NAME NAME=value`, in any order. */
function exportWord(word: string, known: Known): void {
  const { env } = leadingAssignments([whole(word, known)]);
  for (const [name, value] of Object.entries(env)) known.set.set(name, filled(value, known).join(' '));
  for (const name of [...Object.keys(env), word]) if (/^[A-Za-z_]\w*$/.test(name)) known.exported.add(name);
}

/** Notes what arrays are set to, and gives the other words. */
function takeArrays(words: readonly string[], known: Known): string[] {
  return words.filter((word) => {
    const [, name = '', adds, inner = ''] = arrayWords.exec(word) ?? [];
    if (name === '') return true;
    const said = shellCommands(inner)
      .flat()
      .flatMap((one) => wordsOf(one, known));
    const before = adds ? known.lists.get(name) : undefined;
    if (before === undefined) known.lists.set(name, said);
    else for (const one of said) before.push(one);
    return false;
  });
}

/** What becomes of one word: all words of an array, or itself with its variables put in. */
function wordsOf(word: string, known: Known): readonly string[] {
  const list = known.lists.get(listIn(word));
  if (list === undefined) return filled(word, known);
  if (known.room.left === 0) return [word];
  const size = list.reduce((sum, one) => sum + one.length + 4, 0);
  return takes(known.room, size) ? list : [word];
}

/** The name of an array that a word is all of: "${ARGS[@]}". */
function listIn(word: string): string {
  return /^\$\{([A-Za-z_]\w*)\[[@*]\]\}$/.exec(word)?.[1] ?? '';
}

/** `NAME+=more` is what it was, and more. */
function whole(word: string, known: Known): string {
  const [start, name = ''] = /^([A-Za-z_]\w*)\+=/.exec(word) ?? [];
  if (start === undefined) return word;
  const before = valueOf(name, known) ?? '';
  return `${name}=${takes(known.room, before.length) ? before : `\${${name}}`}${word.slice(start.length)}`;
}

/** How many words of a command say that what follows is handed on to every later one: `export`, `declare -x`. */
function exporter([first, second]: readonly string[]): number {
  if (first === 'export') return second === '--' ? 2 : 1;
  return /^(declare|typeset)$/.test(first ?? '') && /^-\w*x/.test(second ?? '') ? 2 : 0;
}

/** The variables that a command is handed, before it. */
function exports({ exported, set, room }: Known): string[] {
  if (room.left === 0) return [];
  const names = [...exported].filter((name) => set.has(name));
  const size = names.reduce((sum, name) => sum + name.length + (set.get(name)?.length ?? 0), exported.size);
  return takes(room, size) ? names.map((name) => `${name}=${set.get(name)}`) : [];
}

function valueOf(name: string, { set, given }: Known): string | undefined {
  return set.get(name) ?? (Object.hasOwn(given, name) ? given[name] : undefined);
}

/** Puts those variables of a process before its command line that it names itself, so that they are known there. */
export function withVariables(argv: readonly string[], env: Variables | null): readonly string[] {
  if (env === null || !argv.some((word) => word.includes('$'))) return argv;
  const named = argv.flatMap((word) =>
    [...word.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map((match) => match[1] ?? ''),
  );
  const given = [...new Set(named)].flatMap((name) =>
    env[name] === undefined ? [] : [`${name}=${env[name]}`],
  );
  return given.length === 0 ? argv : [...given, ...argv];
}

const variable = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-=])([^}]{0,1024}))?\})/g;

function filled(word: string, known: Known): string[] {
  if (!word.includes('$') || known.room.left === 0) return [word];
  let size = word.length;
  const text = word.replaceAll(
    variable,
    (whole, plain?: string, braced?: string, otherwise?: string, value?: string) => {
      const put = putFor(whole, { name: plain ?? braced ?? '', otherwise, value }, known);
      size += put.length;
      // What no room is left for is not even put together.
      return size > known.room.left ? '' : put;
    },
  );
  if (!takes(known.room, size)) return [word];
  // "$ARGS" by itself is as many words as it holds.
  const whole = /^\$\{?[A-Za-z_]\w*\}?$/.test(word) && text.startsWith('-');
  return whole ? text.split(/\s+/) : [text];
}

function putFor(
  whole: string,
  { name, otherwise, value }: { name: string; otherwise: string | undefined; value: string | undefined },
  known: Known,
): string {
  if (secretVariable.test(name)) return whole;
  const found = valueOf(name, known);
  if (found !== undefined && (found !== '' || otherwise?.startsWith(':') !== true)) return found;
  return otherwise === undefined ? whole : (value ?? '');
}
