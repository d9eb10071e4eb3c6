import { keyName } from '../../domain/believed-secrets.ts';
import type { Finding } from '../../domain/finding.ts';
import { thisMachine } from '../../domain/host-access.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { isOfHere, secretTitle } from '../../domain/secret.ts';
import type { World } from '../../io/world.ts';
import { isSeenInPlace } from '../file/named-secrets.ts';
import { isEngineKey } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Engines of a fleet whose marks are not believed in all that they say. What its file no longer names is told by others. */
export function markFindings(
  world: World,
  { deployments }: Pick<LoadedFleet, 'deployments'>,
  instances: readonly Instance[],
): Finding[] {
  const stated = new Set(deployments.map(({ name }) => name));
  return instances.flatMap((instance): Finding[] => {
    const { mark, object, host } = instance;
    if (!mark) return [];
    const at = host === thisMachine ? object.name : `${object.name} on ${host}`;
    const isThere = !stated.has(mark.deployment) || isSeenInPlace(world, instance);
    return [...unnamedKey(mark, at), ...(isThere ? [] : [outOfPlace(mark, at)])];
  });
}

/** It has a key that is not read, so that it is asked without one. */
function unnamedKey(mark: Mark, at: string): Finding[] {
  const ref = mark.spec.secrets[keyName];
  if (!ref || !isOfHere(ref) || ('file' in ref && isEngineKey(ref.file, mark))) return [];
  const { deployment } = mark;
  return [
    {
      rule: 'secret-not-named',
      severity: 'warning',
      object: deployment,
      message: `The mark on ${at} has the engine's key in ${secretTitle(ref)}, where berth keeps none for ${deployment}: it is not read, and the engine is asked without a key.`,
      evidence: [at, secretTitle(ref)],
      cure: `Somebody who may change that object has written it; "berth apply --restart ${deployment}" makes it as the file says.`,
    },
  ];
}

function outOfPlace({ deployment, target }: Mark, at: string): Finding {
  return {
    rule: 'out-of-place',
    severity: 'warning',
    object: deployment,
    message: `The mark on ${at} says that it is ${deployment}, which is not to run there and was not last applied there: "berth up" gives it no requests, and it is asked without the key of ${deployment}.`,
    evidence: [at, target.kind],
    cure: '"berth apply" ends it; if it is not yours, somebody who may make such objects there has written it.',
  };
}
