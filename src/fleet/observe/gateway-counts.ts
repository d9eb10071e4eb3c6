import type { GatewayCounts } from '../../domain/audit/activity.ts';
import type { World } from '../../io/world.ts';
import { readPrometheusRows } from '../../stats/prometheus-read.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { readUpState } from '../up/up-state.ts';

const timeoutMs = 3000;

/** How many requests the running gateway of a fleet has passed to each deployment; null where none runs, or none can be asked. */
export async function gatewayCounts(world: World, fleet: FleetIdentity): Promise<GatewayCounts | null> {
  const state = await readUpState(world, fleet);
  if (!state?.gateway) return null;
  const { url, insideUrl = url, pid } = state.gateway;
  try {
    const { status, text } = await world.http.request(`${insideUrl}/metrics`, { timeoutMs });
    if (status !== 200) return null;
    const requests = new Map<string, number>();
    for (const { labels, value } of readPrometheusRows(text).get('berth_gateway_requests_total') ?? []) {
      const { deployment = '' } = labels;
      requests.set(deployment, (requests.get(deployment) ?? 0) + value);
    }
    return { id: `gateway ${pid} ${state.startedAt}`, startedAt: state.startedAt, requests };
  } catch {
    return null;
  }
}
