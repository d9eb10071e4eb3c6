import { z } from 'zod';
import { Live } from './client.ts';
import { fleetIdLabel } from './names.ts';

/** A pod of a fleet that answers. */
export interface KubeEndpoint {
  /** What made its Service: berth itself, or KServe for an InferenceService. */
  readonly by: 'berth' | 'kserve';
  /** What the objects of its deployment are called; with KServe, the InferenceService of its replica. */
  readonly name: string;
  readonly pod: string;
  readonly address: string;
  readonly port: number;
}

export const Slice = Live.extend({
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
export type Slice = z.infer<typeof Slice>;

const kind = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', schema: Slice } as const;
const serviceLabel = 'serving.kserve.io/inferenceservice';

/** Slices of a fleet's own Services: a slice has the labels of its Service. */
export function slicesOfFleet(fleetId: string): typeof kind & { readonly labels: string } {
  return { ...kind, labels: `${fleetIdLabel}=${fleetId}` };
}

/** Slices of the Services that KServe makes for these InferenceServices, whatever else of their labels it hands on. */
export function slicesOfKserve(services: readonly string[]): typeof kind & { readonly labels: string } {
  return { ...kind, labels: `${serviceLabel} in (${services.join(',')})` };
}

/** Who answers by these slices, each pod once. Pure. */
export function endpointsOf(slices: readonly Slice[], fleetId: string): KubeEndpoint[] {
  const found = slices.flatMap((slice) => {
    const of = serviceOf(slice, fleetId);
    const port = of && portOf(slice, of.by);
    if (!of || !port) return [];
    return (slice.endpoints ?? []).flatMap(({ addresses: [address = ''], conditions, targetRef }) =>
      // Nobody says: then it counts as ready.
      conditions?.ready === false ? [] : [{ ...of, pod: targetRef?.name ?? address, address, port }],
    );
  });
  // While slices are rearranged a pod may be in two of them.
  return [...new Map(found.map((one) => [one.pod, one])).values()].toSorted((a, b) =>
    a.pod < b.pod ? -1 : 1,
  );
}

function serviceOf({ metadata }: Slice, fleetId: string): Pick<KubeEndpoint, 'by' | 'name'> | null {
  const labels = metadata.labels ?? {};
  const service = labels[serviceLabel];
  const owner = labels[fleetIdLabel];
  if (service !== undefined) {
    // Transformers and explainers are no engines, and a service of another fleet may have the name of ours.
    const engine = (labels['component'] ?? 'predictor') === 'predictor';
    return engine && (owner ?? fleetId) === fleetId ? { by: 'kserve', name: service } : null;
  }
  const name = labels['app.kubernetes.io/name'];
  return name === undefined ? null : { by: 'berth', name };
}

const kservePort = 8080;

/** KServe names the port of a Service as the runtime's container does, often not at all. */
function portOf({ ports }: Slice, by: KubeEndpoint['by']): number | null {
  const named = ports?.find(({ name }) => name === 'http');
  const found =
    by === 'berth' ? named : (named ?? ports?.find(({ port }) => port === kservePort) ?? ports?.[0]);
  return found?.port ?? null;
}
