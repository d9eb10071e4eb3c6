import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { isAddress } from '../../domain/model-source.ts';
import { coresWithin } from '../../domain/resources.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { engineOf } from '../../engines/registry.ts';
import { targetOf } from '../../targets/registry.ts';
import { expectKeyTaken } from '../apply/engine-key.ts';
import type { Deployment } from '../file/resolve.ts';

/** How this deployment is started; null for a server that berth does not start. Throws what the engine objects to. */
export function launchSpecOf(
  deployment: Deployment,
  given: { cores: number | null; help: string | null; key: SecretRef | null },
): LaunchSpec | null {
  const secret = deployment.model?.secret ?? null;
  const spec = engineOf(deployment.engine.kind).launch?.({
    deployment: deployment.name,
    options: deployment.engine,
    model: deployment.model?.path ?? null,
    mmproj: deployment.model?.mmproj ?? null,
    gpus: deployment.gpus,
    cores: coresWithin(given.cores, deployment.resources),
    key: given.key,
    modelKey: deployment.model?.path.startsWith('hf://') ? secret : null,
    secretVariables: targetOf(deployment.target.kind).inCluster === true,
    help: given.help,
    image: namedImage(deployment.target),
  });
  if (!spec) return null;
  if (given.key) expectKeyTaken(spec, deployment.name);
  const { node, fetched } = deployment.model ?? {};
  const { resources } = deployment;
  return {
    ...spec,
    ...(node === undefined ? {} : { node }),
    ...(fetched === undefined ? {} : { fetched }),
    ...(resources ? { resources } : {}),
    ...(secret && fetchedByCluster(deployment, spec.model) ? { modelSecret: secret } : {}),
  };
}

/** Of a container or a pod, or of the container of a unit. */
function namedImage(target: Deployment['target']): string | null {
  const { image, container } = target as { image?: string; container?: { image?: string } };
  return image ?? container?.image ?? null;
}

/** Neither the engine nor berth fetches it there. */
function fetchedByCluster({ target }: Deployment, model: string | null): boolean {
  if (!targetOf(target.kind).inCluster || model === null) return false;
  return isAddress(model) && !model.startsWith('pvc://');
}
