import type { ObservedHost } from '../../domain/audit/observation.ts';
import { ipVersion, listenAddress, meet } from '../../domain/audit/listen-address.ts';
import { holdingOf } from '../../domain/audit/server-words.ts';
import { subjectOf } from '../../domain/audit/server-words.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const portHeld: Rule = {
  id: 'port-held',
  severity: 'warning',
  finds: 'a server that does not listen because another process holds its port in the same network namespace',
  why: 'It runs, takes memory, and nobody reaches it.',
  find: ({ hosts }) => perHost(hosts, onHost),
};

function onHost(host: ObservedHost): Found[] {
  return host.servers.flatMap((server) => {
    const { wantedPort: port, netns } = server;
    if (port === null || netns === null || server.endpoints.some((endpoint) => endpoint.port === port))
      return [];
    const own = [server.process.pid, ...server.children.map((child) => child.pid)];
    const wanted = listenAddress(server.wantedHost ?? null, server.engine);
    const holder = host.listeners.find(
      (one) =>
        one.port === port &&
        one.netns === netns &&
        // A name may stand for any address.
        (ipVersion(wanted) === 0 || meet(wanted, one.address)) &&
        !(one.pid !== null && own.includes(one.pid)),
    );
    if (!holder) return [];
    const by = holder.pid === null ? `a process of user ${holder.uid}` : `process ${holder.pid}`;
    return [
      {
        ...subjectOf(server, host),
        message: `Its port ${port} is held by ${by}${holder.program ? ` (${holder.program})` : ''}.`,
        evidence: [
          `${holder.address}:${port} in the same network namespace.`,
          ...server.evidence.slice(0, 1),
        ],
        cost: holdingOf(server),
        cure: `Start it on another port, or end what holds port ${port}.`,
      },
    ];
  });
}
