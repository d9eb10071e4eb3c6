import { isAddress } from '../../domain/model-source.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { Fetch, Plan } from '../../domain/plan.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/**
 * Models that engines of this plan would open on this machine and that have only an address so far: those that were fetched have
 * the path in the store by now, and what an engine fetches itself has no path at all.
 */
export function fetchesOf(
  { actions, hosts }: Pick<Plan, 'actions' | 'hosts'>,
  { deployments }: LoadedFleet,
): { fetch?: Fetch[] } {
  const fetches = new Map<string, Fetch>();
  for (const action of actions) {
    if (action.do !== 'start' && action.do !== 'replace') continue;
    const source = action.wanted.spec.model;
    if (source === null || !isAddress(source) || machineOf(hosts[action.host]) !== thisMachine) continue;
    const stated = deployments.find((one) => one.name === action.deployment);
    const { deployment } = action;
    fetches.set(source, { deployment, source, secret: stated?.model?.secret ?? null });
  }
  return fetches.size > 0 ? { fetch: [...fetches.values()] } : {};
}

/** The same plan with the paths where its models lie by now, by their addresses. */
export function withFetched(plan: Plan, paths: ReadonlyMap<string, string>): Plan {
  const actions = plan.actions.map((action) => {
    if (action.do !== 'start' && action.do !== 'replace') return action;
    const { wanted } = action;
    const path = wanted.spec.model === null ? undefined : paths.get(wanted.spec.model);
    if (path === undefined) return action;
    return { ...action, wanted: { ...wanted, spec: { ...wanted.spec, model: path } } };
  });
  return { ...plan, actions };
}
