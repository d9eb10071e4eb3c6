import type { Clock } from '../io/clock.ts';
import { listAsOf } from './client.ts';
import type { Listed, Place } from './client.ts';
import { endpointsOf, slicesOfFleet, slicesOfKserve } from './endpoints.ts';
import type { KubeEndpoint, Slice } from './endpoints.ts';
import { followObjects } from './watch.ts';
import type { WatchTrouble } from './watch.ts';

/** Whose pods are looked for: what carries the fleet's id, and these InferenceServices. */
export interface EndpointsWanted {
  readonly fleetId: string;
  readonly kserve: readonly string[];
}

export interface EndpointsFollowed {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onEndpoints: (endpoints: readonly KubeEndpoint[]) => void;
  readonly onTrouble: (trouble: WatchTrouble | null) => void;
}

/** Who answers now, and how to hear of it when that changes. Throws what the first question meets. */
export async function fleetEndpoints(
  place: Place,
  { fleetId, kserve }: EndpointsWanted,
): Promise<{
  readonly first: readonly KubeEndpoint[];
  readonly follow: (how: EndpointsFollowed) => Promise<void>;
}> {
  const wanted = [slicesOfFleet(fleetId), ...(kserve.length === 0 ? [] : [slicesOfKserve(kserve)])];
  const lists: Listed<Slice>[] = await Promise.all(wanted.map((one) => listAsOf(place, one)));
  const slices = lists.map(({ objects }) => [...objects.values()]);
  return {
    first: endpointsOf(slices.flat(), fleetId),
    follow: async ({ onEndpoints, ...how }) => {
      await Promise.all(
        wanted.map((one, i) =>
          followObjects(place, one, {
            ...how,
            from: lists[i] ?? { objects: new Map(), version: '' },
            onTrouble: i === 0 ? how.onTrouble : () => {},
            onObjects: (now) => {
              slices[i] = [...now];
              onEndpoints(endpointsOf(slices.flat(), fleetId));
            },
          }),
        ),
      );
    },
  };
}
