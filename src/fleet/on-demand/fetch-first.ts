import { machineOf, thisMachine } from '../../domain/host-access.ts';
import type { Fetch } from '../../domain/plan.ts';
import { toFetch } from '../apply/fetches.ts';
import { accessOf } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { launchSpecOf } from '../plan/launch-spec-of.ts';

/** Fetches a model into the store, and gives its path there. */
export type FetchModel = (
  fetch: Fetch,
  how: { readonly signal: AbortSignal; readonly onPart: (part: number) => void },
) => Promise<string>;

/**
 * The model that a deployment of this machine would open and that has only an address so far, then its projector; null: there is
 * none, or its engine fetches it itself. Pure.
 */
export function fetchFirst({ deployments, hosts }: LoadedFleet, name: string): Fetch | null {
  const deployment = deployments.find((one) => one.name === name);
  if (!deployment || machineOf(accessOf(hosts[deployment.host])) !== thisMachine) return null;
  const spec = launchSpecOf(deployment, { cores: 1, help: null, key: null });
  const [source] = spec === null ? [] : toFetch(spec);
  if (source === undefined) return null;
  return { deployment: name, source, secret: deployment.model?.secret ?? null };
}

/** The same fleet, with the path of what was fetched by now. Pure. */
export function withPath(loaded: LoadedFleet, source: string, path: string): LoadedFleet {
  const deployments = loaded.deployments.map((one) =>
    one.model !== null && machineOf(loaded.hosts[one.host]) === thisMachine
      ? {
          ...one,
          model: {
            ...one.model,
            path: one.model.path === source ? path : one.model.path,
            mmproj: one.model.mmproj === source ? path : one.model.mmproj,
          },
        }
      : one,
  );
  return { ...loaded, deployments };
}
