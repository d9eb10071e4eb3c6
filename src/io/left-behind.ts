import { createHash, randomBytes } from 'node:crypto';
import { promises as fs, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

const dayMs = 24 * 3_600_000;

/** "berth.json.1f2e3d4c-4711-883921-0a1b2c3d.tmp": the kernel and namespace, the pid and the start of who writes it. */
const pattern = /\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{8}\.tmp$/;

/** A name beside `path` for a file on its way; whoever finds it later can tell whether its writer still lives. */
export function nameBeside(path: string): string {
  own ??= `${kernelId()}-${process.pid}-${startOf('self') ?? '0'}`;
  return `${path}.${own}-${randomBytes(4).toString('hex')}.tmp`;
}

let own: string | undefined;

/**
 * Removes from a folder what writers left that died over it. Pids of other machines and namespaces mean nothing here: what such a
 * writer began is left for a day. A folder that may not be read stays as it is.
 */
export async function removeLeftBehind(folder: string): Promise<void> {
  const names = await fs.readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    if (await isLeftBehind(path)) await fs.rm(path, { force: true }).catch(() => {});
  }
}

async function isLeftBehind(path: string): Promise<boolean> {
  const [, kernel, pid, start] = pattern.exec(path) ?? [];
  if (kernel === undefined) return false;
  if (kernel === kernelId()) return !lives(Number(pid), start ?? '');
  const found = await fs.stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > dayMs;
}

/** A process that rights hide from /proc can still be told from none. */
function lives(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(String(pid));
  return now === null || now === start;
}

function kernelId(): string {
  kernel ??= createHash('sha256')
    .update(`${read('/proc/sys/kernel/random/boot_id')} ${link('/proc/self/ns/pid')}`)
    .digest('hex')
    .slice(0, 8);
  return kernel;
}

let kernel: string | undefined;

/** Clock ticks from the start of the machine to that of the process. */
function startOf(pid: string): string | null {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
