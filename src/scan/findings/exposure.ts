import { secretFlagsOf } from '../../domain/command-line/redact.ts';
import type { Finding } from '../../domain/finding.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { engines } from '../../engines/registry.ts';
import { nameOf, placeOf } from '../words.ts';

export function exposedTools(servers: readonly ScannedServer[]): Finding[] {
  return servers
    .filter((server) => server.exposes.length > 0)
    .map((server) => {
      const open = openEndpoints(server).length > 0;
      return {
        rule: 'exposed-tools',
        severity: open ? ('critical' as const) : ('warning' as const),
        object: nameOf(server),
        message: open
          ? 'Whoever reaches its port from the network can use files or a shell of this machine.'
          : 'A web page opened on this machine may reach its port, and with it files or a shell.',
        evidence: [`Started with ${server.exposes.join(', ')}.`, `It listens on ${placeOf(server)}.`],
        cure: `Start it without ${server.exposes.join(', ')}, or on 127.0.0.1 with --api-key-file.`,
      };
    });
}

export function secretInArgv(servers: readonly ScannedServer[]): Finding[] {
  return servers.flatMap((server) => {
    const flags = secretFlagsOf(server.command);
    if (flags.length === 0) return [];
    return [
      {
        rule: 'secret-in-argv',
        severity: 'warning' as const,
        object: nameOf(server),
        message: 'A secret stands on its command line, which every user of this machine can read.',
        evidence: [`${flags.join(', ')} in the command line of process ${server.process.pid}.`],
        cure: `${keyAdviceFor(server.engine)} Then change the secret.`,
      },
    ];
  });
}

export function openToAll(servers: readonly ScannedServer[]): Finding[] {
  return servers
    .filter((server) => server.keyed === false && openEndpoints(server).length > 0)
    .map((server) => ({
      rule: 'open-without-key',
      severity: 'warning' as const,
      object: nameOf(server),
      message: 'It listens beyond this machine and asks for no key.',
      evidence: [`It listens on ${placeOf(server)}.`, ...server.evidence.slice(0, 2)],
      cure: 'Let it listen on 127.0.0.1 with a gateway in front ("berth init"), or give it a key.',
    }));
}

/** Sockets that other machines may reach; inside a container 0.0.0.0 is the container's own. */
function openEndpoints(server: ScannedServer): ScannedServer['endpoints'] {
  return server.endpoints.filter((endpoint) => endpoint.here && !isLoopback(endpoint.address));
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function keyAdviceFor(kind: string): string {
  const engine = engines.find((one) => one.kind === kind);
  const advice = engine && 'keyAdvice' in engine ? engine.keyAdvice : undefined;
  return advice ?? 'Give it the secret in a file that only its user can read.';
}
