import { z } from 'zod';
import { listObjects, Live } from './client.ts';
import type { Place } from './client.ts';
import { fleetIdLabel } from './names.ts';

/** A pod of a fleet that answers. */
export interface KubeEndpoint {
  /** What the objects of its deployment are called. */
  readonly name: string;
  readonly pod: string;
  readonly address: string;
  readonly port: number;
}

const Slice = Live.extend({
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()).min(1),
        conditions: z.object({ ready: z.boolean().nullish() }).nullish(),
        targetRef: z.object({ name: z.string().optional() }).nullish(),
      }),
    )
    .nullish(),
  ports: z.array(z.object({ name: z.string().nullish(), port: z.number().nullish() })).nullish(),
});

/** A slice has the labels of its Service, by which it is found in one question. */
export async function fleetEndpoints(place: Place, fleetId: string): Promise<KubeEndpoint[]> {
  const kind = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
  const slices = await listObjects(place, { ...kind, labels: `${fleetIdLabel}=${fleetId}` }, Slice);
  const found = slices.flatMap(({ metadata, endpoints, ports }) => {
    const port = ports?.find((one) => one.name === 'http')?.port;
    const name = metadata.labels?.['app.kubernetes.io/name'];
    if (!port || name === undefined) return [];
    return (endpoints ?? []).flatMap(({ addresses: [address = ''], conditions, targetRef }) =>
      // Nobody says: then it counts as ready.
      conditions?.ready === false ? [] : [{ name, pod: targetRef?.name ?? address, address, port }],
    );
  });
  // While slices are rearranged a pod may be in two of them.
  return [...new Map(found.map((one) => [one.pod, one])).values()].toSorted((a, b) =>
    a.pod < b.pod ? -1 : 1,
  );
}
