import { join } from 'node:path';
import { keyName } from '../../domain/believed-secrets.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { GatewayConfig } from '../../domain/gateway-config.ts';
import type { Mark } from '../../domain/instance.ts';
import type { SecretRef } from '../../domain/secret.ts';
import type { World } from '../../io/world.ts';
import type { KubeEndpoint } from '../../kube/endpoints.ts';
import type { WatchTrouble } from '../../kube/watch.ts';
import { startGateway } from '../gateway/gateway-child.ts';
import type { GatewayChild } from '../gateway/gateway-child.ts';
import { gatewayConfig } from '../gateway/gateway-config.ts';
import type { RunningEngine } from '../gateway/running-engine.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetPaths } from '../file/paths.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { Absences } from './absences.ts';
import { Seats } from './seats.ts';
import { fingerprintOf, followSecrets, secretFiles } from './serve-secrets.ts';
import { marksOf } from './serve-marks.ts';
import { servedFile } from './serve-file.ts';
import { podsOf } from './serve-pods.ts';

/** A gateway that did not take in a change is given it again. */
const retryMs = 1_000;

export interface ServeOptions {
  /** A context of the kubeconfig, or the cluster that this runs in. */
  readonly context: string;
  /** Null where there is none: a fleet whose servers are all named by the file needs no cluster. */
  readonly namespace: string | null;
  /** Folder with the keys that engines ask for, each under the name of its deployment; null: where "berth apply" keeps them. */
  readonly engineKeys: string | null;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
  /** The file as it is now; throws what is wrong with it. */
  readonly reload: () => Promise<LoadedFleet>;
  /** Calls back each time that it is to be read again, until the signal aborts. */
  readonly onReload: (listener: () => void, until: AbortSignal) => void;
}

/**
 * Fronts the engines of a fleet that run in a namespace, whoever started them, and hears of them as they come and go; it
 * starts, changes and stops none. Of an API server that does not answer later on the last word counts. Throws what the first
 * look meets, and GATEWAY_FAILED when the gateway has ended by itself: whoever started this starts it again.
 */
export async function serve(world: World, fleet: LoadedFleet, options: ServeOptions): Promise<void> {
  const { signal, onProgress } = options;
  const file = servedFile(fleet, options, () => offer((now = { ...now, reads: now.reads + 1 })));
  const paths = fleetPaths(world, file.inForce());
  const { always, first, follow, text } = await podsOf(world, file.inForce(), options);
  const seats = new Seats();
  const folder = options.engineKeys ?? paths.engineKeys;
  function marksOfSeen(seen: readonly KubeEndpoint[], loaded: LoadedFleet): Mark[] {
    return marksOf(loaded, [...always, ...seen], { seats, keyOf: keysIn(folder) });
  }
  function configWith(loaded: LoadedFleet, marks: readonly Mark[]): Promise<GatewayConfig> {
    return configOf(world, loaded, { marks, paths });
  }
  let now = {
    seen: first,
    secrets: await fingerprintOf(world, secretFiles(file.inForce(), folder)),
    reads: 0,
  };
  const begin = await configWith(file.inForce(), marksOfSeen(first, file.inForce()));
  const gateway = await startGateway(world, paths, begin, () => {}, onProgress);
  onProgress(`Serving ${fleet.fleet} at ${gateway.url}/v1 from ${text(first)}`);
  const ended = AbortSignal.any([signal, goneWith(gateway)]);
  const absences = new Absences();
  absences.look(deploymentsOf(marksOfSeen(first, file.inForce()))).taken();
  async function bring(loaded: LoadedFleet, seen: readonly KubeEndpoint[]): Promise<void> {
    const marks = marksOfSeen(seen, loaded);
    const waiting = { marks, absences, forMs: longestHold(loaded), signal: ended };
    await keepWaiting(world, gateway, waiting, async () => gateway.reload(await configWith(loaded, marks)));
  }
  const offer = newest(now, {
    world,
    signal: ended,
    onFailure: (error) => onProgress(`The gateway goes on with the engines of before: ${String(error)}`),
    take: async ({ seen }) => {
      if (!(await file.take((next) => bring(next, seen)))) await bring(file.inForce(), seen);
      onProgress(`Serving from ${text(seen)}`);
    },
  });
  options.onReload(() => void file.read(), ended);
  try {
    await Promise.all([
      follow({
        clock: world.clock,
        signal: ended,
        onTrouble: (trouble) => onProgress(troubleText(trouble)),
        onEndpoints: (seen) => offer((now = { ...now, seen })),
      }),
      followSecrets(world, () => secretFiles(file.inForce(), folder), {
        signal: ended,
        onLook: (secrets) => offer((now = { ...now, secrets })),
      }),
    ]);
    if (!signal.aborted) throw new BerthError('GATEWAY_FAILED', { log: [], logFile: paths.gatewayLog });
  } finally {
    await gateway.stop();
  }
}

