import { basename, dirname, resolve } from 'node:path';
import { usualIdleMs } from '../domain/audit/activity.ts';
import type { ObservedHost, Observation } from '../domain/audit/observation.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { machineOf, thisMachine } from '../domain/host-access.ts';
import { PositiveDuration } from '../domain/units.ts';
import { worldOfHost } from '../fleet/file/hosts.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import type { CliContext } from './context.ts';
import { measurementsOf } from './bench/measurements.ts';
import { clustersOf } from './observe-clusters.ts';
import { loadWithoutSecrets } from './fleet-file.ts';
import type { FileOptions } from './fleet-file.ts';

/** The fleet file at hand; null where there is none and none was named. */
export async function fleetIfAny(context: CliContext, options: FileOptions): Promise<LoadedFleet | null> {
  try {
    return await loadWithoutSecrets(context, options);
  } catch (error) {
    if (error instanceof BerthError && error.code === 'CONFIG_MISSING') return null;
    throw error;
  }
}

type Hosts = LoadedFleet['hosts'];
type Unreachable = NonNullable<Observation['fleet']>['unreachable'];

interface Looking {
  readonly loaded: LoadedFleet | null;
  readonly timeout: string;
  /** Names of hosts; none: this machine and all hosts of the file. */
  readonly only?: readonly string[];
  /** Files of published figures, beside those of the fleet file. */
  readonly figures?: readonly string[];
  /** Contexts of kubectl, beside the clusters that are hosts of the file. */
  readonly contexts?: readonly string[];
  /** After how long a server is idle; else as the fleet file says. */
  readonly idle?: string | undefined;
}

/** One look at this machine and at the hosts of the fleet file, side by side. One that does not answer is kept as such. Changes nothing. */
export async function observeHere(context: CliContext, looking: Looking): Promise<Observation> {
  const { loaded } = looking;
  const timeoutMs = timeOf(looking.timeout);
  const idleMs = looking.idle === undefined ? loaded?.audit.idle : timeOf(looking.idle);
  const hosts = chosenHosts(loaded, looking.only ?? []);
  const [machines, clusters, fleet, figures] = await Promise.all([
    Promise.all(machinesOf(hosts).map((name) => lookAt(context, { name, hosts, timeoutMs }))),
    clustersOf(context, hosts, looking.contexts ?? []),
    loaded ? fleetOn(context, loaded, hosts) : null,
    figuresOf(context, looking),
  ]);
  const silent = machines.flatMap((one) => ('host' in one ? [] : [one.unreachable]));
  const seen = {
    at: context.world.clock.wall().toISOString(),
    hosts: machines.flatMap((one) => ('host' in one ? [one.host] : [])),
  };
  return {
    version: 1,
    ...seen,
    clusters,
    figures,
    uses: await usesOf(context, loaded, seen),
    idleMs: idleMs ?? usualIdleMs,
    fleet: fleet && {
      ...fleet,
      reached: loaded ? await reachedHere(context, loaded, seen.hosts) : [],
      unreachable: [
        ...fleet.unreachable,
        ...silent.filter(
          (one) => !fleet.unreachable.some((known) => known.host === one.host && known.target === undefined),
        ),
      ],
    },
  };
}

async function reachedHere(
  { world }: CliContext,
  loaded: LoadedFleet,
  hosts: readonly ObservedHost[],
): Promise<NonNullable<Observation['fleet']>['reached']> {
  const { reachedOn } = await import('./reached-servers.ts');
  const here = hosts.find(({ host }) => host === thisMachine);
  const found = here ? await reachedOn(world, loaded, here.servers) : [];
  return found.map((one) => ({ host: thisMachine, ...one }));
}

async function usesOf(
  { world }: CliContext,
  loaded: LoadedFleet | null,
  seen: Pick<Observation, 'at' | 'hosts'>,
): Promise<Observation['uses']> {
  const [{ lookAtUses }, { gatewayCounts }] = await Promise.all([
    import('../audit/gather/activity.ts'),
    import('../fleet/observe/gateway-counts.ts'),
  ]);
  return lookAtUses(world, { ...seen, gateway: loaded && (await gatewayCounts(world, loaded)) });
}

