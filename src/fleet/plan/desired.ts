import { BerthError } from '../../domain/errors/berth-error.ts';
import { engineEnvironment } from '../../domain/engine-environment.ts';
import { machineOf } from '../../domain/host-access.ts';
import type { Finding } from '../../domain/finding.ts';
import type { SecretHashes } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { engineOf } from '../../engines/registry.ts';
import { targetOf, usesHostPrograms } from '../../targets/registry.ts';
import { usableCores } from '../../domain/hardware.ts';
import { detectCpu } from '../../hardware/detect.ts';
import type { World } from '../../io/world.ts';
import { engineKeyOf } from '../apply/engine-key.ts';
import { accessOf, worldOfHost } from '../file/hosts.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { tellSlow } from '../observe/tell-slow.ts';
import { givenSpecOf } from './given-spec.ts';
import { secretHashesOf } from './secret-hashes.ts';

/** One engine that the fleet file wants to run. */
export interface DesiredReplica {
  readonly deployment: Deployment;
  readonly replica: number;
  readonly spec: LaunchSpec;
  /** What its secrets are by now, hashed; null or absent: not known. */
  readonly secrets?: SecretHashes | null;
  /** The program that could not be asked for its flags, which went unchecked; absent: it was there, or there was nothing to ask. */
  readonly missing?: { readonly program: string; readonly machine: string };
}

const helpTimeoutMs = 20_000;

/** What keeps one deployment from being started as the file has it. */
export interface DeploymentFault {
  readonly deployment: string;
  readonly fault: BerthError;
}

/** What is to run, engine by engine. Throws what the engines object to, of all deployments together. */
export async function desiredReplicas(
  world: World,
  loaded: LoadedFleet,
  onWait?: (line: string) => void,
): Promise<DesiredReplica[]> {
  const { desired, faults } = await desiredOrFaults(world, loaded, onWait);
  expectFaultless(faults);
  return desired;
}

/** Throws one fault as it is, and several, or one beside critical findings, as one: DEPLOYMENTS_FAULTY. */
export function expectFaultless(faults: readonly DeploymentFault[], beside: readonly Finding[] = []): void {
  const [first, ...more] = faults;
  if (!first) return;
  if (more.length + beside.length === 0) throw first.fault;
  throw new BerthError('DEPLOYMENTS_FAULTY', {
    faults: [
      ...faults.map(({ deployment, fault: { code, message, cure } }) => ({
        deployment,
        code,
        message,
        cure,
      })),
      ...beside.map(({ object, rule, message, cure }) => ({ deployment: object, code: rule, message, cure })),
    ],
  });
}

/**
 * What is to run, engine by engine, beside what engines object to. Asks each engine's program for its flags once, all side by side, so that a flag this build does not know is told
 * before anything is touched; one that is not there is named, so that the others can be told of beside it. Servers that berth does not
 * start are left out.
 */
export async function desiredOrFaults(
  world: World,
  loaded: LoadedFleet,
  onWait?: (line: string) => void,
): Promise<{ desired: DesiredReplica[]; faults: DeploymentFault[] }> {
  const faults: DeploymentFault[] = [];
  const helps = new Map<string, Promise<string | null>>();
  const cores = coresByHost(world, loaded);
  const replicas: DesiredReplica[] = [];

  async function helpOf(argv: readonly string[], { host }: Deployment): Promise<string | null> {
    const there = await worldOfHost(world, loaded.hosts, host);
    const env = engineEnvironment(there.env, loaded.withheld);
    const key = [there.machine, ...argv].join('\0');
    const known = helps.get(key);
    if (known) return known;
    const wait = onWait && ((): void => onWait(`Waiting for the flags of ${argv[0]}: ${argv.join(' ')}`));
    const asking = tellSlow(world.clock, askHelp(there, argv, env), wait);
    helps.set(key, asking);
    return asking;
  }

  const launched = loaded.deployments.filter(
    ({ engine, atRest }) => engineOf(engine.kind).launch !== undefined && atRest === undefined,
  );
  const helped = await Promise.all(
    launched.map(async (deployment) => {
      const { help: helpBy } = engineOf(deployment.engine.kind);
      const asked = usesHostPrograms(deployment.target) ? helpBy?.(deployment.engine) : undefined;
      return { deployment, asked, help: asked ? await helpOf(asked, deployment) : null };
    }),
  );
  for (const { deployment, asked, help } of helped) {
    const target = targetOf(deployment.target.kind);
    const given = {
      cores: target.inCluster ? null : await cores(deployment.host),
      help,
      key: engineKeyOf(world, loaded, deployment),
    };
    const spec = await specOrFault(world, deployment, given);
    if (spec instanceof BerthError) faults.push({ deployment: deployment.name, fault: spec });
    if (!spec || spec instanceof BerthError) continue;
    const secrets = await secretHashesOf(world, spec);
    const machine = machineOf(accessOf(loaded.hosts[deployment.host]));
    const missing = asked && help === null ? { missing: { program: asked[0] ?? '', machine } } : {};
    for (let replica = 0; replica < deployment.replicas; replica += 1)
      replicas.push({ deployment, replica, spec, secrets, ...missing });
  }
  return { desired: replicas, faults };
}

async function specOrFault(
  ...asked: Parameters<typeof givenSpecOf>
): Promise<LaunchSpec | BerthError | null> {
  try {
    return await givenSpecOf(...asked);
  } catch (error) {
    if (error instanceof BerthError) return error;
    throw error;
  }
}

/** Cores that may be used on a host; each machine is asked once. */
export function coresByHost(world: World, { hosts }: LoadedFleet): (host: string) => Promise<number> {
  const known = new Map<string, Promise<number>>();
  async function ask(host: string): Promise<number> {
    return usableCores(await detectCpu(await worldOfHost(world, hosts, host)));
  }
  return (host) => {
    const machine = machineOf(accessOf(hosts[host]));
    const asked = known.get(machine) ?? ask(host);
    known.set(machine, asked);
    return asked;
  };
}

/** Null where nothing of that name can be run. */
async function askHelp(
  world: World,
  argv: readonly string[],
  env: Record<string, string>,
): Promise<string | null> {
  const result = await world.exec.run(argv, { timeoutMs: helpTimeoutMs, env });
  return result.code === null && result.signal === null ? null : result.stdout + result.stderr;
}

/** "mistral", or "mistral-1" where several run. */
export function replicaName(deployment: string, replica: number, replicas: number): string {
  return replicas === 1 ? deployment : `${deployment}-${replica}`;
}