function keysIn(folder: string): (deployment: Deployment) => SecretRef | null {
  return ({ name, ownKey }) => (ownKey ? { file: join(folder, name) } : null);
}

function goneWith({ exited }: GatewayChild): AbortSignal {
  const gone = new AbortController();
  void exited.then(() => gone.abort());
  return gone.signal;
}

/** An engine that is replaced in its place comes again in that time, or in as long as a route would wait for it. */
const usualHoldMs = 60_000;
/** Other gateways hear of the same pod at about the same time, and are told to serve again with this one. */
const togetherMs = 500;
const askedMs = 2_000;

interface Waiting {
  readonly marks: readonly Mark[];
  readonly absences: Absences;
  readonly forMs: number;
  readonly signal: AbortSignal;
}

function longestHold({ gateway: { routes } }: LoadedFleet): number {
  const holds = Object.values(routes).map((one) => (typeof one === 'string' ? 0 : (one.hold ?? 0)));
  return Math.max(usualHoldMs, ...holds);
}

/** Requests for a deployment whose last pod has gone wait for the next one, at all gateways. */
async function keepWaiting(
  { clock }: World,
  gateway: GatewayChild,
  { marks, absences, forMs, signal }: Waiting,
  reload: () => Promise<void>,
): Promise<void> {
  const { left, back, taken } = absences.look(deploymentsOf(marks));
  const held = left.map((deployment) => gateway.ask({ do: 'hold', deployment, forMs }));
  // Another gateway that does not answer keeps nothing up here.
  if (held.length > 0)
    await Promise.race([Promise.allSettled(held), clock.sleep(askedMs, signal).catch(() => {})]);
  await reload();
  taken();
  if (back.length === 0) return;
  await clock.sleep(togetherMs, signal).catch(() => {});
  await Promise.allSettled(back.map((deployment) => gateway.ask({ do: 'release', deployment })));
}

function deploymentsOf(marks: readonly Mark[]): ReadonlySet<string> {
  return new Set(marks.map(({ deployment }) => deployment));
}

/** Has the newest of what is offered taken, one after the other, and again where that fails; what is as before is left out. */
function newest<T>(
  first: T,
  {
    world,
    signal,
    take,
    onFailure,
  }: {
    world: World;
    signal: AbortSignal;
    take: (value: T) => Promise<void>;
    onFailure: (error: unknown) => void;
  },
): (value: T) => void {
  let [offered, taken, busy] = [JSON.stringify(first), JSON.stringify(first), false];
  async function takeAll(): Promise<void> {
    for (let failed = false; offered !== taken && !signal.aborted;) {
      const now = offered;
      try {
        await take(JSON.parse(now) as T);
        [taken, failed] = [now, false];
      } catch (error) {
        if (!failed) onFailure(error);
        failed = true;
        await world.clock.sleep(retryMs, signal).catch(() => {});
      }
    }
    busy = false;
  }
  return (value) => {
    offered = JSON.stringify(value);
    if (busy) return;
    busy = true;
    void takeAll();
  };
}

function troubleText(trouble: WatchTrouble | null): string {
  if (!trouble) return 'The cluster answers again';
  if (trouble.kind === 'silent') return `The engines are as they were last seen: ${trouble.reason}`;
  return `The engines are asked for each second, since nobody may watch them: ${trouble.reason}`;
}

function configOf(
  world: World,
  loaded: LoadedFleet,
  { marks, paths }: { marks: readonly Mark[]; paths: FleetPaths },
): Promise<GatewayConfig> {
  const most = Math.max(2, ...marks.map(({ replica }) => replica + 1));
  // While pods are exchanged there are more of them than replicas.
  const deployments = loaded.deployments.map((one) => ({ ...one, replicas: Math.max(one.replicas, most) }));
  return gatewayConfig(
    world,
    { ...loaded, deployments },
    { engines: marks.map(engineOfMark), secretsDir: paths.secrets, ownKeys: [] },
  );
}

/** These marks are made here, of the file and of the folder of keys that was named: nobody else has written them. */
function engineOfMark(mark: Mark): RunningEngine {
  const key = mark.spec.secrets[keyName];
  return { mark, keyFile: key && 'file' in key ? key.file : null };
}
