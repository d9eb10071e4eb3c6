import { basename, dirname } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { HostAccess } from '../../domain/host-access.ts';
import type { Instance } from '../../domain/instance.ts';
import type { Listener, ProcessEntry, ProcessTable } from '../../domain/process-facts.ts';
import { readOwnNetns, readProcessTable } from '../../io/procfs.ts';
import { readListeners } from '../../io/procfs/listeners.ts';
import { oneLook } from '../../io/procfs/read.ts';
import type { Procfs } from '../../io/procfs/read.ts';
import type { World } from '../../io/world.ts';
import { markedOn, targetOf } from '../../targets/registry.ts';
import { accessOf, seenOn, worldOn } from '../file/hosts.ts';
import type { Hosts } from '../file/hosts.ts';

/** What runs on one machine as far as a fleet is concerned. */
export interface Observed {
  /** Marked instances of every fleet. */
  readonly instances: readonly Instance[];
  /** Targets that could not be asked, by kind, and why: what they run is not among the instances, and may run all the same. */
  readonly mute: ReadonlyMap<string, BerthError>;
  /** Sockets that listen in our own network namespace. */
  readonly listeners: readonly Listener[];
  readonly table: ProcessTable;
}

/** One look at the machine of this world. */
export async function observe(world: World): Promise<Observed> {
  const looking = world.cluster ? null : lookOnce(world);
  const there = looking === null ? world : { ...world, procfs: shared(world, looking) };
  const [marked, proc] = await Promise.all([markedOn(there), looking]);
  const { mute } = marked;
  const instances = marked.instances.map((one) => seenOn(world, one));
  if (proc === null) return { instances, mute, ...noProcesses };
  const table = readProcessTable(proc);
  const own = readOwnNetns(proc);
  const listeners = readListeners(proc, table).filter((one) => own === 'own' || one.netns === own);
  return { instances, mute, listeners, table };
}

async function lookOnce(world: World): Promise<Procfs> {
  return oneLook(await world.procfs());
}

/** All processes are read once for everybody who asks in this look; single ones are read as they are then. */
function shared(world: World, looking: Promise<Procfs>): World['procfs'] {
  return (only) => (only === undefined ? looking : world.procfs(only));
}

/** What a cluster has of processes and sockets is its own affair. */
const noProcesses: Pick<Observed, 'listeners' | 'table'> = {
  listeners: [],
  table: { bootId: '', processes: new Map(), hidden: { commandLines: 0, details: 0, others: false } },
};

/** What runs on all hosts of a fleet. */
export interface Sight {
  /** Marked instances of every fleet on every machine that answered. */
  readonly instances: readonly Instance[];
  /** By the name of the host. */
  readonly hosts: ReadonlyMap<string, Observed>;
  /** Hosts that could not be looked at, and why. */
  readonly silent: ReadonlyMap<string, BerthError>;
}

/** Looks at all hosts side by side, at each machine once. One that does not answer keeps no other from being seen. */
export async function observeHosts(
  world: World,
  hosts: Readonly<Record<string, HostAccess>>,
): Promise<Sight> {
  const machines = new Map<string, Promise<Observed | BerthError>>();
  for (const access of Object.values(hosts)) {
    const machine = machineOf(access);
    if (!machines.has(machine)) machines.set(machine, lookAt(world, access));
  }
  const seen = new Map<string, Observed>();
  const silent = new Map<string, BerthError>();
  const instances: Instance[] = [];
  for (const [machine, looking] of machines) {
    const found = await looking;
    const names = Object.keys(hosts).filter((name) => machineOf(hosts[name]) === machine);
    for (const name of names)
      if (found instanceof BerthError) silent.set(name, found);
      else seen.set(name, found);
    if (!(found instanceof BerthError)) instances.push(...found.instances);
  }
  return { instances, hosts: seen, silent };
}

async function lookAt(world: World, access: HostAccess): Promise<Observed | BerthError> {
  try {
    return await observe(await worldOn(world, access));
  } catch (error) {
    if (error instanceof BerthError && machineOf(access) !== thisMachine) return error;
    throw error;
  }
}

/** The same, of the hosts of a fleet file. */
export function observeFleet(world: World, hosts: Hosts): Promise<Sight> {
  const access = Object.entries(hosts).map(([name, host]) => [name, accessOf(host)] as const);
  return observeHosts(world, Object.fromEntries(access));
}

/** What runs of a fleet, on all of its hosts that answer. */
export async function fleetInstances(
  world: World,
  fleet: { readonly fleet: string; readonly fleetId: string; readonly hosts: Hosts },
): Promise<Instance[]> {
  return instancesOf(await observeFleet(world, fleet.hosts), fleet);
}

/** Where a deployment is to run. */
interface Place {
  readonly host: string;
  readonly target: { readonly kind: string };
}

/** Why it is not known what runs of a deployment: its host did not answer, or its target there could not be asked. Null: it is. */
export function unseenFault({ silent, hosts }: Sight, { host, target }: Place): BerthError | null {
  return silent.get(host) ?? hosts.get(host)?.mute.get(target.kind) ?? null;
}

/** The same for one instance, or for what is to be one, on the machine that was looked at. Throws why it is not known. */
export function expectAsked({ mute }: Pick<Observed, 'mute'>, target: { readonly kind: string }): void {
  const fault = mute.get(target.kind);
  if (fault) throw fault;
}

/** Targets that could not be asked and that deployments are for, each once. */
export function muteOf(
  { hosts }: Sight,
  deployments: readonly Place[],
): { host: string; target: string; fault: BerthError }[] {
  const wanted = new Set(deployments.map(({ host, target }) => `${host} ${target.kind}`));
  return [...hosts].flatMap(([host, { mute }]) =>
    [...mute].flatMap(([target, fault]) =>
      wanted.has(`${host} ${target}`) ? [{ host, target, fault }] : [],
    ),
  );
}

/**
 * Hosts that were looked at and did not answer, and targets that could not be asked, as findings: nothing of them is planned. `wanted`:
 * the hosts that something is for.
 */
export function silentFindings(
  sight: Sight,
  wanted: ReadonlySet<string>,
  deployments: readonly Place[],
): Finding[] {
  const hosts = [...sight.silent].map(([name, error]): Finding => ({
    rule: 'host-unreachable',
    severity: wanted.has(name) ? 'critical' : 'warning',
    object: name,
    message: `Host ${name} could not be looked at: ${error.message}`,
    evidence: [error.code],
    cure: `${error.cure} What runs there is left as it is until then.`,
  }));
  const targets = muteOf(sight, deployments).map(({ host, target, fault }): Finding => ({
    rule: 'target-unreachable',
    severity: 'critical',
    object: host,
    message: `What runs on host ${host} as ${targetOf(target).title} is not known: ${fault.message}`,
    evidence: [fault.code],
    cure: `${fault.cure} What runs there is left as it is until then.`,
  }));
  return [...hosts, ...targets];
}

/** The instances of one fleet. */
export function instancesOf(
  observed: Pick<Observed, 'instances'>,
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
