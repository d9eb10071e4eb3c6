import { BerthError } from '../../domain/errors/berth-error.ts';
import type { FleetStatus } from '../../domain/fleet-status.ts';
import type { RunTarget } from '../../domain/run/spec.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { engineOf } from '../../engines/registry.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import { fleetStatus } from '../../fleet/observe/status.ts';
import { readKeys } from '../../fleet/gateway/key-file.ts';
import { readUpState } from '../../fleet/up/up-state.ts';
import type { World } from '../../io/world.ts';
import { consoleTokenFile } from '../console-address.ts';

type Entry = LoadedFleet['benchmarks'][string];

/** Where a benchmark reaches the gateway, and the key that it shows. */
export interface GatewayDoor {
  readonly url: string;
  readonly key: SecretRef | null;
}

interface Found {
  readonly loaded: LoadedFleet;
  readonly status: FleetStatus;
  /** What a replica of a deployment is asked with. */
  readonly keyOf: KeyOf;
  readonly door: GatewayDoor | null;
}

type KeyOf = (deployment: string, replica: number) => SecretRef | null;

/** The fleet as it runs, and what each of its engines is asked with. */
export async function statusWithKeys(
  world: World,
  loaded: LoadedFleet,
): Promise<{ status: FleetStatus; keyOf: KeyOf }> {
  const keys = new Map<string, SecretRef | null>();
  const status = await fleetStatus(world, loaded, {
    found: ({ deployment, replica, key }) => void keys.set(`${deployment} ${replica}`, key),
  });
  return { status, keyOf: (deployment, replica) => keys.get(`${deployment} ${replica}`) ?? null };
}

/**
 * As a client does, by the first key of a client in the file. A gateway that speaks TLS may have a certificate that nobody here
 * trusts: it is reached by the address that it has for berth itself, in the clear on loopback, with berth's own key. So is one that
 * wants a key of which the file names none of a client: made keys are known by their hashes alone, and the master key opens more than a
 * benchmark needs.
 */
export async function gatewayDoor(
  world: World,
  loaded: LoadedFleet,
  status: FleetStatus,
): Promise<GatewayDoor | null> {
  const { url } = status.gateway;
  const { keys, masterKey } = loaded.gateway;
  const [key = null] = Object.values(keys);
  if (url === null) return null;
  const wanted = masterKey !== undefined || (await readKeys(world, loaded)) !== null;
  if (!url.startsWith('https:') && (key !== null || !wanted)) return { url, key };
  const inside = (await readUpState(world, loaded))?.gateway?.insideUrl;
  return { url: inside ?? url, key: { file: consoleTokenFile(world, loaded) } };
}

/** One server to measure for each deployment that a benchmark names. Throws BENCH_TARGET_DOWN when one does not run. */
export function targetsOf(entry: Entry, found: Found): RunTarget[] {
  const names = typeof entry.of === 'string' ? [entry.of] : entry.of;
  return names.map((name) => targetOf(name, entry, found));
}

function targetOf(name: string, entry: Entry, { loaded, status, keyOf, door }: Found): RunTarget {
  const deployment = loaded.deployments.find((each) => each.name === name);
  const found = status.deployments.find((each) => each.name === name);
  const replicas = found?.replicas.filter((replica) => replica.state === 'ready') ?? [];
  const [first] = replicas;
  const instance = first?.url ?? null;
  if (!deployment || !first || instance === null)
    throw new BerthError('BENCH_TARGET_DOWN', {
      url: name,
      reason: `no replica of deployment ${name} is ready; "berth up" starts it`,
    });
  const external = engineOf(deployment.engine.kind).external?.(deployment.engine) ?? null;
  const engineKey = keyOf(name, first.replica);
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
  if (door === null)
    throw new BerthError('BENCH_TARGET_DOWN', {
      url: 'the gateway',
      reason: 'it does not run; "berth up" starts it',
    });
  return { ...common, ...door, model: name };
}
