import type { GatewayLoad, InstanceBounds } from '../domain/gateway-load.ts';
import type { World } from '../io/world.ts';
import type { GatewayAccess } from './ports.ts';

const timeoutMs = 2_000;

/** What the gateway does now, by its own metrics; null when there is none or it does not answer. */
export async function gatewayLoad(world: World, gateway: GatewayAccess | null): Promise<GatewayLoad | null> {
  if (!gateway) return null;
  try {
    const { status, text } = await world.http.request(`${gateway.url}/metrics`, {
      headers: { authorization: `Bearer ${gateway.key}` },
      timeoutMs,
    });
    return status === 200 ? { keyNeeded: gateway.keyNeeded, ...loadOf(text) } : null;
  } catch {
    // Whether the gateway answers is the fleet's state to tell; here its figures are unknown, and that is all.
    return null;
  }
}

/** Its gauges of load and limits in the Prometheus text of the gateway. */
export function loadOf(text: string): Omit<GatewayLoad, 'keyNeeded'> {
  const inflight: Record<string, number> = {};
  const waiting: Record<string, number> = {};
  const limits: Record<string, InstanceBounds> = {};
  const line = /^berth_gateway_(inflight|queue_depth|limit)\{([^}]*)\} (\d+(?:\.\d+)?)$/gm;
  for (const [, gauge, labels = '', value] of text.matchAll(line)) {
    const byName = Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', label = '']) => [name, label]),
    );
    const upstream = byName['upstream'] ?? '';
    if (gauge === 'inflight') inflight[upstream] = Number(value);
    else if (gauge === 'limit')
      limits[upstream] = { ...limits[upstream], [byName['kind'] ?? '']: Number(value) };
    else waiting[byName['deployment'] ?? ''] = Number(value);
  }
  return { inflight, waiting, limits };
}
