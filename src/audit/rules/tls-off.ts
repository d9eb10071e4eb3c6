import { doorOf } from '../../domain/command-line/server-door.ts';
import { asksForNone } from '../../domain/audit/asks-for-none.ts';
import { ownContainers } from '../../domain/audit/container-server.ts';
import { openWays } from '../../domain/audit/open-containers.ts';
import { isLoopback } from '../../domain/loopback.ts';
import { placeOf, subjectOf } from '../../domain/audit/server-words.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const tlsOff: Rule = {
  id: 'tls-off',
  severity: 'info',
  finds: 'a server, or the gateway, that others can reach with a key and without TLS',
  why: 'The key and all that is asked cross the network for whoever listens there.',
  find: ({ hosts, fleet }) => [
    ...perHost(hosts, (host) =>
      host.servers
        .filter(
          (server) =>
            server.keyed === true &&
            !asksForNone(server) &&
            !hasCertificate(server) &&
            server.endpoints.some((one) => one.here && !isLoopback(one.address)),
        )
        .map((server) => ({
          ...subjectOf(server, host),
          message: 'It takes its key over the network in plain text.',
          evidence: [`It listens on ${placeOf(server)}, without a certificate.`],
          cure: 'Let it listen on 127.0.0.1, with "gateway.tls" in front of it; or give it a certificate.',
        })),
    ),
    ...perHost(hosts, (host) =>
      ownContainers(host)
        .filter(({ starts }) => starts.keyed === true && !asksForNone(starts) && !starts.tls)
        .map((one) => ({ one, ways: openWays(one, host) }))
        .filter(({ ways }) => ways.length > 0)
        .map(({ one: { name }, ways }) => ({
          object: `container ${name}`,
          names: [name],
          message: 'It takes its key over the network in plain text.',
          evidence: [...ways, 'It has no certificate.'],
          cure: 'Publish it on 127.0.0.1, with "gateway.tls" in front of it; or give it a certificate.',
        })),
    ),
    ...(fleet && !fleet.gateway.tls ? fleet.gateway.listen : [])
      .filter((listen) => !isLoopback(listen.slice(0, listen.lastIndexOf(':')).replace(/^\[|\]$/g, '')))
      .map((listen) => ({
        object: 'gateway',
        names: [listen],
        message: 'The gateway takes keys over the network in plain text.',
        evidence: [`gateway.listen ${listen}, without gateway.tls`],
        cure: 'Give it a certificate ("gateway.tls"), or let it listen on 127.0.0.1 behind what has one.',
      })),
  ],
};

/** By its words; one that has it from a variable was asked by https. */
function hasCertificate({ command, evidence }: ScannedServer): boolean {
  return doorOf(command).tls || evidence.some((line) => line.startsWith('GET https://'));
}
