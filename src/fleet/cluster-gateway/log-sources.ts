import type { World } from '../../io/world.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { podLines } from '../../kube/pod-lines.ts';
import type { LinesWanted } from '../../kube/pod-lines.ts';
import { podsOf } from '../../kube/state.ts';
import { worldOfHost } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { LogSource } from '../observe/log-source.ts';
import { madeGateway } from './look.ts';

/** The output of each of its pods. */
export async function gatewayLogs(world: World, loaded: LoadedFleet, host: string): Promise<LogSource[]> {
  const place = await placeOf(await worldOfHost(world, loaded.hosts, host));
  const made = await madeGateway(place, loaded);
  if (!made) return [];
  return podsOf(made).map((pod): LogSource => {
    const { name } = pod.metadata;
    function lines(how: LinesWanted): AsyncIterable<string> {
      return podLines(place, { made: made && { ...made, pods: [pod] }, container: 'gateway' }, how);
    }
    return {
      name,
      place: `kubectl --namespace ${place.namespace} logs ${name}`,
      last: async (count) => {
        const found: string[] = [];
        const signal = new AbortController().signal;
        for await (const line of lines({ lines: count, follow: false, signal })) found.push(line);
        return found;
      },
      follow: (how) => lines({ ...how, follow: true }),
    };
  });
}
