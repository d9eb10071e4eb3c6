import { secretVariable } from '../audit/secret-variable.ts';
import { arrayWords, shellCommands } from './shell-words.ts';
import { leadingAssignments } from './wrappers.ts';

type Variables = Readonly<Record<string, string>>;

/**
 * The commands of a shell text with its variables put in, as far as they are known: those of the process, those that the text sets
 * before, and what "${NAME:-default}" says itself. All others stay as written, and so does every secret.
 */
export function fillVariables(commands: readonly (readonly string[])[], known: Variables): string[][] {
  const set: Record<string, string> = { ...known };
  const lists = new Map<string, string[]>();
  const exported = new Set<string>();
  let exportsAll = false;
  return commands.flatMap((command) => {
    const exporting = exporter(command);
    const assigned = takeArrays(exporting ? command.slice(exporting) : command, lists, set);
    const { env, words: rest } = leadingAssignments(assigned.map((word) => whole(word, set)));
    for (const name of exporting ? rest : []) exported.add(name);
    if (/^set -\w*a\w*$/.test(command.join(' '))) exportsAll = true;
    if (rest.length > 0 && !exporting)
      return [
        [...given(exported, set), ...command.flatMap((word) => lists.get(listIn(word)) ?? filled(word, set))],
      ];
    for (const [name, value] of Object.entries(env)) {
      set[name] = filled(value, set).join(' ');
      if (exporting || exportsAll) exported.add(name);
    }
    return [];
  });
}

/** Notes what arrays are set to, and gives the other words. */
function takeArrays(words: readonly string[], lists: Map<string, string[]>, set: Variables): string[] {
  return words.filter((word) => {
    const [, name = '', adds, inner = ''] = arrayWords.exec(word) ?? [];
    if (name === '') return true;
    const said = shellCommands(inner).flat();
    const before = adds ? (lists.get(name) ?? []) : [];
    lists.set(name, [...before, ...said.flatMap((one) => lists.get(listIn(one)) ?? filled(one, set))]);
    return false;
  });
}

/** The name of an array that a word is all of: "${ARGS[@]}". */
function listIn(word: string): string {
  return /^\$\{([A-Za-z_]\w*)\[[@*]\]\}$/.exec(word)?.[1] ?? '';
}

/** `NAME+=more` is what it was, and more. */
function whole(word: string, set: Variables): string {
  return word.replace(/^([A-Za-z_]\w*)\+=/, (_, name: string) => `${name}=${set[name] ?? ''}`);
}

/** How many words of a command say that what follows is handed on to every later one: `export`, `declare -x`. */
function exporter([first, second]: readonly string[]): number {
  if (first === 'export') return second === '--' ? 2 : 1;
  return /^(declare|typeset)$/.test(first ?? '') && /^-\w*x/.test(second ?? '') ? 2 : 0;
}

function given(exported: ReadonlySet<string>, set: Variables): string[] {
  return [...exported].flatMap((name) => (set[name] === undefined ? [] : [`${name}=${set[name]}`]));
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

const variable = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-=])([^}]*))?\})/g;

function filled(word: string, set: Variables): string[] {
  if (!word.includes('$')) return [word];
  const text = word.replaceAll(
    variable,
    (whole, plain?: string, braced?: string, otherwise?: string, value?: string) => {
      const name = plain ?? braced ?? '';
      if (secretVariable.test(name)) return whole;
      const found = set[name];
      if (found !== undefined && (found !== '' || otherwise?.startsWith(':') !== true)) return found;
      return otherwise === undefined ? whole : (value ?? '');
    },
  );
  // "$ARGS" by itself is as many words as it holds.
  const whole = /^\$\{?[A-Za-z_]\w*\}?$/.test(word) && text.startsWith('-');
  return whole ? text.split(/\s+/) : [text];
}
