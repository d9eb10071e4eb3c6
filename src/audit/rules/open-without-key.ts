import { isLoopback } from '../../domain/loopback.ts';
import { placeOf, subjectOf } from '../../domain/audit/server-words.ts';
import type { Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const openWithoutKey: Rule = {
  id: 'open-without-key',
  severity: 'warning',
  finds: 'a server that others can reach and that asks for no key',
  why: 'Anyone on the network can use it, and read what it is asked where its slots are shown.',
  find: ({ hosts }) =>
    perHost(hosts, (host) =>
      host.servers
        .filter(
          (server) =>
            server.keyed === false && server.endpoints.some((one) => one.here && !isLoopback(one.address)),
        )
        .map((server) => ({
          ...subjectOf(server, host),
          message: 'It listens beyond this machine and asks for no key.',
          evidence: [`It listens on ${placeOf(server)}.`, ...server.evidence.slice(0, 2)],
          cure: 'Let it listen on 127.0.0.1 with a gateway in front ("berth init"), or give it a key.',
        })),
    ),
};
