import type { ContainerBody } from './render.ts';

/** Where a container finds the files of its secrets. */
export const secretFolder = '/run/secrets/';

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

/** Limits of its processes that are other than the daemon's. */
export function ulimitsOf({ HostConfig: { Ulimits = [] } }: ContainerBody): readonly Ulimit[] {
  return Ulimits as readonly Ulimit[];
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
