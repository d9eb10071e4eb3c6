import { runners, wrappers } from './wrapper-table.ts';
import { peelTorch } from './peel-torch.ts';
import { peelCmd, peelPowershell } from './windows-shells.ts';
import { peelWatcher } from './watchers.ts';
import type { Peeled } from './peeled.ts';

/** A screen that is looked at, listed or spoken to starts nothing. */
const attaches = /^-([rxRDX]|ls|list|wipe|d|dr)$/;

/** Takes one wrapper off the front; null when the first word is none. `name` is the first word without folders. */
export function peelWrapper(name: string, args: readonly string[]): Peeled | null {
  if (name === 'env' || name === 's6-env') return peelEnv(args);
  if (name === 'ip') return peelNetns(args);
  if (name === 'su') return peelSu(args);
  // Without a text it takes a command.
  if (name === 'runuser' && !hasCommand(args)) return peelSu(args);
  const special = Object.hasOwn(specials, name) ? specials[name]?.(args) : null;
  if (special) return special;
  const watched = peelWatcher(name, args);
  if (watched) return watched;
  if (/^ld-linux|^ld-musl|^ld-\d|^ld(64)?\.so/.test(name)) return peelLoader(args);
  if (/^(qemu-(?!system|img|nbd|io|ga)\w+(-static)?|box64|fex-?\w*|rosetta)$/i.test(name))
    return peelEmulator(args);
  const called = calledAs(name, args);
  const known = Object.hasOwn(wrappers, called) ? wrappers[called] : undefined;
  const runs = runners.get(name);
  if (!known || (runs !== undefined && !args.includes(runs))) return null;
  let at = /^mpi(run|exec)$/.test(name) ? skipMpi(args, known.valued) : skipOptions(args, known.valued);
  if (/^screen$/i.test(name) && args.slice(0, at).some((word) => attaches.test(word))) return null;
  // `uv tool run CMD` is `uv run CMD`.
  if (name === 'uv' && args[at] === 'tool') at += 1;
  // `taskset -c 0-3 CMD`: the mask is an operand with or without -c.
  for (let i = 0; i < known.operands; i += 1) at = at + 1 + skipOptions(args.slice(at + 1), known.valued);
  const [first = '', ...rest] = args.slice(at);
  // `uvx vllm@0.11.0 serve MODEL`
  const named = /^uvx?$/.test(name) ? first.replace(/@[\w.]+$/, '') : first;
  // `hatch run ENVIRONMENT:vllm serve MODEL`
  const command = name === 'hatch' ? named.replace(/^[\w.+-]+:/, '') : named;
  return { commands: first === '' ? [] : [[command, ...rest]], env: {}, waits: known.waits };
}

/** Options of MPI that take two words. */
const mpiPairs = /^(--?g?mca|-g?env)$/;

/** Where the options of MPI end; the program behind them may have some of the same names. */
function skipMpi(args: readonly string[], valued: readonly string[]): number {
  let at = 0;
  while (args[at]?.startsWith('-') && args[at] !== '--')
    at += mpiPairs.test(args[at] as string) ? 3 : 1 + Number(takesNext(args[at] as string, valued));
  return args[at] === '--' ? at + 1 : at;
}

function calledAs(name: string, args: readonly string[]): string {
  // Docker and podman give a container such a first process under names of their own.
  if (name === 'init' && args[0] === '--') return 'tini';
  // What a program for all systems unpacks to be loaded by.
  if (/^\.?ape-[\d.]+$/.test(name)) return 'ape';
  // One for each driver of a GPU.
  return name.startsWith('nixGL') ? 'nixGL' : name;
}

/** Where the options end, of which some take the next word. */
export function skipOptions(args: readonly string[], valued: readonly string[]): number {
  let at = 0;
  while (args[at]?.startsWith('-')) {
    if (args[at] === '--') return at + 1;
    at += takesNext(args[at] as string, valued) ? 2 : 1;
  }
  return at;
}

/** "-u llm", and "-Hu llm" where short options stand together. */
function takesNext(word: string, valued: readonly string[]): boolean {
  return valued.includes(word) || (/^-[A-Za-z]{2,}$/.test(word) && valued.includes(`-${word.at(-1)}`));
}

