import { createHash } from 'node:crypto';
import type { OnDemandConfig, OnDemandModel } from '../../domain/on-demand.ts';
import { engineOf, enginePaths } from '../../engines/registry.ts';
import { detectHardware } from '../../hardware/detect.ts';
import { weightBytes } from '../../io/weight-bytes.ts';
import type { World } from '../../io/world.ts';
import { launchSpecOf } from '../plan/launch-spec-of.ts';
import { instancesOf, observe } from '../observe/observe.ts';
import { engineLog, fleetPaths } from '../file/paths.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { fetchFirst } from './fetch-first.ts';
import type { LoadTimes } from './load-times.ts';
import type { Loader } from './loader.ts';
import { memoryNeed } from './memory-need.ts';
import type { ShapeCache } from './memory-need.ts';
import { memoryRoom } from './memory-room.ts';
import type { Held } from './memory-room.ts';

export interface DemandContext {
  readonly loader: Pick<Loader, 'phaseOf'>;
  readonly times: Pick<LoadTimes, 'of'>;
  readonly shapes: ShapeCache;
}

/** A guess before the first load: a disk's pace, and the time an engine takes to begin. */
const diskBytesPerMs = 400_000;
const beginMs = 2_000;
const usualStartMs = 600_000;

/** What the gateway is told of the models on demand; undefined where there are none. */
export async function onDemandConfig(
  world: World,
  loaded: LoadedFleet,
  context: DemandContext,
): Promise<OnDemandConfig | undefined> {
  const asked = loaded.deployments.filter((one) => one.onDemand !== null);
  if (asked.length === 0) return undefined;
  const options = loaded.gateway.onDemand ?? {};
  const models = await Promise.all(asked.map((one) => modelOf(world, loaded, one, context)));
  const measured = await roomOf(world, loaded, context);
  return {
    models,
    room: { host: options.memory ?? measured.host, gpu: options.gpuMemory ?? measured.gpu },
    sets: options.sets ?? null,
    patienceMs: options.patience ?? null,
  };
}

async function modelOf(
  world: World,
  loaded: LoadedFleet,
  deployment: Deployment,
  { loader, times, shapes }: DemandContext,
): Promise<OnDemandModel> {
  const { name, replicas, model } = deployment;
  const { asItIs } = engineOf(deployment.engine.kind);
  const paths = fleetPaths(world, loaded);
  const size = model && (await weightBytes(world, model.path));
  const started = launchSpecOf(deployment, { cores: 1, help: null, key: null });
  const guess = size ? Math.round(size / diskBytesPerMs) + beginMs : null;
  return {
    deployment: name,
    phase: loader.phaseOf(name),
    toFetch: fetchFirst(loaded, name) !== null,
    paths: [...enginePaths(deployment.engine)],
    ...(asItIs && { asItIs }),
    ttlMs: deployment.onDemand?.ttlMs ?? 0,
    need: await memoryNeed(world, deployment, shapes),
    loadMs: times.of(name) ?? guess,
    startTimeoutMs: started?.readiness.startTimeoutMs ?? usualStartMs,
    startedAs: hash([model?.path, size, started]),
    logFiles: Array.from({ length: replicas }, (_, replica) => engineLog(paths, name, replica)),
  };
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

async function roomOf(
  world: World,
  loaded: LoadedFleet,
  { shapes }: DemandContext,
): Promise<ReturnType<typeof memoryRoom>> {
  const [hardware, observed] = await Promise.all([detectHardware(world), observe(world)]);
  const held = instancesOf(observed, loaded).map(async (one): Promise<Held> => {
    const deployment = loaded.deployments.find(({ name }) => name === one.mark?.deployment);
    const pid = one.process?.pid ?? 0;
    const mapped = observed.table.processes.get(pid)?.rssFileBytes ?? 0;
    return {
      ownBytes: one.rssBytes === null ? null : one.rssBytes - mapped,
      gpuBytes: hardware.gpus
        .flatMap((gpu) => gpu.processes)
        .filter((process) => process.pid === pid)
        .reduce((sum, process) => sum + (process.memoryBytes ?? 0), 0),
      need: deployment ? await memoryNeed(world, { ...deployment, replicas: 1 }, shapes) : null,
      onDemand: deployment?.onDemand !== null,
    };
  });
  return memoryRoom(hardware, await Promise.all(held));
}
