import { machineSecretRefusal } from '../domain/secret.ts';
import { DockerOptions } from '../container/options.ts';
import type { Mark } from '../domain/instance.ts';
import { publishedPorts } from '../container/container-body.ts';
import { containerName, entrypointOf, imageOf, renderContainer } from '../container/render.ts';
import type { ContainerBody, HostFacts, Mount } from '../container/render.ts';
import type { RenderedDeployment, RenderInput } from './contract.ts';
import { marksOf } from './replica-marks.ts';

/** One replica as the target docker would make it. */
export interface RenderedContainer {
  readonly mark: Mark;
  readonly container: string;
  readonly body: ContainerBody;
  readonly mounts: readonly Mount[];
  readonly ports: readonly string[];
}

export function containersOf(input: RenderInput, facts: HostFacts): RenderedContainer[] {
  return marksOf(input, containerOptions, { gpus: true }).map(({ mark, options }) => {
    const body = renderContainer(mark, options, facts);
    const mounts = body.HostConfig['Mounts'] as readonly Mount[];
    return { mark, container: containerName(mark), body, mounts, ports: publishedPorts(body) };
  });
}

/** What the file says of another target means nothing to a container. Its own was parsed with the file. */
function containerOptions({ target }: RenderedDeployment): DockerOptions {
  return target.kind === 'docker'
    ? (target as unknown as DockerOptions)
    : DockerOptions.parse({ kind: 'docker' });
}

export function containerRefusal(deployment: RenderedDeployment): string | null {
  const options = containerOptions(deployment);
  if (imageOf(deployment.spec, options) === null) return 'its engine has no image of its own';
  if (entrypointOf(deployment.spec, options) === null) return 'nobody says what to run in the image';
  return options.hostConfig === undefined
    ? machineSecretRefusal(deployment.spec)
    : 'target.hostConfig is in words that only the API of Docker has';
}
