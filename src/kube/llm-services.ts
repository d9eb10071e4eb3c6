import { z } from 'zod';
import type { LlmServiceStatus } from '../domain/fleet-status.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { listObjects } from './client.ts';
import type { Place } from './client.ts';
import { LlmService, llmServiceStatus } from './llm-service-status.ts';

const version = 'serving.kserve.io/v1alpha1';
const kind = { apiVersion: version, kind: 'LLMInferenceService', labels: '' };
const plural = 'llminferenceservices';

/** What is to be seen of them in one namespace. */
export interface LlmServices {
  readonly services: readonly LlmServiceStatus[];
  /** Why they cannot be listed, where the cluster has the kind; else null. */
  readonly unseen: string | null;
}

/** KServe's newer services, which berth neither makes nor changes. A cluster without the kind has none. */
export async function llmServices(place: Place): Promise<LlmServices> {
  try {
    const found = await listObjects(place, kind, LlmService);
    const services = found.map(llmServiceStatus).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return { services, unseen: null };
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    // A cluster forbids what it does not know as well.
    return { services: [], unseen: (await isKnown(place)) ? error.message : null };
  }
}

const Resources = z.object({ resources: z.array(z.object({ name: z.string() })) });

async function isKnown({ api }: Place): Promise<boolean> {
  const { json } = await api.ask('GET', `/apis/${version}`);
  return Resources.safeParse(json).data?.resources.some(({ name }) => name === plural) ?? false;
}
