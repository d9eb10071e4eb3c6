import type { LlmServicesStatus } from '../../domain/fleet-status.ts';
import { table } from '../output.ts';

/** They are not of the fleet, so they have a table of their own. */
export function llmServicesText({ host, namespace, services, unseen }: LlmServicesStatus): string {
  const where = `LLMInferenceServices of ${host} (namespace ${namespace})`;
  if (unseen !== null) return `${where} are not seen: ${unseen}`;
  const rows = services.map(({ name, state, reason, url, model }) => [
    name,
    state + (reason === null ? '' : ` (${reason})`),
    url ?? '-',
    model ?? '-',
  ]);
  return `${where}:\n${table([['NAME', 'STATE', 'URL', 'MODEL'], ...rows])}`;
}
