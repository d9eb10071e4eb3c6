import type { Plan } from '../domain/plan.ts';
import { withFetched } from '../fleet/apply/fetches.ts';
import type { CliContext } from './context.ts';

const connections = 4;

/**
 * Fetches what the plan's engines would open and that is not there, while the old ones still serve; the same plan, with the paths
 * in the store. Throws why one could not be fetched; what came of it is kept, and the next try goes on.
 */
export async function fetchModels(context: CliContext, plan: Plan): Promise<Plan> {
  if (!plan.fetch || plan.fetch.length === 0) return plan;
  const { pullNamed } = await import('./pull-named.ts');
  const paths = new Map<string, string>();
  for (const { deployment, source, secret } of plan.fetch) {
    context.output.progress(`Fetching the model of ${deployment}: ${source}`);
    const { path } = await pullNamed(context, { source, secret }, connections);
    paths.set(source, path);
  }
  return withFetched(plan, paths);
}
