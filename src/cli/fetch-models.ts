import type { Fetch, Plan } from '../domain/plan.ts';
import { withFetched } from '../fleet/apply/fetches.ts';
import type { FetchModel } from '../fleet/on-demand/fetch-first.ts';
import type { CliContext } from './context.ts';
import type { PullHow } from './pull-named.ts';

const connections = 4;

type FetchHow = Parameters<FetchModel>[1] & Pick<PullHow, 'listed'>;

/**
 * Fetches what the plan's engines would open and that is not there, while the old ones still serve; the same plan, with the paths
 * in the store. Throws why one could not be fetched; what came of it is kept, and the next try goes on.
 */
export async function fetchModels(context: CliContext, plan: Plan): Promise<Plan> {
  if (!plan.fetch || plan.fetch.length === 0) return plan;
  const { checkRoomOf } = await import('./pull-named.ts');
  const listings = await checkRoomOf(context, plan.fetch);
  function how(fetch: Fetch): FetchHow {
    return { signal: context.signal, onPart: () => {}, listed: () => listings(fetch) };
  }
  const paths = new Map<string, string>();
  for (const fetch of plan.fetch) paths.set(fetch.source, await fetchModel(context, fetch, how(fetch)));
  return withFetched(plan, paths);
}

/** One model, whose path in the store it gives; each whole per cent is told once. Throws why it could not be fetched. */
export async function fetchModel(
  context: CliContext,
  { deployment, source, secret }: Fetch,
  { signal, onPart, listed = () => null }: FetchHow,
): Promise<string> {
  const { pullNamed } = await import('./pull-named.ts');
  context.output.progress(`Fetching the model of ${deployment}: ${source}`);
  let told = -1;
  const { path } = await pullNamed(
    { ...context, signal: AbortSignal.any([context.signal, signal]) },
    { source, secret },
    {
      connections,
      listed,
      onPart: (part) => {
        const percent = Math.floor(part * 100);
        if (percent !== told) onPart(part);
        told = percent;
      },
    },
  );
  return path;
}
