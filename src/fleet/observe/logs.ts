import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { replicaName } from '../plan/desired.ts';
import { worldOfHost, worldOfInstance } from '../file/hosts.ts';
import { instancesOf, observeFleet, unseenFault } from './observe.ts';
import { engineLog, fleetPaths } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { LogSource } from './log-source.ts';

/** The output of one deployment, of all, or of berth's own processes. Also of engines that run no longer, where a file keeps it. */
export async function logSources(world: World, loaded: LoadedFleet, name?: string): Promise<LogSource[]> {
  const paths = fleetPaths(world, loaded);
  if (name === 'gateway') return gatewaySources(world, loaded);
  if (name === 'up') return [ofFile(world, name, paths.upLog)];
  const deployments = loaded.deployments.filter((one) => name === undefined || one.name === name);
  if (name !== undefined && deployments.length === 0)
    throw new BerthError('DEPLOYMENT_UNKNOWN', { name, known: loaded.deployments.map((one) => one.name) });
  const used = new Set(deployments.map((one) => one.host));
  const hosts = Object.fromEntries(Object.entries(loaded.hosts).filter(([host]) => used.has(host)));
  const sight = await observeFleet(world, hosts);
  const faults = deployments.map((one) => unseenFault(sight, one));
  // Of several, those that answer are shown.
  const [fault] = faults;
  if (fault && !faults.includes(null)) throw fault;
  const own = instancesOf(sight, loaded);
  const sources = deployments.flatMap((one) =>
    Array.from({ length: unseenFault(sight, one) ? 0 : one.replicas }, async (_, replica) => {
      const title = replicaName(one.name, replica, one.replicas);
      const instance = own.find(({ mark }) => mark?.deployment === one.name && mark.replica === replica);
      return instance
        ? ofInstance(await worldOfInstance(world, loaded.hosts, instance), title, instance)
        : ofEnded(await worldOfHost(world, loaded.hosts, one.host), loaded, {
            title,
            name: one.name,
            replica,
          });
    }),
  );
  return Promise.all(sources);
}

/** Of its pods where it runs in a cluster, and of the one that `berth up` opens here. */
async function gatewaySources(world: World, loaded: LoadedFleet): Promise<LogSource[]> {
  const { gatewayLog } = fleetPaths(world, loaded);
  const here = ofFile(world, 'gateway', gatewayLog);
  const { host } = loaded.gateway;
  if (host === undefined) return [here];
  const { gatewayLogs } = await import('../cluster-gateway/log-sources.ts');
  const there = await gatewayLogs(world, loaded, host);
  return there.length > 0 && (await world.files.stat(gatewayLog)) === null ? there : [...there, here];
}

function ofEnded(
  host: World,
  fleet: FleetIdentity,
  { title, name, replica }: { title: string; name: string; replica: number },
): LogSource {
  return ofFile(host, title, engineLog(fleetPaths(host, fleet), name, replica));
}

function ofFile({ logFiles }: World, name: string, path: string): LogSource {
  return {
    name,
    place: path,
    last: async (count) => (await logFiles.last(path, count)).lines,
    follow: async function* ({ lines, signal }) {
      const last = await logFiles.last(path, lines);
      yield* last.lines;
      yield* logFiles.follow(path, { from: last.end, signal });
    },
  };
}

function ofInstance(world: World, name: string, instance: Instance): LogSource {
  const target = targetOf(instance.object.target);
  return {
    name,
    place: instance.mark ? target.logPlace(instance.mark, instance) : '',
    last: async (count) => {
      const lines: string[] = [];
      const how = { lines: count, follow: false, signal: new AbortController().signal };
      for await (const line of target.logs(world, instance, how)) lines.push(line);
      return lines;
    },
    follow: (how) => target.logs(world, instance, { ...how, follow: true }),
  };
}
