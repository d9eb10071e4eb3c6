import { flagValue } from '../domain/command-line/flags.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { machineOf, thisMachine } from '../domain/host-access.ts';
import type { ProcessId } from '../domain/instance.ts';
import type { ScannedServer } from '../domain/scan-report.ts';
import { entriesOf } from '../fleet/adopt/entries.ts';
import type { Entry, Refused, UnitPlace } from '../fleet/adopt/entries.ts';
import { worldOfHost } from '../fleet/file/hosts.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import { readAddresses } from '../io/procfs/addresses.ts';
import type { Procfs } from '../io/procfs/read.ts';
import { readProcess } from '../io/procfs.ts';
import type { World } from '../io/world.ts';
import { scanHost } from '../scan/scan.ts';
import { userNames } from '../scan/users.ts';
import { foreignContainers } from '../targets/docker/foreign.ts';
import { systemScope, userScope } from '../targets/systemd/scope.ts';
import type { CliContext } from './context.ts';
import { isReached } from './reached-servers.ts';

/** What runs on this machine, or on that host of the fleet file, as entries of it, and what cannot be one. Throws USAGE. */
export async function adoptableOn(
  context: CliContext,
  loaded: LoadedFleet | null,
  { host: name, names }: { host?: string | undefined; names: readonly string[] },
): Promise<{ entries: Entry[]; refused: Refused[] }> {
  const hosts = loaded?.hosts ?? {};
  if (loaded && name !== undefined && hosts[name]?.kubernetes) {
    const { adoptableInCluster } = await import('./adoptable-in-cluster.ts');
    return adoptableInCluster(context.world, loaded, name);
  }
  const access = name === undefined ? undefined : machineHost(hosts, name);
  const here = machineOf(access) === thisMachine;
  const world = name === undefined || here ? context.world : await worldOfHost(context.world, hosts, name);
  const { cwd, signal } = context;
  const { host } = await scanHost(world, { cwd, signal, timeoutMs: here ? 3000 : 10_000 });
  const proc = await world.procfs(host.servers.map((server: ScannedServer) => server.process.pid));
  // Those that are named by process take no name from the others.
  const pids = names.length > 0 && names.every((one) => /^\d+$/.test(one)) ? names.map(Number) : null;
  const servers = host.servers.filter(
    (server: ScannedServer) =>
      !(loaded && here && isReached(proc, loaded, server)) &&
      (pids === null || pids.includes(server.process.pid)),
  );
  const sudo = Object.values(hosts).some(
    (one) => machineOf(one) === machineOf(access) && one.become === 'sudo',
  );
  const [places, keyFiles, users, containers] = await Promise.all([
    unitPlaces(world, servers),
    here ? keyFilesOf(world, proc, servers) : new Map<number, string>(),
    userNames(world),
    foreignContainers(world, servers.flatMap(containerId)),
  ]);
  return entriesOf(servers, {
    taken: new Set([
      ...(loaded?.deployments ?? []).map((one) => one.name),
      ...Object.keys(loaded?.models ?? {}),
    ]),
    here,
    addressOf: ({ pid }) => [...readAddresses(proc, pid)][0] ?? null,
    envOf: ({ pid }) => readProcess(proc, pid)?.env ?? null,
    folderOf: ({ pid }) => readProcess(proc, pid)?.cwd ?? null,
    contained: (process) => isContained(proc, process),
    containerOf: (server) => {
      const [id] = containerId(server);
      return containers.find((one) => id !== undefined && one.id.startsWith(id)) ?? null;
    },
    unitFile: (unit, scope) => places.get(`${scope}/${unit}`) ?? 'own',
    keyFileOf: ({ process }) => keyFiles.get(process.pid) ?? null,
    system: world.uid === 0 || sudo,
    user: users.get(world.uid) ?? String(world.uid),
  });
}

/** The name of this machine where the file must say it; null where it goes without saying. */
export function hostHere(loaded: LoadedFleet | null): string | null {
  const named = Object.entries(loaded?.hosts ?? {}).filter(([name]) => name !== 'local');
  const here = named.find(([, host]) => machineOf(host) === thisMachine)?.[0];
  return named.length === 0 || (named.length === 1 && here !== undefined) ? null : (here ?? 'local');
}

function machineHost(hosts: LoadedFleet['hosts'], name: string): LoadedFleet['hosts'][string] {
  const host = hosts[name];
  const known = Object.keys(hosts).join(', ') || 'none';
  const detail = `There is no host "${name}" in the fleet file; known are ${known}.`;
  if (host === undefined) throw new BerthError('USAGE', { detail, command: 'adopt' });
  return host;
}

/** The first digits of the id of its container of Docker or podman; none of any other. */
function containerId({ owner }: ScannedServer): string[] {
  const id = owner.kind === 'container' ? /^(?:docker|podman) ([0-9a-f]{12})$/.exec(owner.name)?.[1] : null;
  return id ? [id] : [];
}

/** A unit that podman has made of a ".container" file keeps a container, and no server of this machine's own files. */
function isContained(proc: Procfs, { pid }: ProcessId): boolean {
  return /libpod-|docker-|kubepods/.test(readProcess(proc, pid)?.cgroup ?? '');
}

async function unitPlaces(
  world: World,
  servers: readonly ScannedServer[],
): Promise<ReadonlyMap<string, UnitPlace>> {
  const found = await Promise.all(
    servers.map(async ({ owner }) => {
      if (owner.kind !== 'system-unit' && owner.kind !== 'user-unit') return [];
      const scope = owner.kind === 'user-unit' ? userScope(world) : systemScope(world);
      const runtime = world.env['XDG_RUNTIME_DIR'] ?? `/run/user/${world.uid}`;
      const transient = `${scope.name === 'user' ? runtime : '/run'}/systemd/transient/${owner.name}`;
      const [own, once] = await Promise.all(
        [`${scope.units}/${owner.name}`, transient].map((path) => world.files.stat(path).catch(() => null)),
      );
      const place: UnitPlace = own ? 'own' : once ? 'transient' : 'elsewhere';
      return [[`${scope.name}/${owner.name.replace(/\.service$/, '')}`, place] as const];
    }),
  );
  return new Map(found.flat());
}

/** By process: the file with its one key, where this user may read it. */
async function keyFilesOf(
  world: World,
  proc: Procfs,
  servers: readonly ScannedServer[],
): Promise<Map<number, string>> {
  const found = await Promise.all(
    servers.map(async ({ command, process: id }) => {
      const path = flagValue(command, '--api-key-file');
      if (!path?.startsWith('/') || isContained(proc, id)) return [];
      const text = await world.files.read(path).catch(() => null);
      const keys = (text ?? '').split('\n').filter((line) => line.trim() !== '');
      return keys.length === 1 ? [[id.pid, path] as const] : [];
    }),
  );
  return new Map(found.flat());
}
