import { parseEnviron } from '../procfs/parse.ts';

/** What berth knows of another machine from the moment it is let in. */
export interface HostFacts {
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number;
  /** Names the running machine, whatever it is called: its boot, and its namespace of processes. */
  readonly identity: string;
  /** Its clock, ms since 1970. */
  readonly wallMs: number;
  /** What berth needs there and does not find. */
  readonly lacks: readonly string[];
}

const programs = 'cat chmod cp date dd env flock grep id ls mkdir mv rm setsid stat tail timeout wc';

/** Tells the facts between two nonces and then stays until its input ends: its session is what the connection lives by. */
export function probeScript(nonce: string): string {
  return `printf '%s\\n' ${nonce}
printf 'uid %s\\n' "$(id -u)"
printf 'boot %s %s\\n' "$(cat /proc/sys/kernel/random/boot_id)" "$(ls -ln /proc/self/ns/pid)"
printf 'time %s\\n' "$(date +%s)"
for one in ${programs}; do command -v "$one" >/dev/null 2>&1 || printf 'lacks %s\\n' "$one"; done
[ -r /proc/self/stat ] || printf 'lacks /proc\\n'
printf 'environ\\n'
cat /proc/$$/environ
printf '\\n%s end\\n' ${nonce}
exec cat >/dev/null
`;
}

/** Null as long as not all of it is there. */
export function readProbe(text: string, nonce: string): HostFacts | null {
  const begin = text.indexOf(`${nonce}\n`);
  const end = text.indexOf(`\n${nonce} end\n`);
  if (begin < 0 || end < 0) return null;
  const said = text.slice(begin + nonce.length + 1, end);
  const at = said.indexOf('environ\n');
  const lines = said.slice(0, at).split('\n');
  function told(name: string): string[] {
    return lines.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
  }
  const env = parseEnviron(said.slice(at + 'environ\n'.length));
  return {
    // What sshd says of this very session is nobody else's matter.
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SSH_'))),
    uid: Number(told('uid')[0] ?? -1),
    identity: identityOf(told('boot')[0] ?? ''),
    wallMs: Number(told('time')[0] ?? 0) * 1000,
    lacks: told('lacks'),
  };
}

/** "BOOT lrwxrwxrwx … /proc/self/ns/pid -> pid:[4026531836]" */
function identityOf(said: string): string {
  const pidns = /pid:\[(\d+)\]/.exec(said)?.[1] ?? '';
  return `${said.split(' ')[0] ?? ''} ${pidns}`;
}
