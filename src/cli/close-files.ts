import { quoteWord } from '../domain/command-line/quote-word.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { Finding } from '../domain/finding.ts';
import { takeHostLocks } from '../fleet/apply/host-locks.ts';
import type { LockTaker } from '../fleet/apply/host-locks.ts';
import { openJournal } from '../fleet/apply/journal.ts';
import type { Journal } from '../fleet/apply/journal.ts';
import { accessOf, worldOfHost } from '../fleet/file/hosts.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import { namesFile } from './names-file.ts';
import { readProcessTable } from '../io/procfs.ts';
import type { World } from '../io/world.ts';

/** A file that others shall no longer read. Modes are octal, as chmod takes them. */
export interface OpenFile {
  readonly finding: Finding;
  readonly host: string;
  readonly path: string;
  /** The process that reads it. */
  readonly pid: number;
  /** Device and inode. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export interface Closed {
  readonly host: string;
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly undo: string;
}

type Left = readonly { readonly finding: Finding; readonly why: string }[];

const timeoutMs = 20_000;

/** Files of these findings whose server reads them without the right of all others. Reads only. */
export async function openFilesOf(
  world: World,
  { hosts }: LoadedFleet,
  findings: readonly Finding[],
): Promise<{ files: OpenFile[]; left: Left }> {
  const files: OpenFile[] = [];
  const left: { finding: Finding; why: string }[] = [];
  for (const finding of findings) {
    const { pid, paths } = finding.fix?.close ?? { pid: 0, paths: [] };
    const host = finding.host ?? 'local';
    const there = await worldOfHost(world, hosts, host);
    for (const path of paths) {
      const judged = await judge(there, { pid, path });
      if ('why' in judged) left.push({ finding, why: judged.why });
      else files.push({ finding, host, path, pid, ...judged });
    }
  }
  return { files: files.filter((one) => left.every(({ finding }) => finding !== one.finding)), left };
}

type Judged = Pick<OpenFile, 'file' | 'before' | 'after'> | { readonly why: string };

/**
 * It must be the same file for the server as for us, one that its user reads as owner or by its group, and one that no process of
 * another user names or has open.
 */
async function judge(world: World, { pid, path }: { pid: number; path: string }): Promise<Judged> {
  const format = '%d:%i %u %g %a';
  const names = [path, `/proc/${pid}/root${path}`, `/proc/${pid}`];
  const { code, stdout } = await world.exec.run(['stat', '-L', '-c', format, '--', ...names], { timeoutMs });
  const [own, inside, process] = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const { processes } = readProcessTable(await world.procfs());
  const uid = processes.get(pid)?.uid;
  if (code !== 0 || !own || !inside || !process || uid === undefined)
    return { why: `The rights of ${path} cannot be looked at by this user.` };
  if (own[0] !== inside[0]) return { why: `${path} is another file for its server.` };
  const [file = '', owner = '', group = '', mode = ''] = own;
  const bits = Number.parseInt(mode, 8);
  // The kernel shows a process that may not be looked into as root's, group included.
  const inGroup = process[1] === String(uid) && process[2] === group;
  const reads =
    uid === 0 || (String(uid) === owner && (bits & 0o400) !== 0) || (inGroup && (bits & 0o040) !== 0);
  if (!reads)
    return {
      why: `Its server reads ${path} by the right of all others alone: give that file to its user first.`,
    };
  const others = [...processes.values()].filter(
    (one) => one.uid !== 0 && one.uid !== uid && String(one.uid) !== owner,
  );
  const named = others.find((one) => namesFile(one, path));
  if (named)
    return { why: `Process ${named.pid} of another user names ${path} too, and might not read it then.` };
  const held = others.length === 0 ? [] : await holdersOf(world, path);
  const holder = others.find((one) => held.includes(one.pid));
  if (holder)
    return {
      why: `Process ${holder.pid} of another user has ${path} open, and might not read it again then.`,
    };
  return { file, before: mode, after: (bits & ~0o007).toString(8).padStart(3, '0') };
}

/** Processes that have a file open at this moment. Those that read it now and then are not seen, nor those that rights hide. */
async function holdersOf(world: World, path: string): Promise<number[]> {
  const literal = path.replaceAll(/[\\*?[\]]/g, '\\$&');
  const found = await world.exec.run(
    ['find', '/proc', '-maxdepth', '3', '-path', '/proc/[0-9]*/fd/*', '-lname', literal],
    { timeoutMs },
  );
  return found.stdout
    .split('\n')
    .flatMap((line) => /^\/proc\/(\d+)\/fd\//.exec(line)?.[1] ?? [])
    .map(Number);
}

export function openFileText({ host, path, before, after, finding }: OpenFile): string {
  const where = host === 'local' ? '' : ` on ${host}`;
  return `  ${finding.object} [${finding.rule}]: ${path}${where} can no longer be read by all (${before} → ${after}).`;
}

/** Takes the right from all others, file by file; one that is refused keeps none of the rest from it. */
export async function closeFiles(
  world: World,
  loaded: LoadedFleet,
  { files, onProgress, signal }: Pick<LockTaker, 'onProgress' | 'signal'> & { files: readonly OpenFile[] },
): Promise<{ closed: Closed[]; left: Left }> {
  const closed: Closed[] = [];
  const left: { finding: Finding; why: string }[] = [];
  if (files.length === 0) return { closed, left };
  using _locks = await takeHostLocks(
    world,
    files.map(({ host }) => accessOf(loaded.hosts[host])),
    { who: `berth audit --fix of fleet ${loaded.fleet}`, onProgress, signal },
  );
  const journal = openJournal(world, loaded, { command: 'audit --fix', plan: null });
  for (const file of files) {
    try {
      closed.push(await closeOne(world, loaded, { file, journal }));
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      left.push({ finding: file.finding, why: error.message });
    }
  }
  return { closed, left };
}

async function closeOne(
  world: World,
  { hosts }: LoadedFleet,
  { file, journal }: { file: OpenFile; journal: Journal },
): Promise<Closed> {
  const { host, path, before, after } = file;
  const there = await worldOfHost(world, hosts, host);
  const reasons = [`everybody could read it (${before})`];
  const effect = { do: 'close file' as const, host, deployment: null, replica: null, object: path, reasons };
  await journal.record(effect, async () => {
    // The question may have stood for long, and whoever owns the folder may have put another file there.
    const now = await judge(there, file);
    if (!('file' in now) || now.file !== file.file || now.before !== before)
      throw new BerthError('WRITE_DENIED', { path, reason: 'it has changed since it was looked at' });
    const { code, stderr } = await there.exec.run(['chmod', 'o-rwx', '--', path], { timeoutMs });
    if (code === 0) return `${path} (${after})`;
    throw new BerthError('WRITE_DENIED', {
      path,
      reason: stderr.trim().split('\n').at(-1) ?? 'chmod failed',
    });
  });
  return { host, path, before, after, undo: `chmod ${before} ${quoteWord(path)}` };
}
