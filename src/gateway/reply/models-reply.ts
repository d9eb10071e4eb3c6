import type { Dialect } from '../../domain/endpoints.ts';
import type { Caller } from '../front/caller.ts';
import { modelEntry, modelList, routeFor } from '../models.ts';
import type { ModelEntry } from '../models.ts';
import type { GatewayState } from '../state.ts';

/** What /v1/models says to this caller, or with a name /v1/models/NAME. Throws ApiError 403 or 404. */
export function modelsReply(
  state: GatewayState,
  caller: Caller,
  asked: { readonly name: string | null; readonly dialect: Dialect },
): unknown {
  const { snapshot } = state;
  if (asked.name === null) {
    const list = modelList(snapshot, caller, state.now());
    return asked.dialect === 'anthropic' ? anthropicList(list.data) : list;
  }
  const entry = modelEntry(snapshot, routeFor(snapshot, caller, asked.name), state.now());
  return asked.dialect === 'anthropic' ? anthropicModel(entry) : entry;
}

/** A model as Anthropic's list has it (https://docs.anthropic.com/en/api/models-list): what is not known is null. */
function anthropicModel(entry: ModelEntry) {
  return {
    type: 'model',
    id: entry.id,
    display_name: entry.id,
    created_at: new Date(entry.created * 1000).toISOString(),
    max_input_tokens: entry.context_length,
    max_tokens: entry.context_length,
    capabilities: null,
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    line: null,
    status: entry.status,
  };
}

/** All of them on one page. */
function anthropicList(entries: readonly ModelEntry[]) {
  return {
    data: entries.map(anthropicModel),
    has_more: false,
    first_id: entries[0]?.id ?? null,
    last_id: entries.at(-1)?.id ?? null,
  };
}
