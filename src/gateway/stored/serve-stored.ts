import type { Inbound, Reply } from '../../io/http-server/types.ts';
import { mayUse } from '../front/caller.ts';
import { endpointForbidden } from '../reply/faults.ts';
import { serveModel } from '../routing/serve-model.ts';
import type { GatewayState } from '../state.ts';
import { holderGone, responseUnknown, storedEndpoint } from './stored-responses.ts';

/** Passes a request for a stored response to the engine that has it, slot or not. Rejects with ApiError 401, 403 or 404. */
export async function serveStored(
  state: GatewayState,
  id: string,
  request: { inbound: Inbound; reply: Reply; requestId: string },
  onFault: (error: unknown) => void,
): Promise<void> {
  const caller = state.snapshot.keyring.identify(request.inbound);
  if (!mayUse(caller, storedEndpoint))
    throw endpointForbidden(storedEndpoint.path, [...(caller.endpoints ?? [])]);
  const holder = await state.stored.find(id);
  if (holder?.key !== caller.id) throw responseUnknown(id, state.stored);
  const { instances, deployments } = state.snapshot;
  const instance = instances.get(holder.instance);
  const deployment = deployments.get(holder.deployment);
  if (!instance || !deployment?.instances.includes(instance)) throw holderGone(id);
  const exact = { model: holder.model, target: request.inbound.url, slashed: null };
  const pinned = { deployment, instance };
  serveModel(state, { ...request, endpoint: storedEndpoint, caller, exact, pinned }, onFault);
}
