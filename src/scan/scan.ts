import type { Listener, ProcessTable } from '../domain/process-facts.ts';
import type { ScanReport } from '../domain/scan-report.ts';
import { engines, recognize } from '../engines/registry.ts';
import { detectHardware } from '../hardware/detect.ts';
import { readListeners } from '../io/procfs/listeners.ts';
import { readOwnNetns, readOwnUid, readProcessTable } from '../io/procfs.ts';
import type { World } from '../io/world.ts';
import { targets } from '../targets/registry.ts';
import { describe } from './describe.ts';
import { findServers } from './find-servers.ts';
import { look } from './look.ts';
import { addMarked } from './marked.ts';
import { findingsOf } from './findings.ts';
import type { Seen } from './seen.ts';
import { suspects } from './suspects.ts';
import { userNames } from './users.ts';

export interface ScanOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Over all questions to servers and tools, which run side by side. */
  readonly timeoutMs: number;
}

/**
 * What serves models on this machine: read from /proc, then asked over loopback by GETs that change nothing.
 * Needs no file, changes nothing, and never fails for want of rights: what they hide is counted.
 */
export async function scan(world: World, options: ScanOptions): Promise<ScanReport> {
  const started = world.clock.now();
  const hardwareFound = detectHardware(world, { timeoutMs: options.timeoutMs });
  const proc = await world.procfs();
  const table = readProcessTable(proc);
  const listeners = readListeners(proc, table);
  const marks = (await Promise.all(targets.map((target) => target.observe(world)))).flat();
  const seen = { table, listeners, marks, ownNetns: readOwnNetns(proc), proc };
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
    describe(one, { ...seen, users, gpus: hardware.gpus, titleOf }),
  );
  return {
    version: 1,
    at: world.clock.wall().toISOString(),
    tookMs: Math.round(world.clock.now() - started),
    servers,
    findings: findingsOf(servers, { hardware, listeners, table }),
    hardware,
    looked: lookedAt(table, listeners),
    hidden: hiddenFrom(seen),
    fleetFile: await fleetFileIn(world, options.cwd),
  };
}

function titleOf(kind: string): string {
  return engines.find((engine) => engine.kind === kind)?.title ?? kind;
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
