import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeProcess {
  readonly pid: number;
  readonly ppid?: number;
  /** Null: rights hide it. */
  readonly argv?: readonly string[] | null;
  readonly env?: Record<string, string> | null;
  readonly uid?: number;
  /** Its path, or the whole text of the file as version 1 has it. */
  readonly cgroup?: string;
  /** Where the links to its program and its folder lead; absent: hidden. */
  readonly exe?: string;
  readonly cwd?: string;
  readonly netns?: string | null;
  readonly rssKib?: number;
  readonly rssFileKib?: number;
  readonly name?: string;
  readonly state?: string;
  readonly kernelThread?: boolean;
  /** Inodes of its open sockets. */
  readonly sockets?: readonly number[];
  /** Rows of net/tcp and net/tcp6 in the namespace it lives in. */
  readonly tcp?: readonly string[];
  readonly tcp6?: readonly string[];
  /** IPv4 addresses of that namespace. */
  readonly addresses?: readonly string[];
}

/** Writes a folder in the shape of /proc; gone when disposed. The first process is the one that looks ("self"). */
export function writeProcTree(
  processes: readonly FakeProcess[],
  files: Readonly<Record<string, string>> = {},
): { path: string; [Symbol.dispose]: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'berth-proc-'));
  const common = {
    stat: 'cpu  0 0 0 0\nbtime 1700000000\n',
    'sys/kernel/random/boot_id': '11111111-2222-3333-4444-555555555555\n',
    ...files,
  };
  for (const [name, text] of Object.entries(common)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  for (const entry of processes) writeProcess(join(path, String(entry.pid)), entry);
  const [first] = processes;
  if (first) symlinkSync(String(first.pid), join(path, 'self'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function writeProcess(folder: string, entry: FakeProcess): void {
  const { pid, ppid = 1, argv = ['x'], env = {}, netns = '4026531840' } = entry;
  for (const name of ['fd', 'ns', 'net']) mkdirSync(join(folder, name), { recursive: true });
  const flags = entry.kernelThread ? 0x00200040 : 0x00400000;
  const fields = [
    entry.state ?? 'S',
    ppid,
    pid,
    pid,
    0,
    -1,
    flags,
    ...Array.from({ length: 12 }, () => 0),
    100 * pid,
  ];
  writeFileSync(join(folder, 'stat'), `${pid} (${entry.name ?? 'a (b) c'}) ${fields.join(' ')} 0 0\n`);
  const memory = `VmRSS:\t${entry.rssKib ?? 1000} kB\nRssFile:\t${entry.rssFileKib ?? 400} kB\n`;
  const uid = entry.uid ?? 1000;
  writeFileSync(join(folder, 'status'), `Name:\tx\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n${memory}`);
  if (argv !== null) writeFileSync(join(folder, 'cmdline'), argv.map((word) => `${word}\0`).join(''));
  if (env !== null) {
    const words = Object.entries(env).map(([name, value]) => `${name}=${value}\0`);
    writeFileSync(join(folder, 'environ'), words.join(''));
  }
  const cgroup = entry.cgroup ?? '/';
  writeFileSync(join(folder, 'cgroup'), cgroup.startsWith('/') ? `0::${cgroup}\n` : cgroup);
  if (entry.exe !== undefined) symlinkSync(entry.exe, join(folder, 'exe'));
  if (entry.cwd !== undefined) symlinkSync(entry.cwd, join(folder, 'cwd'));
  if (netns !== null) symlinkSync(`net:[${netns}]`, join(folder, 'ns/net'));
  entry.sockets?.forEach((inode, i) => symlinkSync(`socket:[${inode}]`, join(folder, 'fd', String(i + 3))));
  writeFileSync(
    join(folder, 'net/tcp'),
    ['  sl  local_address rem_address   st', ...(entry.tcp ?? [])].join('\n'),
  );
  const routes = (entry.addresses ?? []).map((address) => `     |-- ${address}\n        /32 host LOCAL\n`);
  writeFileSync(join(folder, 'net/fib_trie'), `Main:\n${routes.join('')}`);
  writeFileSync(join(folder, 'net/tcp6'), ['  sl  local_address', ...(entry.tcp6 ?? [])].join('\n'));
}

/** One row of net/tcp as the kernel prints it; `hex` is the address in its words ("0100007F" is 127.0.0.1). */
export function tcpRow(hex: string, port: number, inode: number, state = '0A', uid = 1000): string {
  const local = `${hex}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const remote = `${'0'.repeat(hex.length)}:0000`;
  return `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0 100 0 0 10 0`;
}
