import { unseenContainers } from '../../domain/audit/container-server.ts';
import { isLoopback } from '../../domain/loopback.ts';
import { titleOf } from '../../domain/audit/kube-object.ts';
import { placeOf, subjectOf } from '../../domain/audit/server-words.ts';
import { listenAddress } from '../../domain/audit/listen-address.ts';
import type { DefinedServer, ObservedContainer } from '../../domain/audit/observation.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const exposedTools: Rule = {
  id: 'exposed-tools',
  severity: 'critical',
  finds: 'a llama-server started with `--tools` or the like',
  why: 'Whoever reaches its port reaches files or a shell of the machine.',
  find: ({ hosts, pods }) => [
    ...perHost(hosts, (host) =>
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
    ...perHost(hosts, (host) => [
      ...host.units
        .filter((one) => one.active !== 'active')
        .flatMap(({ name, starts }) =>
          ofDefinition(starts, { object: name, names: [name], severity: 'warning' }),
        ),
      ...unseenContainers(host).flatMap((one) =>
        ofDefinition(
          one.starts,
          {
            object: `container ${one.name}`,
            names: [`container ${one.name}`, one.name],
            severity: isOpen(one) ? 'critical' : 'warning',
          },
          one.state === 'running' ? 'It runs: whoever' : 'Once it runs, whoever',
        ),
      ),
    ]),
    ...pods.flatMap(({ workload: { object }, server }) =>
      ofDefinition(server, {
        object: titleOf(object),
        names: [object.metadata.name],
        severity: server.host !== null && isLoopback(server.host) ? 'warning' : 'critical',
      }),
    ),
  ],
};

/** Whether others reach it while it runs: by what it publishes, or in the network of the machine. */
function isOpen({ state, shares, published, starts }: ObservedContainer): boolean {
  const places = shares.includes('network')
    ? [listenAddress(starts.host, starts.engine)]
    : published.map(({ address }) => address);
  return state === 'running' && places.some((address) => !isLoopback(address));
}

function ofDefinition(
  { exposes }: DefinedServer,
  subject: Pick<Found, 'object' | 'names'> & { severity: 'warning' | 'critical' },
  whoever = 'Once it runs, whoever',
): Found[] {
  if (exposes.length === 0) return [];
  const flags = exposes.join(', ');
  return [
    {
      ...subject,
      message: `${whoever} reaches its port reaches files or a shell where it runs.`,
      evidence: [`Its definition starts it with ${flags}.`],
      cure: `Define it without ${flags}, or on 127.0.0.1 with --api-key-file.`,
    },
  ];
}
