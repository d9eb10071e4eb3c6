import type { ObservedHost } from '../../domain/audit/observation.ts';
import { portHolder } from '../../domain/audit/port-holder.ts';
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
    const holder = portHolder(server, host);
    if (!holder) return [];
    const { port } = holder;
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
