import type { Ending } from '../../domain/instance.ts';
import type { Exec } from '../exec.ts';
import type { Connection } from './connection.ts';
import { environment, quote, quoteAll } from './script.ts';
import type { OpenSession } from './session.ts';

/** Of the last engines started it is known how they end, as long as we run: each takes one of the sessions that sshd allows. */
const followedAtOnce = 2;

/**
 * Tells its pid and its end. The shell that waits for it ends when our side does; the process is in a session of its own and goes on.
 * Nothing of its environment stands in a list of processes: the script comes by standard input.
 */
function detachScript(
  argv: readonly string[],
  { env, cwd, logFile }: Parameters<Exec['detach']>[1],
  before: Connection['facts']['env'],
): string {
  return `unset SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_AUTH_SOCK SSH_ORIGINAL_COMMAND
( umask 077; : >>${quote(logFile)} ) || { printf 'failed its log cannot be written\\n'; exit 1; }
cd ${quote(cwd)} || { printf 'failed its folder is not there\\n'; exit 1; }
exec 4<&0
(
${environment(env, before)}
exec setsid sh -c 'printf "pid %s\\n" "$$" >&3; exec 3>&- 4<&-; exec "$@"' sh ${quoteAll(argv)} 3>&1 >>${quote(logFile)} 2>&1 </dev/null
) &
engine=$!
( cat <&4 >/dev/null; kill $$ ) >/dev/null 2>&1 &
exec 4<&-
wait "$engine"
printf 'ended %s\\n' "$?"
`;
}

/** The shell's way to tell how a process ended. */
function endingOf(code: number): Ending {
  const signal = signals[code - 128];
  return signal === undefined ? { code, signal: null } : { code: null, signal };
}

const signals: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

const startMs = 30_000;

interface News {
  readonly pid: (pid: number) => void;
  readonly ended: (ending: Ending) => void;
  readonly failed: (why: string) => void;
}

/** "pid 4242", "ended 1", "failed its log cannot be written" */
function tell(line: string, news: News): void {
  const at = line.indexOf(' ');
  const rest = line.slice(at + 1);
  const what = line.slice(0, at);
  if (what === 'pid') news.pid(Number(rest));
  if (what === 'ended') news.ended(endingOf(Number(rest)));
  if (what === 'failed') news.failed(rest);
}

export function detacher(link: Connection): Exec['detach'] {
  const followed: OpenSession[] = [];
  return async (argv, options) => {
    while (followed.length >= followedAtOnce) followed.shift()?.cut();
    const session = await link.talk(detachScript(argv, options, link.facts.env));
    followed.push(session);
    const ended = Promise.withResolvers<Ending>();
    const pid = Promise.withResolvers<number>();
    const timer = setTimeout(() => pid.reject(new Error('It did not start in time.')), startMs);
    session.onLine((line) =>
      tell(line, {
        pid: pid.resolve,
        ended: ended.resolve,
        failed: (why) => pid.reject(new Error(why)),
      }),
    );
    void session.ended.then(({ said }) => pid.reject(new Error(said || 'The connection was lost.')));
    try {
      return { pid: await pid.promise, ended: ended.promise };
    } finally {
      clearTimeout(timer);
    }
  };
}
