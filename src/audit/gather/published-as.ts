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
