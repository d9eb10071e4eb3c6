import { z } from 'zod';
import type { DemandState } from '../../domain/on-demand.ts';
import type { Deployment } from './deployment.ts';

/**
 * What a llama-server that routes lists at /v1/models: how far each of its models is
 * (https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md, "Using multiple models").
 */
const OwnModels = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      status: z
        .object({ value: z.string(), failed: z.boolean().nullish().catch(null) })
        .nullish()
        .catch(null),
    }),
  ),
});

/** Of several states of one model, the one that counts. */
export const bestFirst: readonly DemandState[] = [
  'ready',
  'loading',
  'fetching',
  'unloading',
  'unloaded',
  'failed',
];

/** Those that take memory now or are on their way to it; null for a deployment whose servers load none themselves, or do not tell. */
export function ownModels({ instances }: Deployment): [string, DemandState][] | null {
  // Servers that list models without their states are as ready as they are themselves.
  if (instances.every(({ models }) => !models?.size)) return null;
  const all = new Map(instances.flatMap(({ models }) => [...(models ?? [])]));
  return [...all].filter(([, state]) => state === 'ready' || state === 'loading' || state === 'fetching');
}

const stateOf: Readonly<Record<string, DemandState>> = {
  loaded: 'ready',
  loading: 'loading',
  downloading: 'fetching',
  unloaded: 'unloaded',
  // Its memory is given back, and its next request loads it again.
  sleeping: 'unloaded',
};

/** How far each model of a server is that loads them itself; names of which it tells nothing are left out. Null for no such list. */
export function readOwnModels(text: string | null): ReadonlyMap<string, DemandState> | null {
  const list = OwnModels.safeParse(parsed(text)).data?.data;
  if (!list) return null;
  return new Map(
    list.flatMap(({ id, status }): [string, DemandState][] => {
      const told = status && (status.failed ? 'failed' : stateOf[status.value]);
      return told ? [[id, told]] : [];
    }),
  );
}

/** How far a model of a deployment's own is: the best that one of its instances tells; null where none tells anything. */
export function ownState(deployment: Deployment, model: string): DemandState | null {
  const states = deployment.instances.map(({ models }) => models?.get(model));
  return bestFirst.find((state) => states.includes(state)) ?? null;
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
