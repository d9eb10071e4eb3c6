import type { ObservedHost, ObservedListener } from '../domain/audit/observation.ts';
import type { Finding } from '../domain/finding.ts';
import type { Listener, ProcessTable } from '../domain/process-facts.ts';
import type { ScanReport } from '../domain/scan-report.ts';
import { engineNamed, engines, ignoredIn, recognize } from '../engines/registry.ts';
import { detectHardware } from '../hardware/detect.ts';
import { readListeners } from '../io/procfs/listeners.ts';
import { readOwnNetns, readOwnPidns, readOwnUid, readProcessTable } from '../io/procfs.ts';
import { oneLook } from '../io/procfs/read.ts';
import type { World } from '../io/world.ts';
import { markedOn } from '../targets/registry.ts';
import { describe } from './describe.ts';
import { findServers } from './find-servers.ts';
import { look } from './look.ts';
import { addMarked } from './marked.ts';
import type { Seen } from './seen.ts';
import { suspects } from './suspects.ts';
import { userNames } from './users.ts';

export interface ScanOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Over all questions to servers and tools, which run side by side. */
  readonly timeoutMs: number;
}

/** What was seen of a machine, before anybody has judged it. */
export interface Scanned {
  readonly report: Omit<ScanReport, 'findings'>;
  readonly host: ObservedHost;
}

/** The report of a machine, with what `judge` finds wrong in it. */
export async function scan(
  world: World,
  options: ScanOptions & { readonly judge: (host: ObservedHost, at: string) => Finding[] },
): Promise<ScanReport> {
  const { report, host } = await scanHost(world, options);
  return { ...report, findings: options.judge(host, report.at) };
}

/**
 * What serves models on this machine: read from /proc, then asked over loopback by GETs that change nothing.
 * Needs no file, changes nothing, and never fails for want of rights: what they hide is counted.
 */
export async function scanHost(world: World, options: ScanOptions): Promise<Scanned> {
  const started = world.clock.now();
  const hardwareFound = detectHardware(world, { timeoutMs: options.timeoutMs });
  const proc = oneLook(await world.procfs());
  const seeing = { ...world, procfs: () => proc };
  const table = readProcessTable(proc);
  const listeners = readListeners(proc, table);
  const marks = [...(await markedOn(seeing)).instances];
  const seen = { table, listeners, marks, ownNetns: readOwnNetns(proc), ownPidns: readOwnPidns(proc), proc };
  const found = addMarked(findServers(table, listeners, recognize), seen);
  const asking = { ...seen, signal: options.signal, timeoutMs: options.timeoutMs };
  const [hardware, users, known, others] = await Promise.all([
    hardwareFound,
    userNames(world),
    Promise.all(found.map((server) => look(world, server, { ...asking, unknown: false }))),
    Promise.all(suspects(found, seen).map((server) => look(world, server, { ...asking, unknown: true }))),
  ]);
  const answering = others.filter(({ probed }) => probed?.engine || (probed?.served.length ?? 0) > 0);
  const servers = [...known, ...answering].map((one) =>
    describe(one, {
      ...seen,
      found: [...found, ...answering.map(({ server }) => server)],
      users,
      gpus: hardware.gpus,
      titleOf,
      ignoredBy: ignoredIn,
    }),
  );
  const report = {
    version: 1 as const,
    at: world.clock.wall().toISOString(),
    tookMs: Math.round(world.clock.now() - started),
    servers,
    hardware,
    looked: lookedAt(table, listeners),
    hidden: hiddenFrom(seen),
    fleetFile: await fleetFileIn(world, options.cwd),
  };
  const host = {
    host: 'local',
    servers,
    hardware,
    gpuDevices: null,
    units: [],
    containers: [],
    modelFiles: [],
  };
  return { report, host: { ...host, listeners: listeners.map((one) => observed(one, seen)) } };
}

function observed({ pids, ...listener }: Listener, { table, ownNetns }: Seen): ObservedListener {
  const pid = pids[0] ?? null;
  const program = table.processes.get(pid ?? -1)?.argv[0] ?? null;
  return { ...listener, here: listener.netns === ownNetns, pid, program };
}

function titleOf(kind: string): string {
  return engineNamed(kind)?.title ?? kind;
}

function lookedAt(table: ProcessTable, listeners: readonly Listener[]): ScanReport['looked'] {
  const namespaces = new Set([...table.processes.values()].flatMap((entry) => entry.netns ?? []));
  return {
    processes: table.processes.size,
    listeners: listeners.length,
    namespaces: Math.max(1, namespaces.size),
    engines: engines.filter((engine) => 'recognize' in engine).map((engine) => engine.title),
  };
}

function hiddenFrom({ table, listeners, proc }: Seen): ScanReport['hidden'] {
  const unowned = listeners.filter((listener) => listener.pids.length === 0).length;
  return { ...table.hidden, listeners: unowned, root: readOwnUid(proc) === 0 };
}

async function fleetFileIn(world: World, cwd: string): Promise<string | null> {
  for (const name of ['berth.yaml', 'berth.yml']) {
    if ((await world.files.stat(`${cwd}/${name}`))?.isFile) return `${cwd}/${name}`;
  }
  return null;
}
