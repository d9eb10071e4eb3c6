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
import { worldOfHost } from '../file/hosts.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { fleetStatus } from './status.ts';
import type { ExternalAnswers, FoundReplica, Looking } from './status.ts';
import { tellSlow, waitLine } from './tell-slow.ts';

const askMs = 3000;

/**
 * What every replica of the fleet does now, and the GPUs of this machine. Reads and asks only; what is not told is null.
 * `answers` is handed in again at each call, so that servers elsewhere are asked for their health seldom. One that does not answer keeps
 * no figure of another from being of this moment.
 */
export async function readLoad(
  world: World,
  loaded: LoadedFleet,
  looking: Pick<Looking, 'onWait' | 'unasked'> & { readonly answers: ExternalAnswers },
): Promise<FleetReading> {
  const cpu = cpuReader();
  const read = new Map<string, Promise<Figures>>();
  let at: number | null = null;
  function found(one: FoundReplica): void {
    const deployment = loaded.deployments.find(({ name }) => name === one.deployment);
    if (!deployment) return;
    at ??= world.clock.now();
    const { unasked, onWait } = looking;
    // Else it is told by who asks whether it is ready.
    const wait = unasked && onWait && ((): void => onWait(waitLine(one)));
    const figures = readFigures(world, loaded, { deployment, one, cpu });
    read.set(`${one.deployment} ${one.replica}`, tellSlow(world.clock, figures, wait));
  }
  const [status, gpus] = await Promise.all([
    fleetStatus(world, loaded, { ...looking, found }),
    findGpus(world),
  ]);
  const all = status.deployments.flatMap(({ name, replicas }) => replicas.map((one) => ({ name, one })));
  const { llmServices } = status;
  return {
    at: at ?? world.clock.now(),
    replicas: await Promise.all(
      all.map(async ({ name, one }) =>
        readingOf(name, one, (await read.get(`${name} ${one.replica}`)) ?? none),
      ),
    ),
    gpus: gpus?.gpus ?? [],
    ...(llmServices ? { llmServices } : {}),
  };
}

type Figures = Pick<ReplicaReading, 'cpuSeconds' | 'engine'>;

const none: Figures = { cpuSeconds: null, engine: null };

async function readFigures(
  home: World,
  loaded: LoadedFleet,
  { deployment, one, cpu }: { deployment: Deployment; one: FoundReplica; cpu: CpuReader },
): Promise<Figures> {
  const world = await worldOfHost(home, loaded.hosts, deployment.host);
  const [cpuSeconds, engine] = await Promise.all([
    one.pid === null ? null : cpu(world, one.pid),
    askEngine(world, { deployment, one }),
  ]);
  return { cpuSeconds, engine };
}

function readingOf(deployment: string, one: ReplicaStatus, figures: Figures): ReplicaReading {
  return {
    deployment,
    replica: one.replica,
    state: one.state,
    pid: one.pid,
    slots: one.slots,
    memoryBytes: one.rssBytes,
    ...figures,
    cores: one.cores ?? null,
  };
}

async function askEngine(
  world: World,
  { deployment, one: { url, key } }: { deployment: Deployment; one: FoundReplica },
): Promise<ReplicaReading['engine']> {
  const external = engineOf(deployment.engine.kind).external?.(deployment.engine);
  const path = external ? external.metricsPath : '/metrics';
  if (path === null) return null;
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
