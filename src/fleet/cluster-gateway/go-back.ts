import { z } from 'zod';
import type { World } from '../../io/world.ts';
import { applyObject, getObject, Live } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { writtenAnnotation } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { readWritten } from '../../kube/written.ts';
import { gatewaySecretMeta, keeping } from '../../render/gateway-objects.ts';
import type { ClusterGateway } from '../../domain/cluster-gateway.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { liveGateway, secretsOn } from './look.ts';

const Secret = Live.extend({ data: z.record(z.string(), z.string()).nullish() });

/**
 * What the gateway of before is made from again, its Secret first; empty where there was none, or an older version has kept
 * nothing. It is read before a change, and holds values of secrets: never print it.
 */
export async function gatewayBefore(
  host: World,
  fleet: FleetIdentity,
  gateway: ClusterGateway,
): Promise<KubeObject[]> {
  const place = await placeOf(host);
  const live = await liveGateway(place, fleet);
  const written = live?.metadata.annotations?.[writtenAnnotation];
  const sent = readWritten(written);
  if (!live || !sent || written === undefined) return [];
  const metadata = gatewaySecretMeta({ ...fleet, gateway, namespace: place.namespace });
  const kind = { apiVersion: 'v1', kind: 'Secret' };
  const there = metadata && (await getObject(place, { ...kind, name: metadata.name }, Secret));
  const secret = there ? [{ ...kind, metadata, type: 'Opaque', data: { ...there.data } }] : [];
  const objects = sent.map((object) =>
    object.kind === 'Deployment' ? keeping(object, { written, secrets: secretsOn(live) }) : object,
  );
  return [...secret, ...objects];
}

/** Undoes a change: pods of before are still there, and stay. */
export async function goBackTo(host: World, objects: readonly KubeObject[]): Promise<void> {
  const place = await placeOf(host);
  for (const object of objects) await applyObject(place, object, { force: true });
}
