import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Exec, ExecOptions, ExecResult } from '../exec.ts';
import { startFar } from './child.ts';
import type { Connection } from './connection.ts';
import { detacher } from './detach.ts';
import { reasonOf } from './faults.ts';
import { environment, quote, quoteAll } from './script.ts';

/** A program without a limit of its own: what berth waits for takes seconds. */
const longestRunMs = 600_000;
/** More than the program's own limit, so that its end is known by it. */
const graceMs = 5_000;

const missing = 'berth-program-missing';

function into(cwd: string | undefined): string {
  return cwd === undefined ? '' : `cd ${quote(cwd)} || exit 1\n`;
}

/** `name` is looked for on the PATH that the program would have. */
function expectProgram(name: string): string {
  return `command -v ${quote(name)} >/dev/null 2>&1 || { printf '%s\\n' ${missing} >&2; exit 127; }\n`;
}

async function run(link: Connection, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const { env, cwd, timeoutMs, signal } = options;
  const seconds = timeoutMs === undefined ? null : Math.max(1, Math.ceil(timeoutMs / 1000));
  const script = [
    env ? environment(env, link.facts.env) : '',
    into(cwd) + expectProgram(argv[0] ?? ''),
    `${seconds === null ? '' : `timeout -s KILL ${seconds} `}${quoteAll(argv)}`,
  ].join('\n');
  const done = await link.run(script, {
    doing: `running ${argv[0] ?? ''}`,
    timeoutMs: seconds === null ? longestRunMs : seconds * 1000 + graceMs,
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(signal ? { signal } : {}),
  });
  if (!done) return { code: null, signal: null, stdout: '', stderr: 'The operation was aborted' };
  const stdout = done.stdout.toString('utf8');
  if (done.code === 127 && done.stderr.includes(missing))
    return { code: null, signal: null, stdout, stderr: `${argv[0] ?? ''} is not on PATH there` };
  const killed = seconds !== null && (done.code === 137 || done.code === 124);
  return { code: killed ? null : done.code, signal: killed ? 'SIGKILL' : null, stdout, stderr: done.stderr };
}

/** Of a process that began at these clock ticks alone, where they are given: pids are used again. */
async function kill(
  link: Connection,
  pid: number,
  signal: NodeJS.Signals | 0,
  startTicks?: number,
): Promise<boolean> {
  const name = signal === 0 ? '0' : signal.replace(/^SIG/, '');
  const script = `LC_ALL=C; export LC_ALL
${startTicks === undefined ? '' : sameStart(Math.abs(pid), startTicks)}
kill -${name} ${pid} 2>&1`;
  const done = await link.run(script, { doing: `sending ${signal} to process ${pid}` });
  if (!done || done.code === 0) return done !== null;
  const said = done.stdout.toString('utf8');
  if (done.code === 3 || /No such process/i.test(said)) return false;
  throw new BerthError('HOST_REFUSES', {
    host: link.where,
    what: `Sending ${signal} to process ${Math.abs(pid)}`,
    said: reasonOf(said),
  });
}

/** Field 22 of its stat, counted from the last bracket: a name may hold blanks and brackets. */
function sameStart(pid: number, startTicks: number): string {
  return `stat=$(cat /proc/${pid}/stat 2>/dev/null) || exit 3
set -- \${stat##*) }
[ "\${20}" = ${startTicks} ] || exit 3`;
}

export function farExec(link: Connection): Exec {
  return {
    run: (argv, options = {}) => run(link, argv, options),
    detach: detacher(link),
    start: (argv) => startFar(link, argv),
    pipe: (argv) => link.pipe(quoteAll(argv)),
    kill: (pid, signal, startTicks) => kill(link, pid, signal, startTicks),
  };
}
