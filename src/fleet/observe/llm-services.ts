import type { LlmServicesStatus } from '../../domain/fleet-status.ts';
import type { World } from '../../io/world.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { llmServices } from '../../kube/llm-services.ts';
import { worldOfHost } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** LLMInferenceServices beside the InferenceServices of these hosts, of those alone that have some or do not show them. */
export async function llmServicesOf(
  world: World,
  { hosts }: Pick<LoadedFleet, 'hosts'>,
  names: readonly string[],
): Promise<LlmServicesStatus[]> {
  const found = await Promise.all(
    names.map(async (host) => {
      const place = await placeOf(await worldOfHost(world, hosts, host));
      const { services, unseen } = await llmServices(place);
      return { host, namespace: place.namespace, services: [...services], unseen };
    }),
  );
  return found.filter(({ services, unseen }) => services.length > 0 || unseen !== null);
}
