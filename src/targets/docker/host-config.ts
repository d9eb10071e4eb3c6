/** What "inspect" tells of a container, as "create" takes it: podman tells limits by names that it does not take itself. Pure. */
export function takenAgain(hostConfig: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const limits = hostConfig['Ulimits'];
  if (!Array.isArray(limits)) return hostConfig;
  return { ...hostConfig, Ulimits: limits.map(withPlainName) };
}

/** "RLIMIT_NOFILE" is "nofile". */
function withPlainName(limit: { readonly Name?: unknown }): unknown {
  const { Name: name } = limit;
  return typeof name === 'string' ? { ...limit, Name: name.replace(/^RLIMIT_/, '').toLowerCase() } : limit;
}
