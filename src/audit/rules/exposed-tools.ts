import { isLoopback } from '../../domain/loopback.ts';
import { placeOf, subjectOf } from '../../domain/audit/server-words.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const exposedTools: Rule = {
  id: 'exposed-tools',
  severity: 'critical',
  finds: 'a llama-server started with `--tools` or the like',
  why: 'Whoever reaches its port reaches files or a shell of the machine.',
  find: ({ hosts }) =>
    perHost(hosts, (host) =>
      host.servers
        .filter((server) => server.exposes.length > 0)
        .map((server) => {
          const open = server.endpoints.some((one) => one.here && !isLoopback(one.address));
          const flags = server.exposes.join(', ');
          return {
            ...subjectOf(server, host),
            severity: open ? ('critical' as const) : ('warning' as const),
            message: open
              ? 'Whoever reaches its port from the network can use files or a shell of this machine.'
              : 'A web page opened on this machine may reach its port, and with it files or a shell.',
            evidence: [`Started with ${flags}.`, `It listens on ${placeOf(server)}.`],
            cure: `Start it without ${flags}, or on 127.0.0.1 with --api-key-file.`,
          };
        }),
    ),
};
