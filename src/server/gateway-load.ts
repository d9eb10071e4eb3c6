import type { GatewayLoad } from '../domain/gateway-load.ts';
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

/** The two gauges in the Prometheus text of the gateway. */
export function loadOf(text: string): Pick<GatewayLoad, 'inflight' | 'waiting'> {
  const inflight: Record<string, number> = {};
  const waiting: Record<string, number> = {};
  const line = /^berth_gateway_(inflight|queue_depth)\{([^}]*)\} (\d+)$/gm;
  for (const [, gauge, labels = '', value] of text.matchAll(line)) {
    const byName = Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', label = '']) => [name, label]),
    );
    if (gauge === 'inflight') inflight[byName['upstream'] ?? ''] = Number(value);
    else waiting[byName['deployment'] ?? ''] = Number(value);
  }
  return { inflight, waiting };
}
