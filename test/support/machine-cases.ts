import { isIPv6 } from 'node:net';
import { resolve } from 'node:path/posix';
import { expect, test } from 'vitest';
import { findingsIn } from '../../src/audit/audit.ts';
import { observeHost } from '../../src/audit/gather/observe-host.ts';
import type { ObservedHost } from '../../src/domain/audit/observation.ts';
import { nameOf } from '../../src/domain/audit/server-words.ts';
import type { FileStat } from '../../src/io/files.ts';
import { localWorld } from '../../src/io/local-world.ts';
import type { World } from '../../src/io/world.ts';
import { scanHost } from '../../src/scan/scan.ts';
import { tcpRow, writeProcTree } from './proc-tree.ts';
import type { FakeProcess } from './proc-tree.ts';

export interface MachineProcess extends Omit<FakeProcess, 'sockets' | 'tcp' | 'tcp6'> {
  /** Where it listens: "127.0.0.1:8080", "[::]:8080". */
  readonly at?: readonly string[];
  /** It holds the sockets of this process too. */
  readonly holds?: number;
}

export interface MachineCase {
  readonly what: string;
  readonly processes?: readonly MachineProcess[];
  /** Files with their text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Model files with their size in GiB. */
  readonly models?: Readonly<Record<string, number>>;
  readonly links?: Readonly<Record<string, string>>;
  /** Units that systemd has loaded, with what it says of them otherwise than of one that runs well. */
  readonly loaded?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Those of the user's manager. */
  readonly userLoaded?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What is answered, by port and path ("8080/v1/models"); whatever else listens tells that it is in good health. */
  readonly replies?: Readonly<Record<string, string>>;
  /** What is refused to whoever has no key, in the same words. */
  readonly refused?: readonly string[];
  /** The GPUs, by their use in MiB and whether they are divided (MIG), and who holds what of which, in MiB. */
  readonly gpus?: readonly { used: number; mig?: true }[];
  readonly gpuHolders?: readonly { gpu: number; pid: number; name?: string; used: number | null }[];
  /** Ports that take a connection and never answer. */
  readonly silent?: readonly number[];
  /** "engine model (process pid)" of each server, sorted. */
  readonly servers?: readonly string[];
  /** What the findings say to run. */
  readonly commands?: readonly string[];
  /** "rule object" of each finding, sorted. */
  readonly found: readonly string[];
}

/** When the look is taken: processes started a second after boot for each number of theirs. */
const boot = 1_700_000_000;
const now = (boot + 100_000) * 1000;
const GiB = 1024 ** 3;

const systemd: MachineProcess = {
  pid: 1,
  argv: ['/usr/lib/systemd/systemd'],
  ppid: 0,
  cgroup: '/init.scope',
};
const berth: MachineProcess = { pid: 2, argv: ['node', '/opt/berth/bin/berth.js', 'audit'] };

/** One test for each machine: the audit sees these servers in it, finds these faults, and no other. */
export function tryMachines(cases: readonly MachineCase[]): void {
  for (const one of cases)
    test(`${one.what}: ${one.found.join(', ') || 'nothing is wrong'}`, async () => {
      const host = await lookAt(one);
      const names = host.servers.map(nameOf).toSorted();
      expect(one.servers === undefined ? undefined : names).toEqual(one.servers);
      const at = new Date(now).toISOString();
      const findings = findingsIn({ at, hosts: [host], clusters: [], fleet: null });
      expect(findings.map(({ rule, object }) => `${rule} ${object}`).toSorted()).toEqual(one.found);
      const commands = findings.flatMap((finding) => finding.commands ?? []);
      expect(one.commands === undefined ? undefined : commands).toEqual(one.commands);
    });
}

