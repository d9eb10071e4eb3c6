import { machineOf, thisMachine } from '../../domain/host-access.ts';
import { isAddress } from '../../domain/model-source.ts';
import type { Fetch } from '../../domain/plan.ts';
import { accessOf } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { launchSpecOf } from '../plan/launch-spec-of.ts';

/** Fetches a model into the store, and gives its path there. */
export type FetchModel = (
  fetch: Fetch,
  how: { readonly signal: AbortSignal; readonly onPart: (part: number) => void },
) => Promise<string>;

/**
 * The model that a deployment of this machine would open and that has only an address so far; null: there is none, or its engine fetches
 * it itself. Pure.
 */
export function fetchFirst({ deployments, hosts }: LoadedFleet, name: string): Fetch | null {
  const deployment = deployments.find((one) => one.name === name);
  if (!deployment || machineOf(accessOf(hosts[deployment.host])) !== thisMachine) return null;
  const source = launchSpecOf(deployment, { cores: 1, help: null, key: null })?.model ?? null;
  if (source === null || !isAddress(source)) return null;
  return { deployment: name, source, secret: deployment.model?.secret ?? null };
}

/** The same fleet, with the path of what was fetched by now. Pure. */
export function withPath(loaded: LoadedFleet, source: string, path: string): LoadedFleet {
  const deployments = loaded.deployments.map((one) =>
    one.model?.path === source && machineOf(loaded.hosts[one.host]) === thisMachine
      ? { ...one, model: { ...one.model, path } }
      : one,
  );
  return { ...loaded, deployments };
}
