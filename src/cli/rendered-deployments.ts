import { engineKeyOf } from '../fleet/apply/engine-key.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import { gpusByNumber } from '../fleet/plan/gpus-by-number.ts';
import { launchSpecOf } from '../fleet/plan/launch-spec-of.ts';
import { portsAnew } from '../fleet/plan/ports-anew.ts';
import type { World } from '../io/world.ts';
import type { RenderedDeployment } from '../render/contract.ts';

/** What is written of a deployment, and for which host of the file. */
export interface PlacedDeployment extends RenderedDeployment {
  readonly host: string;
}

/** Every deployment that berth starts, with its ports and GPUs among the others. Nothing of this machine goes in: the files are for another one. */
export function renderedDeployments(world: World, loaded: LoadedFleet): readonly PlacedDeployment[] {
  const all = loaded.deployments.flatMap((deployment) => {
    const key = engineKeyOf(world, loaded, deployment);
    const spec = launchSpecOf(deployment, { cores: null, help: null, key });
    return spec ? [{ deployment, spec }] : [];
  });
  const each = all.flatMap(({ deployment, spec }) =>
    Array.from({ length: deployment.replicas }, (_, replica) => ({ deployment, replica, spec })),
  );
  const numbers = gpusByNumber(each, loaded.hosts);
  const dealt = portsAnew(loaded, each);
  return all.map(({ deployment, spec }) => {
    const { name, host, replicas, target, declared } = deployment;
    const gpus = numbers.filter((_, at) => each[at]?.deployment === deployment);
    const ports = dealt.filter((_, at) => each[at]?.deployment === deployment);
    const onDemand = deployment.onDemand !== null;
    return { name, host, replicas, ports, target, spec, onDemand, declared, gpus };
  });
}