/** `env [-i] [-u NAME] [-S "words"] A=b CMD` */
function peelEnv(args: readonly string[]): Peeled {
  const split = /^(-[iv0]*S|--split-string)$/;
  const joined = /^(?:-[iv0]*S|--split-string=)(.+)$/s;
  const words = args.flatMap((word, at) => {
    if (split.test(word)) return [];
    const text = split.test(args[at - 1] ?? '') ? word : joined.exec(word)?.[1];
    return text === undefined ? [word] : text.split(/\s+/);
  });
  const rest = words.slice(skipOptions(words, ['-u', '-C', '--unset', '--chdir']));
  const { env, words: command } = leadingAssignments(rest);
  return { commands: [command], env, waits: false };
}

/** `ip netns exec NAME CMD`: of `ip` only this runs something, and it becomes the command. */
function peelNetns(args: readonly string[]): Peeled | null {
  const at = args.findIndex((word) => word === 'exec');
  return args[at - 1] === 'netns' && at > 0
    ? { commands: [args.slice(at + 2)], env: {}, waits: false }
    : null;
}

/** `runuser -u USER [--] CMD` has its command behind its options; without -u it is as su is. */
function hasCommand(args: readonly string[]): boolean {
  const own = args.slice(0, skipOptions(args, ['-u', '--user', '-g', '-G', '--group', '--supp-group']));
  return own.some((word) => /^(-u|--user)/.test(word));
}

/** `su USER -c "words"`: a shell of that user, which waits. */
function peelSu(args: readonly string[]): Peeled | null {
  const at = args.findIndex((word) => word === '-c' || word === '--command');
  const text = args[at + 1];
  return at < 0 || text === undefined ? null : { commands: [['sh', '-c', text]], env: {}, waits: true };
}

/** Wrappers that say what they run in ways of their own; null where they run nothing. */
const specials: Readonly<Record<string, (args: readonly string[]) => Peeled | null>> = {
  torchrun: peelTorch,
  'torch.distributed.run': peelTorch,
  // `command -v NAME` only looks where it is.
  command: (args) => (/^-[pvV]*[vV]/.test(args[0] ?? '') ? { commands: [], env: {}, waits: false } : null),
  cmd: peelCmd,
  pwsh: peelPowershell,
  powershell: peelPowershell,
  // `setarch [ARCH] [-R] CMD`
  setarch: (args) => {
    const named = /^(linux(32|64)|uname26|(x86|amd|i\d|aarch|arm|ppc|s390|mips|riscv)\w*)$/.test(
      args[0] ?? '',
    );
    const words = args.slice(named ? 1 : 0);
    return { commands: [words.slice(skipOptions(words, []))], env: {}, waits: false };
  },
  accelerate: (args) => (args[0] === 'launch' ? peelTorch(args.slice(1)) : null),
  // `ray symmetric-run --address HOST:PORT -- CMD`: one on each machine; all else of it starts nothing here.
  ray: (args) => {
    const behind = args.indexOf('--');
    return args[0] === 'symmetric-run' && behind > 0
      ? { commands: [args.slice(behind + 1)], env: {}, waits: true }
      : null;
  },
  // `script -qfc "words" FILE`
  script: (args) => peelText(args, /^-[a-z]*c$|^--command$/),
  // `sops exec-env FILE "words"`
  sops: (args) =>
    args[0] === 'exec-env' && args[2] !== undefined
      ? { commands: [['sh', '-c', args[2]]], env: {}, waits: true }
      : null,
  nodemon: (args) => peelText(args, /^--exec$|^-x$/),
  // `capsh --drop=all -- -c "words"`
  capsh: (args) => {
    const at = args.indexOf('--');
    return at < 0 ? null : { commands: [['bash', ...args.slice(at + 1)]], env: {}, waits: false };
  },
  // `flatpak run --command=PROGRAM APP ARGS`
  flatpak: (args) => {
    const at = args.findIndex((word) => word.startsWith('--command='));
    const behind = args.slice(at + 1);
    const app = behind.findIndex((word) => !word.startsWith('-'));
    const program = args[at]?.slice('--command='.length) ?? '';
    return at < 0 || app < 0
      ? null
      : { commands: [[program, ...behind.slice(app + 1)]], env: {}, waits: true };
  },
  // `chamber exec SERVICES -- CMD`, `mise exec [TOOLS] -- CMD`
  chamber: (args) => behindDashes(args),
  mise: (args) => behindDashes(args),
  'supervise-daemon': peelDaemon,
  'nix-shell': (args) => peelText(args, /^--run$|^--command$/),
  // `sg GROUP -c "words"`, and without -c
  sg: ([, ...args]) => {
    const text = args[0] === '-c' ? args[1] : args[0];
    return text === undefined ? null : { commands: [['sh', '-c', text]], env: {}, waits: true };
  },
  nix: (args) => {
    // `nix run FLAKE#PROGRAM -- ARGS`
    const flake = args.slice(1).find((word) => !word.startsWith('-'));
    if (args[0] === 'run' && flake !== undefined) {
      const behind = args.indexOf('--');
      const program = flake.slice(flake.lastIndexOf('#') + 1);
      const rest = behind < 0 ? [] : args.slice(behind + 1);
      const isNamed = rest[0] !== undefined && !rest[0].startsWith('-');
      return {
        // A package of several programs is named by the flake, and the one of them by the first word.
        commands: [[program, ...rest], ...(isNamed ? [rest] : [])],
        env: {},
        waits: false,
      };
    }
    const at = args.findIndex((word) => word === '-c' || word === '--command');
    return at < 0 ? null : { commands: [args.slice(at + 1)], env: {}, waits: false };
  },
  'start-stop-daemon': peelDaemon,
};

