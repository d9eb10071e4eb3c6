import { BerthError } from '../domain/errors/berth-error.ts';
import { followLines, lastLines } from '../io/log-file.ts';
import type { World } from '../io/world.ts';
import { replicaName } from './desired.ts';
import { engineLog, fleetPaths } from './paths.ts';
import type { LoadedFleet } from './resolve.ts';

export interface LogFile {
  readonly name: string;
  readonly path: string;
}

/** The log files of one deployment, of all, or of berth's own processes. Also of engines that run no longer. */
export function logFiles(world: World, loaded: LoadedFleet, name?: string): LogFile[] {
  const paths = fleetPaths(world, loaded);
  if (name === 'gateway') return [{ name, path: paths.gatewayLog }];
  if (name === 'up') return [{ name, path: paths.upLog }];
  const deployments = loaded.deployments.filter((one) => name === undefined || one.name === name);
  if (name !== undefined && deployments.length === 0)
    throw new BerthError('DEPLOYMENT_UNKNOWN', { name, known: loaded.deployments.map((one) => one.name) });
  return deployments.flatMap((one) =>
    Array.from({ length: one.replicas }, (_, replica) => ({
      name: replicaName(one.name, replica, one.replicas),
      path: engineLog(paths, one.name, replica),
    })),
  );
}

export async function logLines(path: string, count: number): Promise<string[]> {
  return (await lastLines(path, count)).lines;
}

export async function* followLogs(
  world: World,
  path: string,
  options: { lines: number; signal: AbortSignal },
): AsyncIterable<string> {
  const last = await lastLines(path, options.lines);
  yield* last.lines;
  yield* followLines(world.clock, path, { from: last.end, signal: options.signal });
}
