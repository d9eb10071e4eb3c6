import { fillVariables } from './fill-variables.ts';
import { shellCommands } from './shell-words.ts';
import type { Peeled } from './peeled.ts';
import { newRoom, takes } from './room.ts';
import type { Room } from './room.ts';
import { peelEntrypoint, peelUnknown } from './unknown-wrappers.ts';
import { leadingAssignments, peelWrapper } from './wrappers.ts';

/** The program that a command line really runs, without what stands in front of it. */
export interface Unwrapped {
  /** Name without folders; for `python -m a.b` the module, for an interpreter with a script the script's name. */
  readonly program: string;
  /** As the command line has it: a path, a name or a module. */
  readonly path: string;
  readonly args: readonly string[];
  /** Variables that the command line itself sets. */
  readonly env: Readonly<Record<string, string>>;
  /** True when a wrapper in front (a shell, timeout, sudo, uv) stays: the program is a child of the process that shows this line. */
  readonly waits: boolean;
}

const maxDepth = 12;

/**
 * Every program a command line may run: one, but for a shell text with several commands. Undoes `sh -c`,
 * `env`, `nice`, `numactl`, `taskset`, loaders, interpreters and their like, nested in any order.
 */
export function unwrap(argv: readonly string[]): readonly Unwrapped[] {
  const known = unwrapped.get(argv);
  if (known) return known;
  const commands = peel(argv, { env: {}, waits: false, depth: 0, room: newRoom() });
  unwrapped.set(argv, commands);
  return commands;
}

/** Each engine asks it of each process of a machine. */
const unwrapped = new WeakMap<readonly string[], readonly Unwrapped[]>();

interface Context {
  readonly env: Readonly<Record<string, string>>;
  readonly waits: boolean;
  readonly depth: number;
  readonly room: Room;
}

function peel(argv: readonly string[], context: Context): Unwrapped[] {
  const { env, words } = leadingAssignments(argv);
  const [path, ...args] = words;
  if (path === undefined || path === '' || context.depth > maxDepth) return [];
  const inner = { ...context, env: together(context, env), depth: context.depth + 1 };
  const name = baseName(path);
  const peeled = shellOf(name, args, inner) ?? peelWrapper(name, args) ?? peelEntrypoint(name, args);
  if (peeled) return peelAll(peeled, inner);
  const script = interpreted(name, args);
  // `python /opt/conda/bin/conda run …`, `python -m torch.distributed.run …`: what Python runs may be a wrapper itself.
  if (script && peelWrapper(script.program, script.args))
    return peel([script.program, ...script.args], inner);
  const own = { ...(script ?? { program: name, path, args }), env: inner.env, waits: inner.waits };
  const behind = script ? null : peelUnknown(name, args);
  return [own, ...titled(argv, inner), ...(behind ? peelAll(behind, inner) : [])];
}

function peelAll({ commands, env, waits }: Peeled, inner: Context): Unwrapped[] {
  const next = { ...inner, env: together(inner, env), waits: inner.waits || waits };
  return commands.flatMap((command) => peel(command, next));
}

/** Each command of a text keeps its variables: as many as there are commands, of as many, are too many. */
function together({ env, room }: Context, own: Context['env']): Context['env'] {
  if (Object.keys(own).length === 0) return env;
  return room.left > 0 && takes(room, 8 * Object.keys(env).length) ? { ...env, ...own } : own;
}

/** A process that has set its own title shows all of it as one word, with blanks; one without a flag says nothing that helps. */
function titled(argv: readonly string[], context: Context): Unwrapped[] {
  const [title = '', ...rest] = argv.filter((word) => word !== '');
  const words = title.trim().split(/\s+/);
  const plain = rest.length === 0 && !/^\S*:/.test(title);
  // The first word is the program, also of a login shell ("-bash").
  return plain && words.slice(1).some((word) => word.startsWith('-')) ? peel(words, context) : [];
}

/** Login shells are named "-bash"; programs of Windows, which WSL starts, have its slashes and their ending; Nix and Guix wrap ".NAME-wrapped", ".NAME-real". */
export function baseName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
  if (/\.exe$/i.test(name)) return name.slice(name.lastIndexOf('\\') + 1, -4);
  return /^\.(.+)-(?:wrapped|real)$/.exec(name)?.[1] ?? name;
}

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'fish', 'busybox']);

/** A shell that a process still shows waits for its child: had it exec'd, the line would be the child's. */
function shellOf(name: string, args: readonly string[], { env, room }: Context): Peeled | null {
  if (name === 'eval')
    return { commands: fillVariables(shellCommands(args.join(' ')), env, room), env: {}, waits: false };
  if (!shells.has(name)) return null;
  if (name === 'busybox' && !shells.has(args[0] ?? '')) return null;
  const words = name === 'busybox' ? args.slice(1) : args;
  const at = words.findIndex((word) => /^-[a-z]*c$/.test(word));
  const script = words.find((word) => !word.startsWith('-'));
  if (at < 0)
    return script === undefined
      ? null
      : { commands: [words.slice(words.indexOf(script))], env: {}, waits: true };
  const commands = fillVariables(shellCommands(words[at + 1] ?? ''), env, room);
  const [zero, ...behind] = words.slice(at + 2);
  const all = commands.map((command) => filled(command, { zero, behind }, room));
  return { commands: all, env: {}, waits: true };
}

/** In `sh -c 'exec "$0" "$@"' program args` the words behind the text are meant, the first of them apart; "$1" is the second. */
function filled(
  command: readonly string[],
  { zero, behind }: { zero: string | undefined; behind: readonly string[] },
  room: Room,
): string[] {
  const words = [zero, ...behind];
  return command.flatMap((word) => {
    if (!word.includes('$') || room.left === 0) return [word];
    if (word === '$@' || word === '$*') {
      const size = behind.reduce((sum, one) => sum + one.length + 4, 0);
      return takes(room, size) ? behind : [word];
    }
    let size = 0;
    const text = word.replaceAll(/\$(?:(\d)|\{(\d+)\})/g, (whole, one?: string, more?: string) => {
      const put = words[Number(one ?? more)] ?? whole;
      size += put.length;
      return size > room.left ? '' : put;
    });
    return [takes(room, size) ? text : word];
  });
}

/** Options of interpreters that take the next word. */
const valuedOptions = new Set(['-X', '-W', '--require', '-r', '--import', '--loader', '--conditions']);

/** `python -m module`, `python3.12 /venv/bin/vllm serve`, `node server.js`: what is run is the module or the script. */
function interpreted(
  name: string,
  args: readonly string[],
): { program: string; path: string; args: readonly string[] } | null {
  if (!/^(python[\d.]*t?|pypy3?|node|nodejs|bun|deno|perl|ruby)$/.test(name)) return null;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    if (word === '-m') {
      const module = args[at + 1];
      return module === undefined ? null : { program: module, path: module, args: args.slice(at + 2) };
    }
    const joined = /^-m(\w[\w.]*)$/.exec(word)?.[1];
    if (joined !== undefined) return { program: joined, path: joined, args: args.slice(at + 1) };
    if (word === '-c' || word === '-e' || word === '--eval') return null;
    if (valuedOptions.has(word)) at += 1;
    else if (!word.startsWith('-')) return { program: baseName(word), path: word, args: args.slice(at + 1) };
  }
  return null;
}