/** `start-stop-daemon --start --exec PATH -- ARGS`, `supervise-daemon NAME --start PATH -- ARGS` */
function peelDaemon(args: readonly string[]): Peeled | null {
  const at = args.findIndex((word) => word === '-x' || word === '--exec');
  const behind = args.indexOf('--');
  const path = at < 0 ? args[behind - 1] : args[at + 1];
  if (path === undefined) return null;
  return { commands: [[path, ...(behind < 0 ? [] : args.slice(behind + 1))]], env: {}, waits: false };
}

/** What `exec` runs behind all words of its own becomes the command. */
function behindDashes(args: readonly string[]): Peeled | null {
  const at = args.indexOf('--');
  return at > 0 && /^(exec|x)$/.test(args[0] ?? '')
    ? { commands: [args.slice(at + 1)], env: {}, waits: false }
    : null;
}

function peelText(args: readonly string[], option: RegExp): Peeled | null {
  const text = args[args.findIndex((word) => option.test(word)) + 1];
  return args.some((word) => option.test(word)) && text !== undefined
    ? { commands: [['sh', '-c', text]], env: {}, waits: true }
    : null;
}

/** The dynamic loader called by name: `ld-linux-x86-64.so.2 --library-path DIRS PROGRAM ARGS`. */
function peelLoader(args: readonly string[]): Peeled {
  const valued = [
    '--library-path',
    '--preload',
    '--audit',
    '--argv0',
    '--inhibit-rpath',
    '--glibc-hwcaps-prepend',
    '--glibc-hwcaps-mask',
  ];
  return { commands: [args.slice(skipOptions(args, valued))], env: {}, waits: false };
}

/** A program of another kind of processor: `qemu-aarch64-static [-L DIR] PROGRAM`, which may name it a second time as its own first word. */
function peelEmulator(args: readonly string[]): Peeled {
  const words = args.slice(skipOptions(args, ['-L', '-E', '-U', '-cpu', '-0', '-B', '-R', '-s']));
  const [path, again] = words;
  return { commands: [path === again ? words.slice(1) : words], env: {}, waits: false };
}

/** `A=b C=d program`: variables in front of a command. */
export function leadingAssignments(words: readonly string[]): {
  env: Record<string, string>;
  words: readonly string[];
} {
  const env: Record<string, string> = {};
  let at = 0;
  for (; at < words.length; at += 1) {
    const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(words[at] as string);
    if (!match) break;
    env[match[1] as string] = match[2] as string;
  }
  return { env, words: words.slice(at) };
}