/** Such a machine as the audit sees it. */
export async function lookAt(machine: MachineCase): Promise<ObservedHost> {
  using tree = writeProcTree(fakeProcesses(machine.processes ?? []), {
    stat: `btime ${boot}\n`,
    cpuinfo: Array.from({ length: 64 }, (_, n) => `processor\t: ${n}\ncore id\t: ${n}\n`).join('\n'),
    meminfo: 'MemTotal: 268435456 kB\nMemAvailable: 134217728 kB\n',
  });
  const world = worldOf(machine, tree.path);
  const { host } = await scanHost(world, {
    cwd: '/',
    signal: new AbortController().signal,
    timeoutMs: 5000,
  });
  // What is looked at goes when this ends.
  const observed = await observeHost(world, host);
  return observed;
}

function fakeProcesses(given: readonly MachineProcess[]): FakeProcess[] {
  const all = [berth, systemd, ...given].map((one) => ({ netns: '100', ...one }));
  const rows = all.flatMap(({ pid, netns, at = [] }) =>
    at.map((place, index) => ({ pid, netns, inode: pid * 100 + index, ...placeOf(place) })),
  );
  return all.map(({ at: _at, holds, ...entry }) => {
    const near = rows.filter((row) => row.netns === entry.netns);
    const own = rows.filter((row) => row.pid === entry.pid || row.pid === holds);
    return {
      ...entry,
      sockets: entry.netns === null ? [] : own.map((row) => row.inode),
      tcp: near.filter((row) => row.hex.length === 8).map((row) => tcpRow(row.hex, row.port, row.inode)),
      tcp6: near.filter((row) => row.hex.length > 8).map((row) => tcpRow(row.hex, row.port, row.inode)),
    };
  });
}

function placeOf(place: string): { hex: string; port: number } {
  const colon = place.lastIndexOf(':');
  const address = place.slice(0, colon).replace(/^\[|\]$/g, '');
  return { hex: isIPv6(address) ? words6(address) : words4(address), port: Number(place.slice(colon + 1)) };
}

/** An address as the kernel prints it: each word of it in the order of the machine. */
function words4(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return bytes.toReversed().join('').toUpperCase();
}

function words6(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/.exec(address)?.[1];
  if (mapped !== undefined) return `${'0'.repeat(16)}FFFF0000${words4(mapped)}`;
  const [before = '', after = ''] = address.split('::');
  const [head, tail] = [before, after].map((side) => side.split(':').filter((one) => one !== ''));
  const zeros = Array.from({ length: 8 - (head?.length ?? 0) - (tail?.length ?? 0) }, () => '0');
  const hex = [...(head ?? []), ...zeros, ...(tail ?? [])].map((one) => one.padStart(4, '0')).join('');
  return (hex.match(/.{8}/g) ?? [])
    .map((word) => (word.match(/../g) ?? []).toReversed().join(''))
    .join('')
    .toUpperCase();
}

function worldOf(machine: MachineCase, proc: string): World {
  const base = localWorld();
  const files = filesOf(machine, proc);
  const listening = new Set(
    (machine.processes ?? []).flatMap(({ at = [] }) => at.map((one) => placeOf(one).port)),
  );
  return {
    ...base,
    proc,
    uid: 1000,
    env: { HOME: '/home/me', XDG_RUNTIME_DIR: '/run/user/1000' },
    clock: { ...base.clock, wall: () => new Date(now) },
    files: { ...base.files, ...files },
    exec: {
      ...base.exec,
      run: async (argv) =>
        argv[0] === 'systemctl'
          ? { code: 0, signal: null, stdout: systemctl(machine, argv), stderr: '' }
          : argv[0] === 'nvidia-smi' && machine.gpus
            ? { code: 0, signal: null, stdout: nvidiaSmi(machine, argv), stderr: '' }
            : { code: null, signal: null, stdout: '', stderr: 'ENOENT' },
    },
    http: {
      request: async (url: string) => {
        const { port, pathname } = new URL(url);
        const text = machine.replies?.[`${port}${pathname}`];
        if (machine.refused?.includes(`${port}${pathname}`)) return { status: 401, headers: {}, text: '' };
        if (!listening.has(Number(port)) || machine.silent?.includes(Number(port)))
          throw Object.assign(new Error('no answer'), { code: 'ECONNREFUSED' });
        if (text !== undefined) return { status: 200, headers: {}, text };
        const well = pathname.endsWith('/health') && machine.replies === undefined;
        return { status: well ? 200 : 404, headers: {}, text: well ? '{}' : '' };
      },
    },
  };
}

