import { peelWatcher } from './watchers.ts';
import type { Peeled } from './peeled.ts';

/** Options of a wrapper that take their value as a word of its own ("-n 10"); all others are one word. */
interface Wrapper {
  readonly valued: readonly string[];
  /** Words of its own before the command ("timeout 30 CMD"), where they are no options. */
  readonly operands: number;
  readonly waits: boolean;
}

function wrapper(valued: readonly string[], more: { operands?: number; waits?: boolean } = {}): Wrapper {
  return { valued, operands: more.operands ?? 0, waits: more.waits ?? false };
}

const uvOptions = [
  '--project',
  '--python',
  '-p',
  '--with',
  '-w',
  '--with-requirements',
  '--with-editable',
  '--extra',
  '--group',
  '--package',
  '--directory',
  '--env-file',
  '--index',
  '--index-url',
  '--extra-index-url',
  '--torch-backend',
  '--from',
];

const containerOptions = ['-B', '--bind', '--env', '--env-file', '-H', '--home', '--pwd', '-W', '--overlay'];

const screenOptions = ['-S', '-dmS', '-DmS', '-c', '-t', '-Logfile'];

/** What watches a program is another process than that. */
const traced = { waits: true };

const wrappers: Readonly<Record<string, Wrapper>> = {
  nice: wrapper(['-n', '--adjustment']),
  ionice: wrapper(['-c', '-n', '--class', '--classdata']),
  chrt: wrapper(['-T', '-P', '-D'], { operands: 1 }),
  nohup: wrapper([]),
  numactl: wrapper([
    '-N',
    '-m',
    '-C',
    '-i',
    '-p',
    '--cpunodebind',
    '--membind',
    '--physcpubind',
    '--interleave',
    '--preferred',
    '-c',
    '--cpubind',
    '-P',
    '--preferred-many',
    '-w',
    '--weighted-interleave',
  ]),
  taskset: wrapper([], { operands: 1 }),
  stdbuf: wrapper(['-i', '-o', '-e', '--input', '--output', '--error']),
  setsid: wrapper([], { waits: true }),
  timeout: wrapper(['-k', '-s', '--kill-after', '--signal'], { operands: 1, waits: true }),
  time: wrapper(['-f', '-o', '--format', '--output'], { waits: true }),
  sudo: wrapper(['-u', '-g', '-C', '-D', '-h', '-p', '-R', '-T', '--user', '--group'], { waits: true }),
  doas: wrapper(['-u', '-C']),
  runuser: wrapper(['-u', '-g', '-G'], { waits: true }),
  setpriv: wrapper([
    '--reuid',
    '--regid',
    '--ruid',
    '--euid',
    '--rgid',
    '--egid',
    '--groups',
    '--inh-caps',
    '--ambient-caps',
    '--bounding-set',
    '--securebits',
    '--pdeathsig',
  ]),
  prlimit: wrapper([]),
  tini: wrapper(['-e', '-p'], { waits: true }),
  'tini-static': wrapper(['-e', '-p'], { waits: true }),
  'docker-init': wrapper(['-e', '-p'], { waits: true }),
  'podman-init': wrapper([], { waits: true }),
  'dumb-init': wrapper(['-r', '--rewrite'], { waits: true }),
  catatonit: wrapper([], { waits: true }),
  'systemd-run': wrapper(
    [
      '-u',
      '-p',
      '-E',
      '-M',
      '--unit',
      '--property',
      '--setenv',
      '--slice',
      '--uid',
      '--gid',
      '--nice',
      '--description',
      '--working-directory',
      '--machine',
    ],
    { waits: true },
  ),
  uv: wrapper(uvOptions, { operands: 1, waits: true }),
  uvx: wrapper(uvOptions, { waits: true }),
  // `conda run -n ENV CMD`, `poetry run CMD`: the word "run" is an operand.
  conda: wrapper(['-n', '-p', '--name', '--prefix', '--cwd'], { operands: 1, waits: true }),
  mamba: wrapper(['-n', '-p', '--name', '--prefix', '--cwd'], { operands: 1, waits: true }),
  micromamba: wrapper(['-n', '-p', '--name', '--prefix', '--cwd', '-r', '-e', '--env'], {
    operands: 1,
    waits: true,
  }),
  pixi: wrapper(['-e', '--environment', '--manifest-path'], { operands: 1, waits: true }),
  poetry: wrapper(['-C', '--directory', '-P', '--project'], { operands: 1 }),
  pipenv: wrapper([], { operands: 1 }),
  pdm: wrapper(['-p', '--project'], { operands: 1 }),
  rye: wrapper([], { operands: 1 }),
  gosu: wrapper([], { operands: 1 }),
  'su-exec': wrapper([], { operands: 1 }),
  's6-setuidgid': wrapper([], { operands: 1 }),
  chpst: wrapper(['-u', '-U', '-e', '-n', '-m', '-o']),
  chroot: wrapper(['--userspec', '--groups'], { operands: 1 }),
  unshare: wrapper([], { waits: true }),
  nsenter: wrapper(['-t', '--target', '-S', '-G'], { waits: true }),
  cgexec: wrapper(['-g']),
  'systemd-cat': wrapper(['-t', '-p', '--identifier', '--priority']),
  'systemd-inhibit': wrapper(['--what', '--who', '--why', '--mode'], { waits: true }),
  'dbus-run-session': wrapper(['--config-file'], { waits: true }),
  unbuffer: wrapper([], { waits: true }),
  firejail: wrapper([], { waits: true }),
  flock: wrapper(['-w', '-E', '--timeout', '--conflict-exit-code'], { operands: 1, waits: true }),
  softlimit: wrapper(['-m', '-d', '-s', '-l', '-a', '-o', '-p', '-f', '-c', '-t', '-r']),
  setuidgid: wrapper([], { operands: 1 }),
  envdir: wrapper([], { operands: 1 }),
  'with-contenv': wrapper([]),
  // `direnv exec DIR CMD`
  direnv: wrapper([], { operands: 2 }),
  cpulimit: wrapper(['-l', '-p', '-e', '--limit'], { waits: true }),
  caffeinate: wrapper(['-t', '-w'], { waits: true }),
  'xvfb-run': wrapper(['-s', '-n', '-e', '-f', '-p', '-w'], { waits: true }),
  gamemoderun: wrapper([]),
  catchsegv: wrapper([], { waits: true }),
  optirun: wrapper(['-b'], { waits: true }),
  primusrun: wrapper([]),
  ape: wrapper([]),
  srun: wrapper(['-n', '-N', '-p', '-c', '-G', '-w', '-J', '-t', '-A', '-q'], { waits: true }),
  mpirun: wrapper(['-n', '-np', '-x', '-H', '--host', '--hostfile'], { waits: true }),
  screen: wrapper(screenOptions, { waits: true }),
  SCREEN: wrapper(screenOptions, { waits: true }),
  pipx: wrapper(['--spec', '--python'], { operands: 1, waits: true }),
  hatch: wrapper(['-e', '--env'], { operands: 1, waits: true }),
  dotenv: wrapper(['-f', '--file'], { operands: 1, waits: true }),
  doppler: wrapper(['-p', '-c'], { operands: 1, waits: true }),
  op: wrapper(['--env-file'], { operands: 1, waits: true }),
  infisical: wrapper(['--env', '--path', '--projectId', '--token'], { operands: 1, waits: true }),
  // `chamber exec SERVICE -- CMD`, `mise exec TOOL -- CMD`
  chamber: wrapper([], { operands: 2 }),
  'aws-vault': wrapper(['--duration', '-d'], { operands: 2, waits: true }),
  mise: wrapper(['-j', '--jobs'], { operands: 2 }),
  // `apptainer exec IMAGE CMD`
  apptainer: wrapper(containerOptions, { operands: 2, waits: true }),
  singularity: wrapper(containerOptions, { operands: 2, waits: true }),
  nsys: wrapper(['-o', '-t', '-s', '-e', '-w', '-c', '-y', '-d', '-f', '-b', '-x', '-k', '--output'], {
    operands: 1,
    waits: true,
  }),
  strace: wrapper(['-o', '-e', '-p', '-s', '-u', '-E', '-P', '-a', '-b', '-I', '-O', '-S', '-X'], {
    waits: true,
  }),
  'hwloc-bind': wrapper([], { operands: 1 }),
  setarch: wrapper([], { operands: 1 }),
  faketime: wrapper([], { operands: 1 }),
  'prime-run': wrapper([]),
  'nvidia_entrypoint.sh': wrapper([]),
  'ramalama-serve-core': wrapper([]),
  'trtllm-llmapi-launch': wrapper([], { waits: true }),
  ltrace: wrapper(['-o', '-e', '-p', '-s', '-S', '-u', '-a', '-l', '-n', '-x'], traced),
  perf: wrapper(['-o', '-e', '-F', '-C', '-p', '-t', '-c', '-m', '-I', '-G', '--call-graph'], {
    operands: 1,
    waits: true,
  }),
  ncu: wrapper(['-o', '-k', '-c', '-s', '--set', '--section', '--export', '--launch-count'], traced),
  'compute-sanitizer': wrapper(['--tool', '--log-file'], traced),
  valgrind: wrapper([]),
  heaptrack: wrapper(['-o', '-p'], traced),
  rr: wrapper(['-o', '-n'], { operands: 1, waits: true }),
  linux64: wrapper([]),
  choom: wrapper(['-n', '-p', '--adjust']),
  schedtool: wrapper(['-n', '-p', '-a', '-M', '-L']),
  proxychains: wrapper(['-f']),
  proxychains4: wrapper(['-f']),
  torsocks: wrapper([]),
  vglrun: wrapper(['-d', '-c', '-p'], { waits: true }),
  'aa-exec': wrapper(['-p', '-n', '--profile', '--namespace']),
  runcon: wrapper(['-t', '-u', '-r', '-l']),
  rlwrap: wrapper(['-f', '-H', '-s', '-p'], { waits: true }),
  proot: wrapper(['-r', '-b', '-w', '-q', '-R', '-S', '-k'], { waits: true }),
  pyenv: wrapper([], { operands: 1 }),
  'ddtrace-run': wrapper([]),
  'opentelemetry-instrument': wrapper(['--traces_exporter', '--metrics_exporter', '--service_name']),
  exec: wrapper(['-a']),
  command: wrapper([]),
};

