import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { isAddress } from '../../domain/model-source.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { Fetch, Plan } from '../../domain/plan.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/**
 * Models and projectors that engines of this plan would open on this machine and that have only an address so far: those that were fetched have
 * the path in the store by now, and what an engine fetches itself has no path at all.
 */
export function fetchesOf(
  { actions, hosts }: Pick<Plan, 'actions' | 'hosts'>,
  { deployments }: LoadedFleet,
): { fetch?: Fetch[] } {
  const fetches = new Map<string, Fetch>();
  for (const action of actions) {
    if (action.do !== 'start' && action.do !== 'replace') continue;
    if (machineOf(hosts[action.host]) !== thisMachine) continue;
    const stated = deployments.find((one) => one.name === action.deployment);
    const { deployment } = action;
    for (const source of toFetch(action.wanted.spec))
      fetches.set(source, { deployment, source, secret: stated?.model?.secret ?? null });
  }
  return fetches.size > 0 ? { fetch: [...fetches.values()] } : {};
}

/** What an engine would open and that has only an address so far. Pure. */
export function toFetch({ model, mmproj }: Pick<LaunchSpec, 'model' | 'mmproj'>): string[] {
  return [model, mmproj].filter((path) => path !== null && isAddress(path)) as string[];
}

/** The same plan with the paths where its models lie by now, by their addresses. */
export function withFetched(plan: Plan, paths: ReadonlyMap<string, string>): Plan {
  function pathOf(address: string | null): string | null {
    return address === null ? null : (paths.get(address) ?? address);
  }
  const actions = plan.actions.map((action) => {
    if (action.do !== 'start' && action.do !== 'replace') return action;
    const { wanted } = action;
    const { model, mmproj } = wanted.spec;
    const spec = { ...wanted.spec, model: pathOf(model), mmproj: pathOf(mmproj) };
    return { ...action, wanted: { ...wanted, spec } };
  });
  return { ...plan, actions };
}
