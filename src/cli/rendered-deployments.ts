import { engineKeyOf } from '../fleet/apply/engine-key.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import { gpusByNumber } from '../fleet/plan/gpus-by-number.ts';
import { givenIn } from '../domain/given-files.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { givenSpecOf } from '../fleet/plan/given-spec.ts';
import { portsAnew } from '../fleet/plan/ports-anew.ts';
import { givenText } from '../io/given-file.ts';
import type { World } from '../io/world.ts';
import type { RenderedDeployment } from '../render/contract.ts';

/** What is written of a deployment, and for which host of the file. */
export interface PlacedDeployment extends RenderedDeployment {
  readonly host: string;
}

/** Every deployment that berth starts, with its ports and GPUs among the others. Nothing of this machine goes in: the files are for another one. */
export async function renderedDeployments(
  world: World,
  loaded: LoadedFleet,
): Promise<readonly PlacedDeployment[]> {
  const found = loaded.deployments.map(async (deployment) => {
    const key = engineKeyOf(world, loaded, deployment);
    const spec = await givenSpecOf(world, deployment, { cores: null, help: null, key });
    return spec ? [{ deployment, spec, files: await textsOf(world, spec) }] : [];
  });
  const all = (await Promise.all(found)).flat();
  const each = all.flatMap(({ deployment, spec }) =>
    Array.from({ length: deployment.replicas }, (_, replica) => ({ deployment, replica, spec })),
  );
  const numbers = gpusByNumber(each, loaded.hosts);
  const dealt = portsAnew(loaded, each);
  return all.map(({ deployment, spec, files }) => {
    const { name, host, replicas, target, declared } = deployment;
    const gpus = numbers.filter((_, at) => each[at]?.deployment === deployment);
    const ports = dealt.filter((_, at) => each[at]?.deployment === deployment);
    const onDemand = deployment.onDemand !== null;
    return { name, host, replicas, ports, target, spec, files, onDemand, declared, gpus };
  });
}

async function textsOf(world: World, spec: LaunchSpec): Promise<Record<string, string>> {
  const texts = Object.entries(givenIn(spec)).map(async ([name, file]) => {
    return [name, await givenText(world, file)] as const;
  });
  return Object.fromEntries(await Promise.all(texts));
}