/** Of these only this command of theirs runs a program of the user's. */
const runners: ReadonlyMap<string, string> = new Map([
  ...[
    'uv',
    'conda',
    'mamba',
    'micromamba',
    'pixi',
    'poetry',
    'pipenv',
    'pdm',
    'rye',
    'pipx',
    'hatch',
    'dotenv',
    'doppler',
    'op',
    'infisical',
  ].map((name) => [name, 'run'] as const),
  ...['direnv', 'chamber', 'aws-vault', 'mise', 'apptainer', 'singularity', 'pyenv'].map(
    (name) => [name, 'exec'] as const,
  ),
  ['nsys', 'profile'],
]);

/** Takes one wrapper off the front; null when the first word is none. `name` is the first word without folders. */
export function peelWrapper(name: string, args: readonly string[]): Peeled | null {
  if (name === 'env') return peelEnv(args);
  if (name === 'ip') return peelNetns(args);
  if (name === 'su') return peelSu(args);
  // Without a text it takes a command.
  if (name === 'runuser' && args.includes('-c')) return peelSu(args);
  const special = Object.hasOwn(specials, name) ? specials[name]?.(args) : null;
  if (special) return special;
  const watched = peelWatcher(name, args);
  if (watched) return watched;
  if (/^ld-linux|^ld-musl|^ld-\d|^ld(64)?\.so/.test(name)) return peelLoader(args);
  if (/^(qemu-(?!system|img|nbd|io|ga)\w+(-static)?|box64|fex-?\w*|rosetta)$/i.test(name))
    return peelEmulator(args);
  // Docker and podman give a container such a first process under names of their own.
  const called = name === 'init' && args[0] === '--' ? 'tini' : name;
  const known = Object.hasOwn(wrappers, called) ? wrappers[called] : undefined;
  const runs = runners.get(name);
  if (!known || (runs !== undefined && !args.includes(runs))) return null;
  let at = skipOptions(args, known.valued);
  // `uv tool run CMD` is `uv run CMD`.
  if (name === 'uv' && args[at] === 'tool') at += 1;
  // `taskset -c 0-3 CMD`: the mask is an operand with or without -c.
  for (let i = 0; i < known.operands; i += 1) at = at + 1 + skipOptions(args.slice(at + 1), known.valued);
  return { commands: [args.slice(at)], env: {}, waits: known.waits };
}

