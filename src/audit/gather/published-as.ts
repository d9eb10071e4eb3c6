import { z } from 'zod';

/**
 * Where a port of a container is reached, as "8080:8000", "127.0.0.1:8080:8000/tcp" and "[::1]:8080:8000" say. What is published at
 * no fixed port has none here.
 */
export function publishedAs(
  published: readonly string[],
  inside: number | null,
): { host: string | null; port: number | null } {
  const found = published
    .map((one) => /^(?:(\[[^\]]*\]|[^:]*):)?(\d+):(\d+)(?:\/tcp)?$/.exec(one))
    .flatMap((match) => (match ? [{ host: match[1], port: Number(match[2]), to: Number(match[3]) }] : []));
  const one = found.find(({ to }) => to === inside) ?? (found.length === 1 ? found[0] : undefined);
  return { host: one ? (one.host?.replaceAll(/[[\]]/g, '') ?? '0.0.0.0') : null, port: one?.port ?? null };
}

/** Ports of a container, "8000/tcp", with where of the machine each is published. */
export const PortBindings = z.record(
  z.string(),
  z.array(z.object({ HostIp: z.string().nullish(), HostPort: z.string().nullish() })).nullish(),
);
export type PortBindings = z.infer<typeof PortBindings>;

/** Ports of the machine that are bound to be held: one that the daemon picks, alone or out of a range, is none. */
export function portsOf(bindings: PortBindings): { address: string; port: number; to: number }[] {
  return Object.entries(bindings).flatMap(([inside, places]) => {
    const to = /^(\d+)(?:\/tcp)?$/.exec(inside)?.[1];
    if (to === undefined) return [];
    return (places ?? [])
      .filter(({ HostPort }) => /^[1-9]\d*$/.test(HostPort ?? ''))
      .map(({ HostIp, HostPort }) => ({
        address: HostIp || '0.0.0.0',
        port: Number(HostPort),
        to: Number(to),
      }));
  });
}