/** Its files by what is named; below the root of any process lies the same. */
function filesOf(
  { files = {}, models = {}, links = {} }: MachineCase,
  proc: string,
): Pick<World['files'], 'read' | 'list' | 'stat'> {
  const { files: real } = localWorld();
  const known = [...Object.keys(files), ...Object.keys(models), ...Object.keys(links)];
  function placed(path: string): string | null {
    const below = path.startsWith(`${proc}/`)
      ? /^\/[^/]+\/root(\/.*)$/.exec(path.slice(proc.length))?.[1]
      : path;
    return below === undefined ? null : resolved(below);
  }
  function resolved(path: string): string {
    const link = Object.keys(links).find((one) => path === one || path.startsWith(`${one}/`));
    if (link === undefined) return path;
    return resolved(resolve(link, '..', links[link] ?? '', `.${path.slice(link.length)}`));
  }
  function stat(path: string): FileStat | null {
    const common = { mtimeMs: 0, id: `1:${path}` };
    if (path in files) return { ...common, size: files[path]?.length ?? 0, isFile: true, mode: 0o644 };
    if (path in models) return { ...common, size: (models[path] ?? 0) * GiB, isFile: true, mode: 0o644 };
    return known.some((one) => one.startsWith(`${path}/`))
      ? { ...common, size: 4096, isFile: false, mode: 0o755 }
      : null;
  }
  return {
    read: async (path) => {
      const place = placed(path);
      return place === null ? real.read(path) : (files[place] ?? null);
    },
    list: async (path) => {
      const place = placed(path);
      if (place === null) return real.list(path);
      const below = known.filter((one) => one.startsWith(`${place}/`));
      return [...new Set(below.map((one) => one.slice(place.length + 1).split('/')[0] ?? ''))];
    },
    stat: async (path) => {
      const place = placed(path);
      return place === null ? real.stat(path) : stat(place);
    },
  };
}

/** What the tool of NVIDIA prints of GPUs with 80 GiB. */
function nvidiaSmi({ gpus = [], gpuHolders = [] }: MachineCase, argv: readonly string[]): string {
  if (argv.some((word) => word.startsWith('--query-compute-apps')))
    return gpuHolders
      .map(({ gpu, pid, name = 'python3', used }) => `GPU-${gpu}, ${pid}, ${name}, ${used ?? '[N/A]'}\n`)
      .join('');
  const rows = gpus.map(
    ({ used, mig }, n) =>
      `${n}, GPU-${n}, 0000:0${n}:00.0, NVIDIA H100, 81920, ${used}, 500, 10, 40, 100, ${mig ? 'Enabled' : 'Disabled'}, 570.1, 9.0\n`,
  );
  return argv.some((word) => word.startsWith('--query-gpu')) ? rows.join('') : '';
}

/** What systemd says: of what it is asked for, and of each unit what it says of one that runs well. */
function systemctl({ loaded = {}, userLoaded = {} }: MachineCase, argv: readonly string[]): string {
  const units = argv.includes('--user') ? userLoaded : loaded;
  const names = Object.keys(units);
  if (argv.includes('list-units')) return names.map((name) => `${name} loaded active running x\n`).join('');
  const asked = (argv[argv.indexOf('-p') + 1] ?? '').split(',');
  const usual = {
    ActiveState: 'active',
    Result: 'success',
    UnitFileState: 'enabled',
    NeedDaemonReload: 'no',
    NRestarts: '0',
  };
  return argv
    .filter((name) => name.endsWith('.service'))
    .map((name) => {
      const facts: Readonly<Record<string, string>> = {
        ...(units[name] ? usual : { ActiveState: 'inactive', UnitFileState: 'disabled' }),
        Id: name,
        Names: name,
        ...units[name],
      };
      return asked.map((key) => `${key}=${facts[key] ?? ''}\n`).join('');
    })
    .join('\n');
}