function skipOptions(args: readonly string[], valued: readonly string[]): number {
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
  const joined = /^(?:-S|--split-string=)(.+)$/s;
  const words = args.flatMap((word, at) => {
    if (word === '-S' || word === '--split-string') return [];
    const text = args[at - 1] === '-S' || args[at - 1] === '--split-string' ? word : joined.exec(word)?.[1];
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

/** `su USER -c "words"`: a shell of that user, which waits. */
function peelSu(args: readonly string[]): Peeled | null {
  const at = args.findIndex((word) => word === '-c' || word === '--command');
  const text = args[at + 1];
  return at < 0 || text === undefined ? null : { commands: [['sh', '-c', text]], env: {}, waits: true };
}

/** Wrappers that say what they run in ways of their own; null where they run nothing. */
const specials: Readonly<Record<string, (args: readonly string[]) => Peeled | null>> = {
  torchrun: peelTorch,
  accelerate: (args) => (args[0] === 'launch' ? peelTorch(args) : null),
  // `script -qfc "words" FILE`
  script: (args) => peelText(args, /^-[a-z]*c$|^--command$/),
  'nix-shell': (args) => peelText(args, /^--run$|^--command$/),
  nix: (args) => {
    const at = args.findIndex((word) => word === '-c' || word === '--command');
    return at < 0 ? null : { commands: [args.slice(at + 1)], env: {}, waits: false };
  },
  // `start-stop-daemon --start --exec PATH -- ARGS`
  'start-stop-daemon': (args) => {
    const at = args.findIndex((word) => word === '-x' || word === '--exec');
    const path = args[at + 1];
    if (at < 0 || path === undefined) return null;
    const behind = args.indexOf('--');
    return { commands: [[path, ...(behind < 0 ? [] : args.slice(behind + 1))]], env: {}, waits: false };
  },
};

/** Starts Python several times: `torchrun --nproc-per-node 2 -m MODULE ARGS`. */
function peelTorch(args: readonly string[]): Peeled | null {
  const at = args.findIndex((word) => word === '-m' || word === '--module');
  return at < 0 ? null : { commands: [['python', '-m', ...args.slice(at + 1)]], env: {}, waits: true };
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
