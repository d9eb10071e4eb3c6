import { BerthError } from '../../domain/errors/berth-error.ts';
import { lockFileName, socketName } from '../lock.ts';
import type { HostLocks, Lock } from '../lock.ts';
import type { Connection } from './connection.ts';
import { quote } from './script.ts';

const beatMs = 5_000;
/** Without a beat for so long the lock is given up there: the way to us is cut, and sshd may not know it for hours. */
const patienceSeconds = 30;
const answerMs = 30_000;

/** What is the same for holding and for asking. A berth that runs there itself has a socket of this name. */
function setOut(folder: string, name: string): string {
  return `umask 077
LC_ALL=C; export LC_ALL
file=${quote(`${folder}/${lockFileName(name)}`)}
socket=${quote(socketName(name).replace('\0', '@'))}
`;
}

/**
 * Holds a lock of the kernel on a file, which ends with the process that has it, and with our beats. Whoever has locked a file that
 * has been removed in between has locked nothing.
 */
function takeScript(folder: string, name: string, info: string): string {
  return `${setOut(folder, name)}
said=$(mkdir -p ${quote(folder)} 2>&1) || { echo "failed the folder "${quote(folder)}" cannot be made: \${said##*: }"; exit 1; }
said=$( (: >>"$file") 2>&1) || { echo "failed $file cannot be written: \${said##*: }"; exit 1; }
exec 9>>"$file" || { echo "failed $file cannot be written"; exit 1; }
flock -n 9 || { echo taken; exit 0; }
[ "$(stat -L -c %d:%i /proc/self/fd/9)" = "$(stat -c %d:%i "$file" 2>/dev/null)" ] || { echo taken; exit 0; }
if grep -qF " $socket" /proc/net/unix; then rm -f "$file"; echo taken; exit 0; fi
printf '%s' ${quote(info)} >"$file"
echo held
while beat=$(timeout ${patienceSeconds} dd bs=1 count=1 2>/dev/null 9>&-) && [ -n "$beat" ]; do :; done
rm -f "$file"
`;
}

function holderScript(folder: string, name: string): string {
  return `${setOut(folder, name)}
if [ -e "$file" ] && ! flock -n "$file" true; then cat "$file"; exit 0; fi
if grep -qF " $socket" /proc/net/unix; then printf 'a berth that runs there'; exit 0; fi
exit 3`;
}

async function take(
  link: Connection,
  folder: string,
  { name, info }: { name: string; info: string },
): Promise<Lock | null> {
  const session = await link.talk(takeScript(folder, name, info));
  const said = await new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve('slow'), answerMs);
    session.onLine(resolve);
    void session.ended.then((end) => resolve(`lost ${end.said.trim()}`));
    void Promise.allSettled([session.ended]).then(() => clearTimeout(timer));
  });
  if (said !== 'held') {
    session.cut();
    if (said === 'taken') return null;
    throw lockFault(link.where, said);
  }
  // Whoever holds it must not go on over another connection, where it would be held no longer.
  const letGo = link.hold();
  const beat = setInterval(() => session.write('.'), beatMs);
  void session.ended.then(() => clearInterval(beat));
  function release(): void {
    clearInterval(beat);
    session.closeInput();
    letGo();
  }
  return { release, [Symbol.dispose]: release };
}

function lockFault(host: string, said: string): BerthError {
  const [what, rest] = [said.slice(0, 6), said.slice(7)];
  if (what === 'failed') return new BerthError('HOST_REFUSES', { host, what: 'Taking the lock', said: rest });
  if (said === 'slow') return new BerthError('HOST_SLOW', { host, doing: 'taking the lock', seconds: 30 });
  return new BerthError('HOST_LOST', { host, said: said.slice(5) || 'while the lock was taken' });
}

/** Locks of another machine, which berths that run there and berths that come by ssh respect alike. */
export function farLocks(link: Connection, folder: string): HostLocks {
  return {
    take: (name, info) => take(link, folder, { name, info }),
    holder: async (name) => {
      const done = await link.run(holderScript(folder, name), { doing: 'asking who holds a lock' });
      return done?.code === 0 ? done.stdout.toString('utf8') : null;
    },
  };
}
