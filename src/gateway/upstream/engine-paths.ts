import type { Deployment } from '../routing/deployment.ts';

/** Endpoint paths of each engine of a deployment, none where they are not known; of one on demand that does not run, as they will be. */
export function pathsOf({ instances, demand }: Deployment): readonly (readonly string[])[] {
  if (instances.length === 0 && demand) return [demand.model.paths];
  return instances.map(({ upstream }) => upstream.paths);
}