/** Throws USAGE for a host that no file names. */
function chosenHosts(loaded: LoadedFleet | null, only: readonly string[]): Hosts {
  const all: Hosts = loaded?.hosts ?? { local: { become: 'none', reserve: [] } };
  if (only.length === 0) return all;
  const unknown = only.find((name) => !Object.hasOwn(all, name));
  if (unknown !== undefined) {
    const detail = `There is no host "${unknown}"; known are ${Object.keys(all).join(', ')}.`;
    throw new BerthError('USAGE', { detail, command: 'audit' });
  }
  return Object.fromEntries(only.flatMap((name) => (all[name] ? [[name, all[name]] as const] : [])));
}

/** One name for each machine: this one is always "local". */
function machinesOf(hosts: Hosts): string[] {
  const names = new Map<string, string>();
  for (const [name, host] of Object.entries(hosts)) {
    const machine = machineOf(host);
    if (host.kubernetes === undefined && !names.has(machine))
      names.set(machine, machine === thisMachine ? thisMachine : name);
  }
  return [...names.values()];
}

async function lookAt(
  context: CliContext,
  { name, hosts, timeoutMs }: { name: string; hosts: Hosts; timeoutMs: number },
): Promise<{ host: ObservedHost } | { unreachable: Unreachable[number] }> {
  const { world: home, cwd, signal } = context;
  const [{ scanHost }, { observeHost }] = await Promise.all([
    import('../scan/scan.ts'),
    import('../audit/gather/observe-host.ts'),
  ]);
  try {
    const world = name === thisMachine ? home : await worldOfHost(home, hosts, name);
    const { report, host } = await scanHost(world, { cwd, signal, timeoutMs });
    tellHidden(context, name, report.hidden);
    return { host: await observeHost(world, { ...host, host: name }) };
  } catch (error) {
    if (!(error instanceof BerthError) || name === thisMachine) throw error;
    return { unreachable: { host: name, reason: error.message, cure: error.cure } };
  }
}

/** What the file wants on these hosts, and what of the fleet is on them. */
async function fleetOn(
  { world }: CliContext,
  loaded: LoadedFleet,
  hosts: Hosts,
): Promise<NonNullable<Observation['fleet']>> {
  const { auditFacts } = await import('../fleet/observe/audit-facts.ts');
  const facts = await auditFacts(world, { ...loaded, hosts }, measurementsOf(world));
  return { ...facts, deployments: facts.deployments.filter((one) => Object.hasOwn(hosts, one.host)) };
}

/** Published figures, computed again. Throws FILE_MISSING and CLAIMS_INVALID. */
async function figuresOf(
  { world, cwd }: CliContext,
  { loaded, figures = [] }: Looking,
): Promise<Observation['figures']> {
  const folder = dirname(loaded?.files.at(-1)?.path ?? '.');
  const paths = [
    ...figures.map((path) => resolve(cwd, path)),
    ...(loaded?.audit.figures ?? []).map((path) => resolve(folder, path)),
  ];
  if (paths.length === 0) return [];
  const [{ checkClaim }, { readClaims }] = await Promise.all([
    import('../bench/claims/check-claim.ts'),
    import('../bench/claims/read-claims.ts'),
  ]);
  const read = await Promise.all(
    paths.map(async (path) =>
      Object.entries((await readClaims(world.files, path)).claims).map(([name, claim]) => {
        const { verdict, arithmetic, conclusion } = checkClaim(claim);
        const source = claim.source ?? null;
        return { file: basename(path), name, source, verdict, arithmetic: [...arithmetic], conclusion };
      }),
    ),
  );
  return read.flat();
}

function timeOf(text: string): number {
  const parsed = PositiveDuration.safeParse(text);
  if (parsed.success) return parsed.data;
  const detail = `"${text}" is no time; write it as 500ms, 5s or 1m.`;
  throw new BerthError('USAGE', { detail, command: 'audit' });
}

/** What rights hide is said, beside the result: an audit that saw half of a machine must not look like one that saw all. */
function tellHidden(
  { output }: CliContext,
  name: string,
  hidden: { details: number; commandLines: number; others: boolean; root: boolean },
): void {
  const unseen = Math.max(hidden.details, hidden.commandLines);
  if (hidden.root || (unseen === 0 && !hidden.others)) return;
  const what = hidden.others
    ? "The system hides other users' processes"
    : `${unseen} processes hide what they are`;
  if (name === thisMachine)
    output.progress(`${what} from this user: run with sudo to have them audited, too.`);
  else output.progress(`${what} from the user of ${name}: only root sees them.`);
}
