import type { ProcSnapshot } from '../procfs/read.ts';
import type { Connection } from './connection.ts';

/** What is read of each process, and of the machine. */
const ofProcess = ['stat', 'status', 'cmdline', 'environ', 'cgroup'];
const ofMachine = [
  'sys/kernel/random/boot_id',
  'stat',
  'self/mountinfo',
  'self/status',
  'self/net/tcp',
  'self/net/tcp6',
];
const atOnce = 100;

/**
 * Reads /proc with few programs: one `cat` takes the files of many processes, with its own environment between them, whose one
 * variable is a nonce. What a process can write of itself (its command line, its environment) cannot pass for that of another.
 * A file that is gone or hidden is empty.
 */
export function processesScript(nonce: string, only?: readonly number[]): string {
  function files(list: readonly string[], at: string): string {
    return list.map((name) => `"$env" "${at}${name}"`).join(' ');
  }
  return `LC_ALL=C; export LC_ALL
cd /proc || exit 1
env=/proc/self/environ
read_them() { env -i N=${nonce} cat "$@" 2>/dev/null; }
told() { printf 'N=${nonce}\\000%s' "$*"; }
told machine
read_them ${files(ofMachine, '')}
flush() { [ $# -eq 0 ] || read_them "$@"; }
pids='' count=0
set --
for pid in ${only ? only.join(' ') : '[0-9]*'}; do
  pids="$pids $pid" count=$((count + 1))
  set -- "$@" ${files(ofProcess, '$pid/')}
  if [ $count -eq ${atOnce} ]; then told processes$pids; flush "$@"; pids='' count=0; set --; fi
done
[ $count -eq 0 ] || { told processes$pids; flush "$@"; }
told sockets
plain=-lnq
ls $plain self/ns >/dev/null 2>&1 || plain=-ln
ls $plain ${folders(only, ['fd', 'ns'])} self/ns 2>/dev/null | grep -e ':$' -e 'socket:' -e ' net -> ' -e ' pid -> '
told programs
ls -ln ${folders(only, ['exe', 'cwd'])} 2>/dev/null
told end`;
}

function folders(only: readonly number[] | undefined, names: readonly string[]): string {
  const pids = only ?? ['[0-9]*'];
  return names.flatMap((name) => pids.map((pid) => `${pid}/${name}`)).join(' ');
}

/** By path below /proc. */
export function readProcesses(text: string, nonce: string): ProcSnapshot {
  const texts = new Map<string, string>();
  const links = new Map<string, string>();
  const names = new Map<string, string[]>();
  const pieces = text.split(`N=${nonce}\0`);
  const pids: string[] = [];
  for (let at = 1; at < pieces.length; at += 1) {
    const [what, ...rest] = (pieces[at] ?? '').split(' ');
    if (what === 'machine') at = take(texts, pieces, { at, paths: ofMachine });
    else if (what === 'processes') {
      pids.push(...rest);
      const paths = rest.flatMap((pid) => ofProcess.map((name) => `${pid}/${name}`));
      at = take(texts, pieces, { at, paths });
    } else if (pieces[at]?.startsWith('sockets')) readFolders(pieces[at] ?? '', links, names);
    else if (pieces[at]?.startsWith('programs')) readLinks(pieces[at] ?? '', links);
  }
  names.set('', pids);
  return {
    text: (path) => texts.get(path) ?? null,
    link: (path) => links.get(path) ?? null,
    names: (path) => names.get(path) ?? [],
  };
}

/** The files that follow a heading, in the order in which they were asked for. An empty one counts as not there. */
function take(
  into: Map<string, string>,
  pieces: readonly string[],
  { at, paths }: { at: number; paths: readonly string[] },
): number {
  paths.forEach((path, i) => {
    const text = pieces[at + 1 + i];
    if (text) into.set(path, text);
  });
  return at + paths.length;
}

/** "42/fd:", then a line for each link in it. */
function readFolders(listing: string, links: Map<string, string>, names: Map<string, string[]>): void {
  let folder = '';
  for (const line of listing.slice('sockets'.length).split('\n')) {
    const heading = /^(\S+):$/.exec(line)?.[1];
    const link = / (\S+) -> (\S+)$/.exec(line);
    if (heading !== undefined) folder = heading;
    else if (link?.[1] !== undefined && link[2] !== undefined) {
      links.set(`${folder}/${link[1]}`, link[2]);
      names.set(folder, [...(names.get(folder) ?? []), link[1]]);
    }
  }
}

/** "lrwxrwxrwx 1 0 0 0 Nov 28 08:00 42/exe -> /usr/bin/node" */
function readLinks(listing: string, links: Map<string, string>): void {
  for (const line of listing.split('\n')) {
    const link = / (\d+\/(?:exe|cwd)) -> (.*)$/.exec(line);
    if (link?.[1] !== undefined && link[2] !== undefined) links.set(link[1], link[2]);
  }
}

/** Processes of another machine. What is asked for in one turn is asked once. */
export function farProcfs(
  link: Connection,
  makeNonce: () => string,
): (only?: readonly number[]) => Promise<ProcSnapshot> {
  let whole: Promise<ProcSnapshot> | null = null;
  async function ask(only?: readonly number[]): Promise<ProcSnapshot> {
    const nonce = makeNonce();
    const { stdout } = await link.must('Reading /proc', processesScript(nonce, only));
    return readProcesses(stdout.toString('utf8'), nonce);
  }
  return (only) => {
    if (only) return ask(only);
    if (!whole) {
      whole = ask();
      setImmediate(() => (whole = null));
    }
    return whole;
  };
}
