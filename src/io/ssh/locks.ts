import { BerthError } from '../../domain/errors/berth-error.ts';
import { printable } from '../../domain/printable.ts';
import { lockFileName, lockFolders, mostSaid, socketName } from '../lock.ts';
import type { HostLocks, Lock, LockFolders } from '../lock.ts';
import { unnamedHolder } from '../unnamed-holder.ts';
import type { Connection } from './connection.ts';
import { quote } from './script.ts';
import { socketHolder } from './socket-holder.ts';

const beatMs = 5_000;
/** Without a beat for so long the lock is given up there: the way to us is cut, and sshd may not know it for hours. */
const patienceSeconds = 30;
const answerMs = 30_000;

/**
 * What is the same for holding and for asking. A berth that runs there itself has a socket of this name. The file is opened to be read,
 * since where all may write nobody may open for writing what is another's; a lock is given all the same.
 */
function setOut(name: string, [first, last]: LockFolders): string {
  return `LC_ALL=C; export LC_ALL
first=${quote(first)} folder=${quote(last)}
case $([ -d "$first" ] && stat -L -c %a "$first" 2>/dev/null) in [1357]777) folder=$first ;; esac
file=$folder/${lockFileName(name)}
socket=${quote(socketName(name).replace('\0', '@'))}
`;
}

/**
 * Holds a lock of the kernel on a file that all users of the machine see, which ends with the process that has it, and with our beats.
 * Whoever has locked a file that has been removed in between has locked nothing. What the holder says of itself lies in a file of its own,
 * which may be left by one who died.
 */
function takeScript(name: string, info: string, folders: LockFolders): string {
  return `umask 022
${setOut(name, folders)}
[ -e "$file" ] || said=$( (set -C; : >"$file") 2>&1) || [ -e "$file" ] || { echo "failed $file cannot be made: \${said##*: }"; exit 1; }
[ -f "$file" ] && [ -r "$file" ] || { [ -e "$file" ] || { echo taken; exit 0; }; echo "failed $file cannot be read"; exit 1; }
exec 9<"$file" || { echo "failed $file cannot be read"; exit 1; }
flock -n 9 || { echo taken; exit 0; }
[ "$(stat -L -c %d:%i /proc/self/fd/9)" = "$(stat -c %d:%i "$file" 2>/dev/null)" ] || { echo taken; exit 0; }
if grep -qF " $socket" /proc/net/unix; then rm -f "$file"; echo taken; exit 0; fi
own=$file.$(id -u)
rm -f "$own" 2>/dev/null
(set -C; printf '%s' ${quote(info)} >"$own") 2>/dev/null
echo held
while beat=$(timeout ${patienceSeconds} dd bs=1 count=1 2>/dev/null 9<&-) && [ -n "$beat" ]; do :; done
rm -f "$own" "$file" 2>/dev/null
`;
}

/** Ends so where whoever holds it may be anybody, or gives no sign. */
const unnamed = 4;

function holderScript(name: string, folders: LockFolders): string {
  return `${setOut(name, folders)}
if [ -f "$file" ] && [ -r "$file" ] && ! (exec 9<"$file"; flock -n 9); then
  for own in $(ls -t "$file".* 2>/dev/null); do
    [ -f "$own" ] && [ ! -L "$own" ] && { head -c 1000 "$own"; exit 0; }
  done
  ${unnamedHolder()}  exit ${unnamed}
fi
${socketHolder(unnamed)}exit 3`;
}

type Way = Pick<Connection, 'where' | 'run' | 'talk' | 'hold'>;

async function take(link: Way, script: string): Promise<Lock | null> {
  const session = await link.talk(script);
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

/** Locks of another machine, which berths that run there and berths that come by ssh respect alike, whichever users they are. */
export function farLocks(link: Way, folders: LockFolders = lockFolders): HostLocks {
  return {
    take: (name, info) => take(link, takeScript(name, info, folders)),
    holder: async (name) => {
      const done = await link.run(holderScript(name, folders), { doing: 'asking who holds a lock' });
      if (done?.code !== 0 && done?.code !== unnamed) return null;
      return { text: printable(done.stdout.toString('utf8'), mostSaid), lives: done.code === 0 };
    },
  };
}
