import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ClusterGateway } from '../../domain/cluster-gateway.ts';
import type { GatewayAction, Plan } from '../../domain/plan.ts';
import type { SecretHashes } from '../../domain/instance.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { applyObject } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { gatewayName } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { expectOwn } from '../../kube/ownership.ts';
import { podLines } from '../../kube/pod-lines.ts';
import { expectImages, isRolledOut, restartsOf, waitsFor } from '../../kube/state.ts';
import type { Made } from '../../kube/state.ts';
import {
  gatewayMark,
  gatewayObjects,
  gatewaySecretMeta,
  gatewaySecretRefs,
} from '../../render/gateway-objects.ts';
import { makeKeyFile } from '../apply/engine-key.ts';
import type { Journal } from '../apply/journal.ts';
import { worldOn } from '../file/hosts.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { sameValue } from '../plan/differences.ts';
import { makeSecretHashes } from '../plan/secret-hashes.ts';
import { gatewayBefore, goBackTo } from './go-back.ts';
import { liveGateway, madeGateway, markOn, secretsOn } from './look.ts';
import { removeGateway } from './remove.ts';

const pollMs = 500;

/** Faults of the change itself: that the cluster could not be asked says nothing of it. */
const neverServes: ReadonlySet<string> = new Set(['IMAGE_MISSING', 'GATEWAY_NOT_SERVING']);
/** An image is fetched in that time, and as many pods are rolled. */
const patienceMs = 600_000;
/** One that cannot reach something at once may start again; beyond that it never will. */
const mostRestarts = 4;
const shownLines = 20;

export interface CarryingOut {
  readonly journal: Journal;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/** What has to be there of the gateway, without its Secret. Pure. */
export function objectsOfGateway(
  { fleet, fleetId }: FleetIdentity,
  { gateway, secrets }: { gateway: ClusterGateway; secrets: SecretHashes | null },
  { namespace }: Pick<Place, 'namespace'>,
): KubeObject[] {
  return gatewayObjects({ fleet, fleetId, gateway, namespace, secrets });
}

/** Does what the plan says of one gateway; one that is started or changed serves when this resolves. */
export async function carryOutGateway(
  world: World,
  plan: Plan,
  action: GatewayAction,
  { journal, signal, onProgress }: CarryingOut,
): Promise<void> {
  if (action.do === 'keep') return;
  const host = await worldOn(world, plan.hosts[action.host]);
  const effect = {
    do: action.do === 'stop' ? ('stop' as const) : ('start' as const),
    host: action.host,
    deployment: null,
    replica: null,
    object: `deployment ${gatewayName}`,
    reasons: action.reasons.map(({ text }) => text),
  };
  onProgress(`${action.do === 'stop' ? 'Stopping' : 'Starting'} the gateway on ${action.host}`);
  await journal.record(effect, async () => {
    if (action.do === 'stop') return removeGateway(host, plan);
    const before = await gatewayBefore(host, plan, action.wanted);
    await make(host, plan, action.wanted);
    try {
      await waitServing(host, plan, { host: action.host, signal });
    } catch (error) {
      if (before.length === 0 || !(error instanceof BerthError) || !neverServes.has(error.code)) throw error;
      onProgress(`Undoing the change of the gateway on ${action.host}`);
      await goBackTo(host, before);
      throw new BerthError(
        'GATEWAY_CHANGE_UNDONE',
        { host: action.host, reason: error.message },
        { cause: error },
      );
    }
    onProgress(`The gateway on ${action.host} serves`);
    return effect.object;
  });
}

async function make(host: World, plan: Plan, gateway: ClusterGateway): Promise<void> {
  const place = await placeOf(host);
  const secret = await secretOf(host, { ...plan, gateway, namespace: place.namespace });
  const secrets = await makeSecretHashes(host, { secrets: gatewaySecretRefs(gateway) });
  const objects = [...secret, ...objectsOfGateway(plan, { gateway, secrets }, place)];
  await expectOwn(place, { ...plan, deployment: gatewayName }, objects);
  const live = await liveGateway(place, plan);
  const same =
    live !== null &&
    sameValue(markOn(live), gatewayMark(gateway)) &&
    (secretsOn(live) === null || sameValue(secretsOn(live), secrets));
  // The very same once more: what others have changed is taken back, and its pods are made anew.
  for (const object of objects) await applyObject(place, object, { force: same });
  if (same) await applyObject(place, restarted(host), { manager: 'berth-restart', force: true });
}

function restarted({ clock }: World): KubeObject {
  const annotations = { 'berth.dev/restarted-at': clock.wall().toISOString() };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: gatewayName },
    spec: { template: { metadata: { annotations } } },
  };
}

/** The Secret with the values that it is given. Never print what comes back. */
async function secretOf(
  host: World,
  input: FleetIdentity & { gateway: ClusterGateway; namespace: string },
): Promise<KubeObject[]> {
  const metadata = gatewaySecretMeta(input);
  if (metadata === null) return [];
  const data: Record<string, string> = {};
  // Engines that have not run yet will ask for this very key.
  for (const ref of Object.values(input.gateway.engineKeys))
    if ('file' in ref) await makeKeyFile(host, ref.file);
  for (const [name, ref] of Object.entries(gatewaySecretRefs(input.gateway)))
    data[name] = Buffer.from(await resolveSecret(host, ref), 'utf8').toString('base64');
  return [{ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data }];
}

/** Throws IMAGE_MISSING, or GATEWAY_NOT_SERVING with what the cluster says and the last lines. */
async function waitServing(
  world: World,
  fleet: FleetIdentity,
  { host, signal }: { host: string; signal: AbortSignal },
): Promise<void> {
  const place = await placeOf(world);
  const until = world.clock.now() + patienceMs;
  for (;;) {
    signal.throwIfAborted();
    const made = await madeGateway(place, fleet);
    if (made && isRolledOut(made)) return;
    if (made) expectImages(made, { deployment: gatewayName, whose: 'the gateway' });
    const waits = (made && waitsFor(made)) ?? 'waits for its pods';
    if (world.clock.now() > until || (made && restartsOf(made) > mostRestarts))
      throw new BerthError('GATEWAY_NOT_SERVING', { host, waits, log: await lastLines(place, made) });
    await world.clock.sleep(pollMs, signal);
  }
}

async function lastLines(place: Place, made: Made | null): Promise<string[]> {
  const lines: string[] = [];
  const how = { lines: shownLines, follow: false, signal: AbortSignal.timeout(10_000) };
  for await (const line of podLines(place, { made, container: 'gateway' }, how)) lines.push(line);
  return lines;
}
