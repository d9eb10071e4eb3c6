import { BerthError } from '../domain/errors/berth-error.ts';
import type { Instance } from '../domain/instance.ts';
import { followLines, lastLines } from '../io/log-file.ts';
import type { World } from '../io/world.ts';
import { targetOf } from '../targets/registry.ts';
import { replicaName } from './desired.ts';
import { worldOfInstance } from './hosts.ts';
import { instancesOf, observe } from './observe.ts';
import { engineLog, fleetPaths } from './paths.ts';
import type { LoadedFleet } from './resolve.ts';

/** The output of one engine, or of one of berth's own processes. */
export interface LogSource {
  readonly name: string;
  /** Where a person reads all of it: a path, or a command. */
  readonly place: string;
  readonly last: (count: number) => Promise<string[]>;
  readonly follow: (how: { lines: number; signal: AbortSignal }) => AsyncIterable<string>;
}

/** The output of one deployment, of all, or of berth's own processes. Also of engines that run no longer, where a file keeps it. */
export async function logSources(world: World, loaded: LoadedFleet, name?: string): Promise<LogSource[]> {
  const paths = fleetPaths(world, loaded);
  if (name === 'gateway') return [ofFile(world, name, paths.gatewayLog)];
  if (name === 'up') return [ofFile(world, name, paths.upLog)];
  const deployments = loaded.deployments.filter((one) => name === undefined || one.name === name);
  if (name !== undefined && deployments.length === 0)
    throw new BerthError('DEPLOYMENT_UNKNOWN', { name, known: loaded.deployments.map((one) => one.name) });
  const own = instancesOf(await observe(world), loaded);
  return deployments.flatMap((one) =>
    Array.from({ length: one.replicas }, (_, replica) => {
      const title = replicaName(one.name, replica, one.replicas);
      const instance = own.find(({ mark }) => mark?.deployment === one.name && mark.replica === replica);
      return instance
        ? ofInstance(worldOfInstance(world, loaded.hosts, instance), title, instance)
        : ofFile(world, title, engineLog(paths, one.name, replica));
    }),
  );
}

function ofFile(world: World, name: string, path: string): LogSource {
  return {
    name,
    place: path,
    last: async (count) => (await lastLines(path, count)).lines,
    follow: async function* ({ lines, signal }) {
      const last = await lastLines(path, lines);
      yield* last.lines;
      yield* followLines(world.clock, path, { from: last.end, signal });
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
