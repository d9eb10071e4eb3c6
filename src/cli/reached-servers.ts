import type { Procfs } from '../io/procfs/read.ts';
import { machineOf, thisMachine } from '../domain/host-access.ts';
import { isLoopback } from '../domain/loopback.ts';
import type { ScannedServer } from '../domain/scan-report.ts';
import type { Reached } from '../fleet/consolidate/take-over.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import { engineOf } from '../engines/registry.ts';
import { readAddresses } from '../io/procfs/addresses.ts';
import { outsidePath } from '../io/procfs/outside-path.ts';
import { readProcess } from '../io/procfs.ts';
import type { World } from '../io/world.ts';
import { scanHost } from '../scan/scan.ts';
import type { CliContext } from './context.ts';

/** Of the servers that the fleet only reaches, those that run on this machine, with how they were started. */
export async function reachedServers(
  { world, cwd, signal }: CliContext,
  loaded: LoadedFleet,
): Promise<Map<string, Reached>> {
  const external = urlsHere(loaded);
  if (external.length === 0) return new Map();
  const { host } = await scanHost(world, { cwd, signal, timeoutMs: 3000 });
  const proc = await world.procfs(host.servers.map((server: ScannedServer) => server.process.pid));
  const found = await Promise.all(
    external.map(async ([name, url]) => {
      const server = host.servers.find((one: ScannedServer) => answersAt(proc, one, new URL(url)));
      return server ? [[name, await reachedOf(world, proc, server)] as const] : [];
    }),
  );
  return new Map(found.flat());
}

/** Whether the fleet reaches this server of this machine already. */
export function isReached(proc: Procfs, loaded: LoadedFleet, server: ScannedServer): boolean {
  return reachedAs(proc, loaded, server) !== null;
}

/** Of servers of this machine those that the fleet reaches, each with the deployment. */
export async function reachedOn(
  world: World,
  loaded: LoadedFleet,
  servers: readonly ScannedServer[],
): Promise<{ pid: number; deployment: string }[]> {
  if (urlsHere(loaded).length === 0) return [];
  const proc = await world.procfs(servers.map((server) => server.process.pid));
  return servers.flatMap((server) => {
    const deployment = reachedAs(proc, loaded, server);
    return deployment === null ? [] : [{ pid: server.process.pid, deployment }];
  });
}

function reachedAs(proc: Procfs, loaded: LoadedFleet, server: ScannedServer): string | null {
  return urlsHere(loaded).find(([, url]) => answersAt(proc, server, new URL(url)))?.[0] ?? null;
}

/** Deployments that are only reached, on this machine, each with where. */
function urlsHere({ deployments, hosts }: LoadedFleet): (readonly [string, string])[] {
  return deployments.flatMap((one) => {
    const url = engineOf(one.engine.kind).external?.(one.engine)?.url;
    return url !== undefined && machineOf(hosts[one.host]) === thisMachine ? [[one.name, url] as const] : [];
  });
}

function answersAt(proc: Procfs, server: ScannedServer, { hostname, port, protocol }: URL): boolean {
  const wanted = Number(port || (protocol === 'https:' ? 443 : 80));
  const host = hostname.replace(/^\[|\]$/g, '');
  return server.endpoints.some(
    (one) =>
      one.port === wanted &&
      (one.here
        ? isLoopback(host) || host === 'localhost' || host === one.address
        : readAddresses(proc, server.process.pid).has(host)),
  );
}

async function reachedOf(world: World, proc: Procfs, server: ScannedServer): Promise<Reached> {
  const { pid } = server.process;
  const folder = readProcess(proc, pid)?.cwd ?? null;
  return { server, folder, model: await modelHere(world, proc, server) };
}

/** A path of a container counts only where it is the very same file here. */
async function modelHere(
  world: World,
  proc: Procfs,
  { model, modelId, process }: ScannedServer,
): Promise<string | null> {
  if (model === null || !model.startsWith('/')) return model;
  const path = outsidePath(proc, process.pid, model);
  const found = path === null ? null : await world.files.stat(path);
  return found !== null && found.id === modelId ? path : null;
}
