import { machineSecretRefusal } from '../domain/secret.ts';
import { DockerOptions } from '../targets/docker/options.ts';
import { entrypointOf, imageOf } from '../targets/docker/render.ts';
import type { ContainerBody, Mount } from '../targets/docker/render.ts';
import type { RenderedDeployment } from './contract.ts';

/** Where a container finds the files of its secrets. */
export const secretFolder = '/run/secrets/';

/** What the file says of another target means nothing to a container. Its own was parsed with the file. */
export function containerOptions({ target }: RenderedDeployment): DockerOptions {
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

export function mountsOf(body: ContainerBody): readonly Mount[] {
  return body.HostConfig['Mounts'] as readonly Mount[];
}

/** "127.0.0.1:8000:8000" for each port that is let out; none where it shares the network of the machine. */
export function publishedPorts(body: ContainerBody): string[] {
  const bindings = (body.HostConfig['PortBindings'] ?? {}) as Record<
    string,
    { HostIp: string; HostPort: string }[]
  >;
  return Object.entries(bindings).flatMap(([port, places]) =>
    places.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}:${port.replace('/tcp', '')}`),
  );
}
