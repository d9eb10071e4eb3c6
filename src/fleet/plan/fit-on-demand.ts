import { formatBytes } from '../../domain/format.ts';
import type { Finding } from '../../domain/finding.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import { detectMemory } from '../../hardware/detect.ts';
import type { World } from '../../io/world.ts';
import { accessOf } from '../file/hosts.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { memoryNeed } from '../on-demand/memory-need.ts';
import type { ShapeCache } from '../on-demand/memory-need.ts';

/**
 * Models on demand that no request will ever load, since they take more than there is even for one alone. What other programs hold by
 * then comes on top, and is not known yet.
 */
export async function fitOnDemand(
  world: World,
  { hosts, gateway }: LoadedFleet,
  asked: readonly Deployment[],
): Promise<Finding[]> {
  const waiting = asked.filter(
    ({ host, onDemand }) => onDemand && machineOf(accessOf(hosts[host])) === thisMachine,
  );
  if (waiting.length === 0) return [];
  const { totalBytes, limitBytes } = await detectMemory(world);
  const stated = gateway.onDemand?.memory ?? null;
  const room = stated ?? Math.min(totalBytes, limitBytes ?? Infinity);
  const shapes: ShapeCache = new Map();
  const found = waiting.map(async (deployment): Promise<Finding[]> => {
    const need = await memoryNeed(world, deployment, shapes);
    if (!need || need.host <= room) return [];
    const there =
      stated === null
        ? `this machine has ${formatBytes(room)}`
        : `gateway.onDemand.memory is ${formatBytes(room)}`;
    return [
      {
        rule: 'does-not-fit',
        severity: 'warning',
        object: deployment.name,
        message: `It takes ${formatBytes(need.host)} of memory, and ${there}: requests for it are answered with 503 model_too_large.`,
        evidence: [`${need.host} bytes needed`, `${room} bytes there`],
        cure: 'Give it fewer slots, a smaller context, a smaller type of cache or quantization; or say what it really takes ("memory" of the deployment).',
      },
    ];
  });
  return (await Promise.all(found)).flat();
}
