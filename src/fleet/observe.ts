import { basename, dirname } from 'node:path';
import type { Instance } from '../domain/instance.ts';
import type { Listener, ProcessEntry, ProcessTable } from '../domain/process-facts.ts';
import { readProcessTable } from '../io/procfs.ts';
import { readListeners } from '../io/procfs/listeners.ts';
import type { World } from '../io/world.ts';
import { targets } from '../targets/registry.ts';

/** What runs on this machine as far as a fleet is concerned. */
export interface Observed {
  /** Marked instances of every fleet. */
  readonly instances: readonly Instance[];
  /** Sockets that listen in our own network namespace. */
  readonly listeners: readonly Listener[];
  readonly table: ProcessTable;
}

export async function observe(world: World): Promise<Observed> {
  const instances = (await Promise.all(targets.map((target) => target.observe(world)))).flat();
  const table = readProcessTable(world.proc);
  const own = table.processes.get(process.pid)?.netns ?? null;
  const listeners = readListeners(world.proc, table).filter((one) => own === null || one.netns === own);
  return { instances, listeners, table };
}

/** The instances of one fleet. */
export function instancesOf(
  observed: Observed,
  fleet: { readonly fleet: string; readonly fleetId: string },
): Instance[] {
  return observed.instances.filter(
    ({ mark }) => mark?.fleet === fleet.fleet && mark.fleetId === fleet.fleetId,
  );
}

/** Who listens where `listen` would, in words; null when nobody does. An address that covers all meets each. */
export function holderOf(
  observed: Observed,
  listen: { readonly address: string; readonly port: number },
): { text: string; pids: readonly number[] } | null {
  const { port } = listen;
  const listener = observed.listeners.find((one) => one.port === port && meet(one.address, listen.address));
  if (!listener) return null;
  const [pid] = listener.pids;
  if (pid === undefined) return { text: `a process of another user (uid ${listener.uid})`, pids: [] };
  const entry = observed.table.processes.get(pid);
  const mark = observed.instances.find((one) => one.endpoints.some((end) => end.port === port))?.mark;
  const ours = mark ? `, ${mark.deployment} of fleet ${mark.fleet}` : '';
  const name = gatewayName(entry) ?? `${programName(entry)}${ours}`;
  return { text: `process ${pid} (${name})`, pids: listener.pids };
}

/** "the gateway of fleet lab-k3x9q2", name and id by the folder of its configuration; null of any other process. */
function gatewayName(entry: ProcessEntry | undefined): string | null {
  const argv = entry?.argv ?? [];
  if (!argv.some((word) => /[/]programs[/]gateway\.[jt]s$/.test(word))) return null;
  const config = argv[argv.indexOf('--config') + 1] ?? '';
  return basename(config) === 'gateway.json'
    ? `the gateway of fleet ${basename(dirname(config))}`
    : `a gateway of berth with ${config}`;
}

/** "llama-server"; of an interpreter also what it runs: "node gateway.js". */
function programName(entry: ProcessEntry | undefined): string {
  if (!entry) return 'unknown program';
  const program = basename(entry.exe ?? entry.argv[0] ?? 'unknown program');
  const script = entry.argv[1];
  const interprets = /^(node|python[\d.]*|bash|sh|ruby|perl)$/.test(program);
  return interprets && script && !script.startsWith('-') ? `${program} ${basename(script)}` : program;
}

function meet(a: string, b: string): boolean {
  return a === b || isWildcard(a) || isWildcard(b) || a === 'localhost' || b === 'localhost';
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
