import { BerthError } from '../../domain/errors/berth-error.ts';
import type { FleetStatus } from '../../domain/fleet-status.ts';
import type { RunTarget } from '../../domain/run/spec.ts';
import { engineOf } from '../../engines/registry.ts';
import { engineKeyOf } from '../../fleet/apply/engine-key.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import type { World } from '../../io/world.ts';

type Entry = LoadedFleet['benchmarks'][string];

/** One server to measure for each deployment that a benchmark names. Throws BENCH_TARGET_DOWN when one does not run. */
export function targetsOf(world: World, entry: Entry, loaded: LoadedFleet, status: FleetStatus): RunTarget[] {
  const names = typeof entry.of === 'string' ? [entry.of] : entry.of;
  return names.map((name) => targetOf(name, entry, { world, loaded, status }));
}

function targetOf(
  name: string,
  entry: Entry,
  { world, loaded, status }: { world: World; loaded: LoadedFleet; status: FleetStatus },
): RunTarget {
  const deployment = loaded.deployments.find((each) => each.name === name);
  const found = status.deployments.find((each) => each.name === name);
  const replicas = found?.replicas.filter((replica) => replica.state === 'ready') ?? [];
  const instance = replicas[0]?.url ?? null;
  if (!deployment || instance === null)
    throw new BerthError('BENCH_TARGET_DOWN', {
      url: name,
      reason: `no replica of deployment ${name} is ready; "berth up" starts it`,
    });
  const external = engineOf(deployment.engine.kind).external?.(deployment.engine) ?? null;
  const engineKey = external?.key ?? engineKeyOf(world, loaded, deployment);
  const common = {
    engineKey,
    api: entry.api ?? 'chat',
    deployment: name,
    engine: deployment.engine.kind,
    tokenizer: instance,
    // With several replicas behind the gateway, one engine's counters say nothing about all.
    gpuMetrics: null,
    metrics: entry.via === 'gateway' && replicas.length > 1 ? null : instance,
  } as const;
  if (entry.via !== 'gateway')
    return { ...common, url: instance, model: external?.servedModel ?? null, key: engineKey };
  if (status.gateway.url === null)
    throw new BerthError('BENCH_TARGET_DOWN', {
      url: 'the gateway',
      reason: 'it does not run; "berth up" starts it',
    });
  const [key] = Object.values(loaded.gateway.keys);
  return { ...common, url: status.gateway.url, model: name, key: key ?? null };
}
