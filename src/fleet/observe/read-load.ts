import type { FleetReading, ReplicaReading } from '../../domain/fleet-load.ts';
import type { ReplicaStatus } from '../../domain/fleet-status.ts';
import type { ProcessTable } from '../../domain/process-facts.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { engineOf } from '../../engines/registry.ts';
import { findGpus } from '../../hardware/read-gpus.ts';
import { readProcessTable } from '../../io/procfs.ts';
import { familyIn } from '../../io/procfs/family.ts';
import { oneLook } from '../../io/procfs/read.ts';
import type { ProcSnapshot } from '../../io/procfs/read.ts';
import { readUsage } from '../../io/procfs/usage.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { engineSample } from '../../stats/engine-sample.ts';
import { engineKeyOf } from '../apply/engine-key.ts';
import { worldOfHost } from '../file/hosts.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { fleetStatus } from './status.ts';
import type { ExternalAnswers } from './status.ts';

const askMs = 3000;

/**
 * What every replica of the fleet does now, and the GPUs of this machine. Reads and asks only; what is not told is null.
 * `answers` is handed in again at each call, so that servers elsewhere are asked for their health seldom.
 */
export async function readLoad(
  world: World,
  loaded: LoadedFleet,
  answers: ExternalAnswers,
): Promise<FleetReading> {
  const cpu = cpuReader();
  const [status, found] = await Promise.all([fleetStatus(world, loaded, { answers }), findGpus(world)]);
  const read = status.deployments.flatMap(({ name, replicas }) => {
    const deployment = loaded.deployments.find((one) => one.name === name);
    return deployment ? replicas.map((one) => readReplica(world, loaded, { deployment, one, cpu })) : [];
  });
  const { llmServices } = status;
  return {
    at: world.clock.now(),
    replicas: await Promise.all(read),
    gpus: found?.gpus ?? [],
    ...(llmServices ? { llmServices } : {}),
  };
}

async function readReplica(
  home: World,
  loaded: LoadedFleet,
  asked: { deployment: Deployment; one: ReplicaStatus; cpu: CpuReader },
): Promise<ReplicaReading> {
  const { deployment, one, cpu } = asked;
  const world = await worldOfHost(home, loaded.hosts, deployment.host);
  return {
    deployment: deployment.name,
    replica: one.replica,
    state: one.state,
    pid: one.pid,
    slots: one.slots,
    memoryBytes: one.rssBytes,
    cpuSeconds: one.pid === null ? null : await cpu(world, one.pid),
    cores: one.cores ?? null,
    engine: one.url === null ? null : await askEngine(world, loaded, { deployment, url: one.url }),
  };
}

async function askEngine(
  world: World,
  loaded: LoadedFleet,
  { deployment, url }: { deployment: Deployment; url: string },
): Promise<ReplicaReading['engine']> {
  const external = engineOf(deployment.engine.kind).external?.(deployment.engine);
  const path = external ? external.metricsPath : '/metrics';
  if (path === null) return null;
  const key = external ? external.key : engineKeyOf(world, loaded, deployment);
  const ca = external?.caFile ? await world.files.read(external.caFile) : null;
  try {
    const { status, text } = await world.http.request(url + path, {
      headers: await headersOf(world, key),
      timeoutMs: askMs,
      ...(ca === null ? {} : { ca }),
    });
    return status === 200 ? engineSample(text) : null;
  } catch {
    return null;
  }
}

async function headersOf(world: World, key: SecretRef | null): Promise<Record<string, string>> {
  const secret = key && (await resolveSecret(world, key).catch(() => null));
  return secret ? { authorization: `Bearer ${secret}` } : {};
}

type CpuReader = (world: World, pid: number) => Promise<number | null>;

/** Processor time of a process and all below it; each machine is looked at once, and only if somebody asks. */
function cpuReader(): CpuReader {
  const looks = new Map<string, Promise<{ proc: ProcSnapshot; table: ProcessTable }>>();
  async function lookAt(world: World): Promise<{ proc: ProcSnapshot; table: ProcessTable }> {
    const proc = oneLook(await world.procfs());
    return { proc, table: readProcessTable(proc) };
  }
  return async (world, pid) => {
    const look = looks.get(world.machine) ?? lookAt(world);
    looks.set(world.machine, look);
    const seen = await look.catch(() => null);
    if (seen === null) return null;
    const found = familyIn(seen.table, pid).flatMap((one) => readUsage(seen.proc, one)?.cpuSeconds ?? []);
    return found.length === 0 ? null : found.reduce((sum, seconds) => sum + seconds, 0);
  };
}
