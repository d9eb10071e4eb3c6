/**
 * Path and query of a target in absolute form, as clients of proxies send it (RFC 9112 §3.2.2); other forms stay as they are. Null
 * where it names another server than the Host field: what checks names would look at the wrong one.
 */
export function pathOfTarget(target: string, host: string): string | null {
  const [, server, rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  if (server === undefined) return target;
  if (server.toLowerCase() !== host.toLowerCase()) return null;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
