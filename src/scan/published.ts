import type { Listener, ProcessEntry, ProcessTable } from '../domain/process-facts.ts';
import { flagNumber, flagValue } from '../domain/command-line/flags.ts';
import { baseName } from '../domain/command-line/unwrap.ts';

/**
 * Ports of this machine that Docker forwards into a container: its proxy process names both sides on its command
 * line. The listener belongs to the server inside, not to the proxy.
 */
export function publishedListeners(
  server: { readonly listeners: readonly Listener[]; readonly addresses: ReadonlySet<string> },
  seen: { readonly table: ProcessTable; readonly listeners: readonly Listener[] },
): Listener[] {
  const ports = new Set(server.listeners.map((listener) => listener.port));
  const proxies = [...seen.table.processes.values()].filter(
    (entry) =>
      isProxyTo(entry, server.addresses) && ports.has(flagNumber(entry.argv, '-container-port') ?? 0),
  );
  return proxies.flatMap((proxy) => {
    const port = flagNumber(proxy.argv, '-host-port');
    return seen.listeners.filter((listener) => listener.pids.includes(proxy.pid) && listener.port === port);
  });
}

function isProxyTo(entry: ProcessEntry, addresses: ReadonlySet<string>): boolean {
  return (
    baseName(entry.argv[0] ?? '') === 'docker-proxy' &&
    addresses.has(flagValue(entry.argv, '-container-ip') ?? '')
  );
}
