import { BerthError } from '../../domain/errors/berth-error.ts';
import { engineEnvironment } from '../../domain/engine-environment.ts';
import type { SecretHashes } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { hubModel, isAddress } from '../../domain/model-source.ts';
import { coresWithin } from '../../domain/resources.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { engineOf } from '../../engines/registry.ts';
import { targetOf } from '../../targets/registry.ts';
import { usableCores } from '../../domain/hardware.ts';
import { detectCpu } from '../../hardware/detect.ts';
import type { World } from '../../io/world.ts';
import { engineKeyOf, expectKeyTaken } from '../apply/engine-key.ts';
import { worldOfHost } from '../file/hosts.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { secretHashesOf } from './secret-hashes.ts';

/** One engine that the fleet file wants to run. */
export interface DesiredReplica {
  readonly deployment: Deployment;
  readonly replica: number;
  readonly spec: LaunchSpec;
  /** What its secrets are by now, hashed; null or absent: not known. */
  readonly secrets?: SecretHashes | null;
}

const helpTimeoutMs = 20_000;

/**
 * What is to run, engine by engine. Asks each engine's program for its flags once, so that a flag this build does not know is told
 * before anything is touched. Servers that berth does not start are left out.
 */
export async function desiredReplicas(world: World, loaded: LoadedFleet): Promise<DesiredReplica[]> {
  const helps = new Map<string, Promise<string>>();
  const cores = coresByHost(world, loaded);
  const replicas: DesiredReplica[] = [];

  async function helpOf(argv: readonly string[], { name, host }: Deployment): Promise<string> {
    const there = await worldOfHost(world, loaded.hosts, host);
    const env = engineEnvironment(there.env, loaded.withheld);
    const key = [there.machine, ...argv].join('\0');
    const running = helps.get(key) ?? askHelp(there, argv, { deployment: name, env });
    helps.set(key, running);
    return running;
  }

  for (const deployment of loaded.deployments) {
    const engine = engineOf(deployment.engine.kind);
    if (!engine.launch || deployment.atRest !== undefined) continue;
    const target = targetOf(deployment.target.kind);
    const asked = target.hostPrograms !== false ? engine.help?.(deployment.engine) : undefined;
    const help = asked ? await helpOf(asked, deployment) : null;
    const spec = launchSpecOf(deployment, {
      cores: target.inCluster ? null : await cores(deployment.host),
      help,
      key: engineKeyOf(world, loaded, deployment),
    });
    if (!spec) continue;
    const secrets = await secretHashesOf(world, spec);
    for (let replica = 0; replica < deployment.replicas; replica += 1)
      replicas.push({ deployment, replica, spec, secrets });
  }
  return replicas;
}

/** Cores that may be used on a host, asked for once. */
export function coresByHost(world: World, { hosts }: LoadedFleet): (host: string) => Promise<number> {
  const known = new Map<string, Promise<number>>();
  async function ask(host: string): Promise<number> {
    return usableCores(await detectCpu(await worldOfHost(world, hosts, host)));
  }
  return (host) => {
    const asked = known.get(host) ?? ask(host);
    known.set(host, asked);
    return asked;
  };
}

/** How this deployment is started; null for a server that berth does not start. Throws what the engine objects to. */
export function launchSpecOf(
  deployment: Deployment,
  given: { cores: number | null; help: string | null; key: SecretRef | null },
): LaunchSpec | null {
  const secret = deployment.model?.secret ?? null;
  const spec = engineOf(deployment.engine.kind).launch?.({
    deployment: deployment.name,
    options: deployment.engine,
    model: deployment.model?.path ?? null,
    mmproj: deployment.model?.mmproj ?? null,
    gpus: deployment.gpus,
    cores: coresWithin(given.cores, deployment.resources),
    key: given.key,
    modelKey: hubModel(deployment.model?.path ?? null) === null ? null : secret,
    help: given.help,
  });
  if (!spec) return null;
  if (given.key) expectKeyTaken(spec, deployment.name);
  const node = deployment.model?.node;
  const { resources } = deployment;
  return {
    ...spec,
    ...(node === undefined ? {} : { node }),
    ...(resources ? { resources } : {}),
    ...(secret && fetchedByCluster(deployment, spec.model) ? { modelSecret: secret } : {}),
  };
}

/** Neither the engine nor berth fetches it there. */
function fetchedByCluster({ target }: Deployment, model: string | null): boolean {
  if (!targetOf(target.kind).inCluster || model === null) return false;
  return isAddress(model) && !model.startsWith('pvc://');
}

async function askHelp(
  world: World,
  argv: readonly string[],
  { deployment, env }: { deployment: string; env: Record<string, string> },
): Promise<string> {
  const result = await world.exec.run(argv, { timeoutMs: helpTimeoutMs, env });
  if (result.code === null && result.signal === null)
    throw new BerthError('PROGRAM_MISSING', { program: argv[0] ?? '', needed: deployment });
  return result.stdout + result.stderr;
}

/** "mistral", or "mistral-1" where several run. */
export function replicaName(deployment: string, replica: number, replicas: number): string {
  return replicas === 1 ? deployment : `${deployment}-${replica}`;
}
